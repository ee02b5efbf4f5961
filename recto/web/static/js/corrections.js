/**
 * Correcting what was read: a word that is chosen is typed anew in place. Words are elements with data-page and data-word, the index in the
 * page's reading order; whoever shows them dispatches `recto:word` with {page, word, text} when one is chosen.
 *
 * Afterwards `recto:page-corrected` with {uuid, page, revision, json} tells whoever shows the page; who does not prevent its default has
 * the words changed where they stand; who does says `recto:page-shown` when the page stands again.
 */

import { announce } from "./announce.js";
import { CorrectedPages } from "./corrections/corrected_pages.js";
import { Editor } from "./corrections/editor.js";
import { changeWords, elementOf } from "./corrections/shown_words.js";
import { _ } from "./translate.js";

const CONFLICT = 409;

export function enableCorrections(root, uuid) {
  const corrections = new Corrections(root, uuid);
  root.addEventListener("recto:word", ({ detail }) => corrections.edit(detail));
  root.addEventListener("recto:page-shown", () => corrections.mark());
  document.addEventListener("keydown", (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    if (!isUndo || event.target.closest("input, textarea, select, [contenteditable]") || !corrections.canUndo) return;
    event.preventDefault();
    corrections.undo();
  });
}

class Corrections {
  #root;
  #uuid;
  #pages;
  #editor;
  #bar = document.getElementById("correction-undo");
  #undo = this.#bar.querySelector("[data-correction='undo']");
  #undoable = null;
  #saving = Promise.resolve(true);

  constructor(root, uuid) {
    this.#root = root;
    this.#uuid = uuid;
    this.#pages = new CorrectedPages(uuid);
    this.#editor = new Editor({ onSave: (typed) => this.#save(typed), onStep: (typed, by) => this.#step(typed, by) });
    this.#undo.addEventListener("click", () => this.undo());
    this.#bar.querySelector("[data-correction='close']").addEventListener("click", () => (this.#bar.hidden = true));
    if (root.dataset.taken) this.#offerUndo(Number(root.dataset.taken));
  }

  get canUndo() {
    return this.#undoable !== null;
  }

  /** Marks the word that is edited, in elements that have just been put there. */
  mark() {
    this.#editor.mark();
  }

  /** Opens the editor at a word, if it is still what the reader sees there. */
  async edit({ page: number, word, text }) {
    if (!(await this.#saving) && this.#editor.isOpen) return; // what could not be saved stays in the field
    if (this.#editor.isAt(number, word)) return;
    await this.#trying(async () => {
      const shown = this.#pages.peek(number);
      const page = await this.#pages.load(number);
      if (page.words[word]?.text !== text) {
        this.#tell(page, shown);
        this.#say(_("This page was corrected meanwhile. Load it again"));
        return;
      }
      this.#open(page, word);
    });
  }

  /** Takes back the latest correction of the page that was corrected last. */
  async undo() {
    const number = this.#undoable;
    await this.#trying(async () => {
      const isUndone = await this.#pages.undo(number);
      this.#undoable = isUndone ? number : null;
      if (isUndone) await this.#renew(number);
      this.#say(isUndone ? _("Undone") : _("There is nothing more to undo"), _("Undo one more"));
    });
  }

  /** Of a page that was read again just before this page was loaded. */
  #offerUndo(number) {
    this.#undoable = number;
    this.#say(_("Page %(number)s was read again", { number }));
  }

  #open(page, word) {
    const line = page.lines[page.words[word].line];
    const element = () => elementOf(this.#root, page.number, word) ?? this.#root;
    this.#editor.open({ number: page.number, word, text: page.words[word].text, line: page.words[word].line, lineText: line.text, element });
  }

  /** `typed`: {number, word, line, isLine, text, isChanged}. Gives whether it stands now. */
  async #save({ number, word, line, isLine, text }) {
    this.#saving = this.#trying(async () => {
      try {
        await this.#pages.correct(number, isLine ? { line, text } : { word, text });
      } catch (problem) {
        if (problem.status === CONFLICT) await this.#renew(number);
        throw problem;
      }
      await this.#renew(number);
      this.#undoable = number;
      this.#say(text.trim() ? _("Corrected: %(text)s", { text: text.trim() }) : _("Taken out"));
    });
    return this.#saving;
  }

  /** Saves what was typed, if anything was, and goes on to the next word (1) or the one before (-1). */
  async #step(typed, by) {
    const before = this.#pages.peek(typed.number);
    if (typed.isChanged && !(await this.#save(typed))) return;
    const page = this.#pages.peek(typed.number);
    const [first, count] = typed.isLine ? placeOf(before, typed.line) : [typed.word, 1];
    const next = by < 0 ? first - 1 : first + count + page.words.length - before.words.length;
    if (page.words[next]) this.#open(page, next);
    else {
      this.#editor.close();
      announce(by < 0 ? _("This is the first word of the page") : _("This was the last word of the page"));
    }
  }

  /** Shows the page as it is now. */
  async #renew(number) {
    const shown = this.#pages.peek(number);
    this.#tell(await this.#pages.load(number), shown);
  }

  /** Tells whoever shows the page; `before` is what they show, undefined where that is not known. */
  #tell(page, before) {
    const detail = { uuid: this.#uuid, page: page.number, revision: page.revision, json: page.json };
    const event = new CustomEvent("recto:page-corrected", { bubbles: true, cancelable: true, detail });
    if (this.#root.dispatchEvent(event) && before) changeWords(this.#root, before, page);
  }

  #say(sentence, undoWords = _("Undo")) {
    this.#bar.hidden = false;
    this.#bar.querySelector("span").textContent = sentence;
    this.#undo.textContent = undoWords;
    this.#undo.hidden = !this.canUndo;
    announce(sentence);
  }

  /** Whether it went well. What went wrong is said in the editor where one is open, else in the bar. */
  async #trying(action) {
    try {
      await action();
      return true;
    } catch (problem) {
      if (this.#editor.isOpen) this.#editor.complain(problem.message);
      this.#say(problem.message);
      return false;
    }
  }
}

const placeOf = (page, line) => {
  const { first, count } = page.lines[line];
  return [first, count];
};
