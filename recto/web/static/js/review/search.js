/** Search in the text of all pages, also of those that are not loaded. */

import { announce } from "../announce.js";
import { sentenceOf } from "../server.js";
import { _, numberWords } from "../translate.js";
import { findIn, fold } from "./folding.js";

const TYPING_PAUSE_MS = 150;

export class Search {
  #part;
  #numbers;
  #texts;
  #store;
  #marks;
  #show;
  #where;
  #folded = new Map();
  #hits = [];
  #at = -1;
  #later = 0;
  #stop = null;

  /** `texts`: the known texts by page number; `show(number, [start, end))` brings a place into view; `where()` is the page in view. */
  constructor(part, { numbers, texts, store, marks, show, where }) {
    this.#part = part;
    this.#numbers = numbers;
    this.#texts = texts;
    this.#store = store;
    this.#marks = marks;
    this.#show = show;
    this.#where = where;
    part("query").addEventListener("input", () => {
      clearTimeout(this.#later);
      this.#later = setTimeout(() => this.#search(), TYPING_PAUSE_MS);
    });
    part("query").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.shiftKey) {
        event.preventDefault();
        this.step(-1);
      }
    });
    part("find").addEventListener("submit", (event) => {
      event.preventDefault();
      this.step(1);
    });
    part("previous-hit").addEventListener("click", () => this.step(-1));
  }

  /** Shows what a search over all documents has found in this one: `hits` as {number, start, end, letters}, in order. */
  begin(given, hits) {
    if (hits.length === 0) return;
    this.#part("query").value = given;
    this.#hits = hits;
    this.#showFirst();
  }

  step(direction) {
    if (this.#hits.length === 0) return;
    this.#at = (this.#at + direction + this.#hits.length) % this.#hits.length;
    this.#showAt();
  }

  /** Of a page that has become another, the hits stay whose letters are still there. */
  async renew(number) {
    this.#folded.delete(number);
    if (this.#hits.every((hit) => hit.number !== number)) return;
    const text = await this.#store.text(number);
    const now = this.#hits[this.#at];
    let from = 0;
    this.#hits = this.#hits.filter((hit) => {
      if (hit.number !== number) return true;
      const start = text.indexOf(hit.letters, from);
      if (start < 0) return false;
      from = start + hit.letters.length;
      Object.assign(hit, { start, end: from });
      return true;
    });
    this.#at = Math.max(this.#hits.indexOf(now), Math.min(0, this.#hits.length - 1));
    this.#mark();
    this.#count(false);
  }

  /** Marks hits on a page whose words have become known. */
  #mark() {
    const byPage = Map.groupBy(this.#hits, (hit) => hit.number);
    this.#marks.set("is-hit", (number) => this.#wordsAt(number, byPage.get(number) ?? []));
    const now = this.#hits[this.#at];
    this.#marks.set("is-hit-now", (number) => this.#wordsAt(number, now?.number === number ? [now] : []));
  }

  #wordsAt(number, hits) {
    const page = hits.length > 0 ? this.#store.peek(number) : null;
    if (!page) return undefined;
    const words = new Set();
    for (const [index, { place }] of page.words.entries()) {
      if (place && hits.some(({ start, end }) => place[0] < end && place[1] > start)) words.add(index);
    }
    return words;
  }

  async #search() {
    this.#stop?.abort();
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const query = fold(this.#part("query").value.trim()).folded;
    this.#hits = [];
    this.#at = -1;
    for (const number of query ? this.#numbers : []) {
      if (!this.#texts.has(number)) {
        this.#count(true);
        await this.#store.text(number, signal).catch((error) => signal.aborted || announce(sentenceOf(error)));
        if (signal.aborted) return;
      }
      for (const [start, end] of findIn(this.#foldedText(number), query)) {
        this.#hits.push({ number, start, end, letters: this.#texts.get(number).slice(start, end) });
      }
    }
    if (this.#hits.length > 0) {
      this.#showFirst();
    } else {
      this.#mark();
      this.#count(false);
    }
  }

  /** The first one from the page in view on. */
  #showFirst() {
    this.#at = Math.max(0, this.#hits.findIndex((hit) => hit.number >= this.#where()));
    this.#showAt();
  }

  #foldedText(number) {
    if (!this.#folded.has(number)) this.#folded.set(number, fold(this.#texts.get(number) ?? ""));
    return this.#folded.get(number);
  }

  #showAt() {
    const { number, start, end } = this.#hits[this.#at];
    this.#mark();
    this.#count(false);
    this.#show(number, start, end);
  }

  #count(isSearching) {
    const count = this.#hits.length;
    const query = this.#part("query").value.trim();
    let words = query ? _("Not found") : "";
    if (isSearching) words = `${numberWords(count)}…`;
    else if (count > 0) words = _("%(at)s of %(count)s", { at: numberWords(this.#at + 1), count: numberWords(count) });
    this.#part("hits").textContent = words;
    for (const name of ["previous-hit", "next-hit"]) this.#part(name).disabled = count === 0;
  }
}
