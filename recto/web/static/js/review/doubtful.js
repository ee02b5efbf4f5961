/** The doubtful words of all pages, stepped through in reading order or from the most doubtful on. */

import { _, ngettext, numberWords } from "../translate.js";
import { percentWords } from "./percent.js";

const LISTED = 200;

export class Doubtful {
  #part;
  #numbers;
  #store;
  #current;
  #where;
  #found = new Map();
  #isLooking = false;

  /** `current`: the CurrentWord; `where()`: the page in view. */
  constructor(part, { numbers, store, current, where }) {
    this.#part = part;
    this.#numbers = numbers;
    this.#store = store;
    this.#current = current;
    this.#where = where;
    part("doubtful-open").addEventListener("click", () => this.#toggle());
    part("doubtful-order").addEventListener("change", () => this.#show());
    part("next-doubtful").addEventListener("click", () => this.step(1));
    part("previous-doubtful").addEventListener("click", () => this.step(-1));
    part("doubtful-list").addEventListener("click", (event) => {
      const { page, index } = event.target.closest("button")?.dataset ?? {};
      if (page) this.#current.goTo(Number(page), Number(index));
    });
  }

  /** The next (1) or the previous (-1) one; after the last comes the first. Pages are looked through on the way. */
  async step(direction) {
    const next = this.#inDoubtOrder ? await this.#nextByDoubt(direction) : await this.#nextByReading(direction);
    if (next) await this.#current.goTo(next.number, next.word);
    this.#show();
  }

  /** Of a page that has become another. */
  async renew(number) {
    if (!this.#found.delete(number)) return;
    await this.#look(number);
    this.#show();
  }

  get #inDoubtOrder() {
    return this.#part("doubtful-order").value === "doubt";
  }

  async #nextByReading(direction) {
    const at = this.#current.at ?? { number: this.#where(), word: direction > 0 ? -1 : Infinity };
    const start = this.#numbers.indexOf(at.number);
    const count = this.#numbers.length;
    for (let away = 0; away <= count; away += 1) {
      const number = this.#numbers[(((start + direction * away) % count) + count) % count];
      const words = await this.#look(number);
      const rest = away > 0 ? words : words.filter(({ word }) => direction * (word - at.word) > 0);
      const next = direction > 0 ? rest[0] : rest.at(-1);
      if (next) return next;
    }
    return null;
  }

  async #nextByDoubt(direction) {
    await this.#lookThrough();
    const words = this.#ordered();
    const { number, word } = this.#current.at ?? {};
    const at = words.findIndex((one) => one.number === number && one.word === word);
    if (at < 0) return words[0];
    return words[(at + direction + words.length) % words.length];
  }

  /** The doubtful words of a page: [{number, word, text, confidence}]. */
  async #look(number) {
    if (!this.#found.has(number)) {
      const { words } = await this.#store.page(number);
      const doubtful = words.map(({ text, confidence, level }, word) => ({ number, word, text, confidence, level }));
      this.#found.set(number, doubtful.filter(({ level }) => level === "doubtful"));
    }
    return this.#found.get(number);
  }

  #toggle() {
    const panel = this.#part("doubtful");
    panel.hidden = !panel.hidden;
    this.#part("doubtful-open").setAttribute("aria-expanded", String(!panel.hidden));
    this.#show();
    if (!panel.hidden) this.#lookThrough();
  }

  /** All pages, one after another, so that what the reader looks at comes first. */
  async #lookThrough() {
    if (this.#isLooking) await this.#isLooking;
    this.#isLooking = this.#lookThroughOnce();
    await this.#isLooking;
  }

  async #lookThroughOnce() {
    for (const number of this.#numbers) {
      if (this.#found.has(number)) continue;
      try {
        await this.#look(number);
      } catch {
        this.#part("doubtful-count").textContent = _("Page %(number)s could not be looked through", { number });
        return;
      }
      if (number % 5 === 0) this.#show();
    }
    this.#show();
  }

  #ordered() {
    const words = [...this.#found.values()].flat();
    const byPlace = (one, other) => one.number - other.number || one.word - other.word;
    return words.sort(this.#inDoubtOrder ? (one, other) => one.confidence - other.confidence || byPlace(one, other) : byPlace);
  }

  #show() {
    if (this.#part("doubtful").hidden) return;
    const words = this.#ordered();
    this.#part("doubtful-count").textContent = this.#countWords(words.length);
    const { number, word } = this.#current.at ?? {};
    const isCurrent = (one) => one.number === number && one.word === word;
    const at = Math.max(0, words.findIndex(isCurrent));
    const first = Math.max(0, Math.min(at - LISTED / 2, words.length - LISTED));
    const shown = words.slice(first, first + LISTED).map((one) => item(one, isCurrent(one)));
    if (words.length > LISTED) shown.push(rest(words.length - LISTED));
    const list = this.#part("doubtful-list");
    const { scrollTop } = list;
    list.replaceChildren(...shown);
    list.scrollTop = scrollTop;
    const marked = list.querySelector("[aria-current]");
    if (marked) list.scrollTop += marked.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 2;
  }

  #countWords(count) {
    const done = this.#found.size;
    if (done < this.#numbers.length) {
      const values = { count: numberWords(count), done: numberWords(done) };
      return ngettext(
        "%(count)s so far, %(done)s of %(num)s page looked through",
        "%(count)s so far, %(done)s of %(num)s pages looked through",
        this.#numbers.length,
        values,
      );
    }
    return count === 0 ? _("No doubtful word") : ngettext("%(num)s found", "%(num)s found", count);
  }
}

function item({ number, word, text, confidence }, isCurrent) {
  const line = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.page = number;
  button.dataset.index = word;
  if (isCurrent) button.setAttribute("aria-current", "true");
  const letters = document.createElement("strong");
  letters.textContent = text;
  const where = document.createElement("span");
  where.textContent = _("page %(number)s, %(percent)s", { number, percent: percentWords(confidence) });
  button.append(letters, " ", where);
  line.append(button);
  return line;
}

function rest(count) {
  const line = document.createElement("li");
  line.className = "hint";
  line.textContent = ngettext("and %(num)s more: step through them with N and P", "and %(num)s more: step through them with N and P", count);
  return line;
}
