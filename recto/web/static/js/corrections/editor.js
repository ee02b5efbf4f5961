/** The field in which a word, or its line, is typed anew: beside the word, and at the foot of a small screen. */

import { _ } from "../translate.js";

const GAP_PX = 6;

export class Editor {
  #onSave;
  #onStep;
  #form = null;
  #at = null;
  #isLine = false;
  #isBusy = false;
  #from = null;

  /** `onSave(typed)` gives whether it stands now; `onStep(typed, 1 or -1)` saves and goes on. `typed`: see #typed. */
  constructor({ onSave, onStep }) {
    this.#onSave = onSave;
    this.#onStep = onStep;
    for (const type of ["scroll", "resize"]) addEventListener(type, () => this.#place(), { capture: true, passive: true });
  }

  get isOpen() {
    return this.#form !== null;
  }

  isAt(number, word) {
    return this.isOpen && this.#at.number === number && this.#at.word === word;
  }

  /** `at`: {number, word, text, line, lineText, element}; `element()` gives what shows the word. */
  open(at) {
    this.#from ??= document.activeElement;
    this.#at = at;
    if (!this.#form) this.#build();
    this.mark();
    this.#show(false);
  }

  /** The reader goes on at the word, or at `to`. */
  close(to = null) {
    if (!this.#form) return;
    const { element } = this.#at;
    const form = this.#form;
    this.#form = null;
    form.remove();
    document.querySelectorAll(".is-corrected-now").forEach((marked) => marked.classList.remove("is-corrected-now"));
    const [word, from] = [element(), this.#from];
    this.#from = null;
    if (to) return;
    word.focus({ preventScroll: true });
    if (document.activeElement !== word) from?.focus({ preventScroll: true }); // a word that takes no focus: back to where the reader was
  }

  complain(sentence) {
    const problem = this.#form.querySelector("[data-correction='problem']");
    problem.textContent = sentence;
    problem.hidden = false;
    this.#place();
  }

  get #typed() {
    const { number, word, line, text, lineText } = this.#at;
    const typed = this.#input.value;
    return { number, word, line, isLine: this.#isLine, text: typed, isChanged: typed.trim() !== (this.#isLine ? lineText : text) };
  }

  get #input() {
    return this.#form.querySelector("input");
  }

  #build() {
    const content = document.getElementById("correction-editor").content.cloneNode(true);
    this.#form = content.querySelector("form");
    document.body.append(content);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    this.#form.addEventListener("keydown", (event) => this.#onKey(event));
    this.#form.addEventListener("focusout", ({ relatedTarget }) => this.#onLeave(relatedTarget));
    this.#form.querySelector("[data-correction='cancel']").addEventListener("click", () => this.close());
    this.#form.querySelector("[data-correction='line']").addEventListener("click", () => this.#show(!this.#isLine));
  }

  #show(isLine) {
    this.#isLine = isLine;
    this.#form.querySelector("[data-correction='problem']").hidden = true;
    const { number, text } = this.#at;
    this.#form.querySelector("label").textContent = isLine
      ? _("The line of “%(text)s” on page %(number)s, typed anew", { text, number })
      : _("“%(text)s” on page %(number)s, typed anew", { text, number });
    this.#form.querySelector("[data-correction='line']").setAttribute("aria-pressed", String(isLine));
    this.#input.value = isLine ? this.#at.lineText : this.#at.text;
    this.#form.classList.toggle("is-line", isLine);
    this.#place();
    this.#input.focus({ preventScroll: true });
    this.#input.select();
    this.#uncover();
  }

  async #save() {
    const at = this.#at;
    await this.#busy(async () => {
      const isSaved = await this.#onSave(this.#typed);
      if (isSaved && this.#at === at) this.close(); // else the reader has gone on to another word
    });
  }

  #onKey(event) {
    const act = {
      Escape: () => this.close(),
      Tab: () => this.#busy(() => this.#onStep(this.#typed, event.shiftKey ? -1 : 1)),
      ArrowDown: () => !this.#isLine && this.#show(true),
      ArrowUp: () => this.#isLine && this.#show(false),
    }[event.key];
    if (!act || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** Who goes on elsewhere is done: what was typed is kept. */
  #onLeave(to) {
    if (!this.#form || this.#isBusy || !document.hasFocus() || this.#form.contains(to)) return;
    if (this.#typed.isChanged) this.#save();
    else this.close(to);
  }

  async #busy(action) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await action();
    } finally {
      this.#isBusy = false;
    }
  }

  /** Marks the word where it stands now. */
  mark() {
    if (!this.#form) return;
    document.querySelectorAll(".is-corrected-now").forEach((marked) => marked.classList.remove("is-corrected-now"));
    const element = this.#at.element();
    element.classList.add("is-corrected-now");
    element.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.#place();
  }

  /** At the foot of a small screen the field would hide a word that stands there. */
  #uncover() {
    const element = this.#at.element();
    const [word, form] = [element.getBoundingClientRect(), this.#form.getBoundingClientRect()];
    const isAside = word.right < form.left || word.left > form.right;
    if (!isAside && word.bottom > form.top && word.top < form.bottom) element.scrollIntoView({ block: "center", inline: "nearest" });
  }

  /** Below the word, or above it where there is no room. The style sheet takes over on a small screen. */
  #place() {
    if (!this.#form) return;
    const word = this.#at.element().getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.#form;
    const { offsetWidth: pageWidth } = document.documentElement; // without the scroll bar's gutter, which `innerWidth` counts
    const isBelow = word.bottom + GAP_PX + height <= innerHeight;
    const top = isBelow ? word.bottom + GAP_PX : Math.max(GAP_PX, word.top - GAP_PX - height);
    this.#form.style.setProperty("--left", `${Math.max(GAP_PX, Math.min(word.left, pageWidth - width - GAP_PX))}px`);
    this.#form.style.setProperty("--top", `${Math.min(top, innerHeight - height - GAP_PX)}px`);
  }
}
