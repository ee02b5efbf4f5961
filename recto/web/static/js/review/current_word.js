/** The word that the reader is at, and hovering: marked on the image and in the text alike. */

import { announce } from "../announce.js";
import { _ } from "../translate.js";
import { percentWords } from "./percent.js";

export class CurrentWord {
  #root;
  #numbers;
  #uuid;
  #scan;
  #text;
  #store;
  #marks;
  #together;
  #at = null;

  /** `numbers`: of all pages, in order. */
  constructor(root, { uuid, numbers, scan, text, store, marks, together }) {
    this.#root = root;
    this.#numbers = numbers;
    this.#uuid = uuid;
    this.#scan = scan;
    this.#text = text;
    this.#store = store;
    this.#marks = marks;
    this.#together = together;
    for (const pane of [scan, text]) this.#listen(pane.element);
  }

  /** {number, word}, or null. */
  get at() {
    return this.#at;
  }

  /** Goes to a word, on whatever page: both panes show it. */
  async goTo(number, word) {
    await this.show(number, word);
    const { text, confidence } = this.#store.peek(number).words[word];
    announce(_("%(text)s: %(percent)s sure, page %(number)s", { text, percent: percentWords(confidence), number }));
  }

  /** The next word (1) or the one before (-1), beyond the end of a page that of the next page with words. */
  async step(direction) {
    const { number, word } = this.#at ?? { number: this.#together.number ?? this.#numbers[0], word: direction > 0 ? -1 : 0 };
    const { words } = await this.#store.page(number);
    if (words[word + direction]) await this.goTo(number, word + direction);
    else await this.#goBeyond(number, direction);
  }

  async #goBeyond(from, direction) {
    for (let at = this.#numbers.indexOf(from) + direction; at in this.#numbers; at += direction) {
      const number = this.#numbers[at];
      const { words } = await this.#store.page(number);
      if (words.length > 0) {
        await this.goTo(number, direction > 0 ? 0 : words.length - 1);
        return;
      }
    }
  }

  async show(number, word) {
    this.#mark(number, word);
    this.#together.settle(number);
    if (!this.#text.inView.near.has(number)) this.#text.inView.goToTop(number);
    if (!this.#scan.inView.near.has(number)) this.#scan.inView.goToTop(number);
    const page = await this.#store.page(number);
    if (this.#at?.number !== number || this.#at.word !== word) return;
    const place = page.words[word].place;
    if (place) this.#text.reveal(number, ...place);
    this.#scan.reveal(page, word);
  }

  /** Tells whoever edits words that this one was chosen: the event `recto:word`, from the word's own element. */
  choose() {
    if (!this.#at) return;
    const { number, word } = this.#at;
    const page = this.#store.peek(number);
    const element = this.#text.wordElement(number, word) ?? this.#scan.wordElement(number, word) ?? this.#root;
    if (!page?.words[word]) return;
    const { text, confidence, quad } = page.words[word];
    const detail = { uuid: this.#uuid, page: number, word, text, confidence, quad };
    element.dispatchEvent(new CustomEvent("recto:word", { bubbles: true, detail }));
  }

  #mark(number, word) {
    this.#at = { number, word };
    this.#marks.set("is-current", (page) => (page === number ? new Set([word]) : undefined));
  }

  #listen(element) {
    const hover = (at) => this.#marks.set("is-hovered", (page) => (at && page === at.number ? new Set([at.word]) : undefined));
    element.addEventListener("pointerover", (event) => hover(wordOf(event.target)));
    element.addEventListener("pointerleave", () => hover(null));
    element.addEventListener("click", (event) => {
      const at = wordOf(event.target);
      if (!at || !getSelection().isCollapsed) return;
      this.#clicked(at, element === this.#text.element);
    });
  }

  /** The pane that was clicked stays where it is; the other one shows the word. */
  async #clicked({ number, word }, isInText) {
    this.#mark(number, word);
    this.choose();
    const page = await this.#store.page(number);
    const place = page.words[word].place;
    this.#together.settle(number);
    if (isInText) this.#scan.reveal(page, word);
    else if (place) this.#text.reveal(number, ...place);
  }
}

function wordOf(target) {
  const { page, word } = target.closest("[data-word]")?.dataset ?? {};
  return word === undefined ? null : { number: Number(page), word: Number(word) };
}
