/** The pages of a job with their words, asked for once and let go of again when others were used since. */

import { apiUrl, getJson, problemFrom } from "../server.js";
import { levelOf } from "./levels.js";
import { NearestFirst } from "./nearest_first.js";
import { placeWords } from "./places.js";

const KEPT = 60;
const AT_ONCE = 3;

export class PageStore {
  #uuid;
  #texts;
  #queue;
  #kept = new Map();
  #asked = new Map();
  #forgotten = new Map();

  /** `texts`: what is known of the pages' texts, by their numbers; it grows. */
  constructor(uuid, texts, centre) {
    this.#uuid = uuid;
    this.#texts = texts;
    this.#queue = new NearestFirst(AT_ONCE, centre);
  }

  /** The page if it is at hand. */
  peek(number) {
    return this.#kept.get(number);
  }

  /**
   * {number, widthPx, heightPx, dpi, text, words: [{text, confidence, level, isCorrected, quad, place}]}; `place` is [start, end) in the
   * text, or null.
   */
  async page(number, signal) {
    const kept = this.#kept.get(number);
    if (kept) {
      this.#kept.delete(number);
      this.#kept.set(number, kept);
      return kept;
    }
    return shared(this.#asked, number, signal, (stopped) =>
      this.#queue.run(number, () => this.#fetch(number, stopped), stopped),
    );
  }

  /** The page has changed: it is asked for anew, also where it is on its way. */
  forget(number) {
    this.#kept.delete(number);
    this.#texts.delete(number);
    this.#forgotten.set(number, this.#timesForgotten(number) + 1);
  }

  /** The page's text, as result.txt has it. */
  async text(number, signal) {
    while (!this.#texts.has(number)) {
      const before = this.#timesForgotten(number);
      const response = await fetch(apiUrl(`jobs/${this.#uuid}/pages/${number}?format=txt`), { signal });
      const body = await response.text();
      if (!response.ok) throw problemFrom(response.status, body);
      if (this.#timesForgotten(number) === before) this.#texts.set(number, body.replace(/^\n+|\n+$/g, ""));
    }
    return this.#texts.get(number);
  }

  #timesForgotten(number) {
    return this.#forgotten.get(number) ?? 0;
  }

  async #fetch(number, signal) {
    const before = this.#timesForgotten(number);
    const [page, text] = await Promise.all([
      getJson(apiUrl(`jobs/${this.#uuid}/pages/${number}`), signal),
      this.text(number, signal),
    ]);
    if (this.#timesForgotten(number) !== before) return this.#fetch(number, signal);
    const read = page.blocks.flatMap((block) => block.lines.flatMap((line) => line.words));
    const places = placeWords(text, read.map((word) => word.text));
    const words = read.map(({ text: letters, confidence, corrected, quad }, index) => ({
      text: letters,
      confidence,
      level: levelOf(confidence),
      isCorrected: corrected === true,
      quad,
      place: places[index],
    }));
    const found = { number, widthPx: page.width_px, heightPx: page.height_px, dpi: page.dpi, text, words };
    this.#kept.set(number, found);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
    return found;
  }
}

/** One request for all who ask for the same; it is given up when none of them wants it any more. */
function shared(asked, key, signal, begin) {
  let one = asked.get(key);
  if (!one) {
    const stop = new AbortController();
    one = { stop, users: 0, promise: begin(stop.signal).finally(() => asked.get(key) === one && asked.delete(key)) };
    asked.set(key, one);
  }
  one.users += 1;
  signal?.addEventListener(
    "abort",
    () => {
      one.users -= 1;
      if (one.users > 0) return;
      if (asked.get(key) === one) asked.delete(key);
      one.stop.abort();
    },
    { once: true },
  );
  return one.promise;
}
