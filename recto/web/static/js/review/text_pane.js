/** The text: as the server drew it, with an element for each word on the pages that are near. */

import { _ } from "../translate.js";
import { InView } from "./in_view.js";

export class TextPane {
  #pages = new Map();
  #store;
  #waiting = new Map();

  /** `sections`: the section of each page by its number. */
  constructor(element, sections, { store }) {
    this.element = element;
    this.#store = store;
    for (const [number, section] of sections) this.#pages.set(number, { section, words: [] });
    this.inView = new InView(element, sections, {
      margin: "100%",
      onNear: (number) => this.#fill(number),
      onFar: (number) => this.#empty(number),
    });
  }

  /** Is told the number of a page and the elements of its words when they have been put there. */
  onWords = () => {};

  *shownWords() {
    for (const [number, { words }] of this.#pages) if (words.length > 0) yield [number, words];
  }

  wordElement(number, word) {
    return this.#pages.get(number)?.words[word];
  }

  /** Scrolls the letters [start, end) of the page's text into view. */
  reveal(number, start, end) {
    const pre = this.#pages.get(number).section.querySelector("pre");
    if (!pre) {
      this.inView.goToTop(number);
      return;
    }
    const range = document.createRange();
    range.setStart(...boundary(pre, start));
    range.setEnd(...boundary(pre, end));
    this.inView.reveal(range.getBoundingClientRect());
  }

  /** Shows the page as it has become. One that is not near has its text alone. */
  async renew(number) {
    const shown = this.#pages.get(number);
    if (this.inView.near.has(number)) {
      await this.#fill(number, true);
    } else if (shown.section.querySelector("pre")) {
      shown.section.querySelector("pre").textContent = await this.#store.text(number);
      shown.words = [];
    }
  }

  async #fill(number, isRenewed = false) {
    const stop = new AbortController();
    this.#waiting.set(number, stop);
    const shown = this.#pages.get(number);
    try {
      const page = await this.#store.page(number, stop.signal);
      if (stop.signal.aborted || (isSelected(shown.section) && !isRenewed)) return;
      shown.words = showWords(shown.section, page);
      this.onWords(number, shown.words);
    } catch (error) {
      if (!stop.signal.aborted) console.warn(error.message); // the sheet beside it says it to the reader; the text is there
    }
  }

  #empty(number) {
    this.#waiting.get(number)?.abort(new DOMException("The page is no longer near", "AbortError"));
    this.#waiting.delete(number);
    const shown = this.#pages.get(number);
    if (shown.words.length === 0 || isSelected(shown.section)) return;
    const pre = shown.section.querySelector("pre");
    pre.textContent = pre.textContent;
    shown.words = [];
  }
}

/** Puts an element for each word into the page's text, which stays the same letter for letter. */
function showWords(section, page) {
  const pre = preOf(section, page);
  if (!pre) return [];
  const pieces = [];
  const elements = [];
  let at = 0;
  for (const [index, word] of page.words.entries()) {
    if (!word.place) continue;
    const [start, end] = word.place;
    if (start > at) pieces.push(page.text.slice(at, start));
    elements[index] = wordElement(page.number, index, word, page.text.slice(start, end));
    pieces.push(elements[index]);
    at = end;
  }
  pieces.push(page.text.slice(at));
  pre.replaceChildren(...pieces);
  return elements;
}

/** Where the page's text stands. A page that was beyond the end of a text cut short gets its own. */
function preOf(section, page) {
  const there = section.querySelector("pre");
  if (there || !page.text) return there;
  const pre = document.createElement("pre");
  pre.tabIndex = -1;
  section.append(pre);
  section.style.minHeight = "";
  return pre;
}

function wordElement(number, index, { level, isCorrected }, letters) {
  const element = document.createElement("span");
  element.className = "word";
  element.dataset.page = number;
  element.dataset.word = index;
  element.dataset.level = level;
  if (isCorrected) element.dataset.corrected = "";
  element.textContent = letters;
  return element;
}

/** What is being selected is left alone: replacing it would end the selection. */
function isSelected(section) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(section, true);
}

/** [node, offset] of that letter of an element's text. */
function boundary(element, offset) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let left = offset;
  while (walker.nextNode()) {
    if (left <= walker.currentNode.length) return [walker.currentNode, left];
    left -= walker.currentNode.length;
  }
  return [element, element.childNodes.length];
}

/** A section for a page whose text the server has not drawn, of that height until its text is there. */
export function emptySection(number, heightPx) {
  const section = document.createElement("section");
  section.className = "text-page";
  section.id = `page-${number}`;
  section.dataset.page = number;
  const title = document.createElement("h3");
  title.textContent = _("Page %(number)s", { number });
  section.append(title);
  section.style.minHeight = `${heightPx}px`;
  return section;
}
