/** The pages as they are corrected: their words and lines, with the revision that a correction has to name. */

import { apiUrl, csrfToken, problemFrom } from "../server.js";

export class CorrectedPages {
  #uuid;
  #known = new Map();

  constructor(uuid) {
    this.#uuid = uuid;
  }

  /** What was loaded last. */
  peek(number) {
    return this.#known.get(number);
  }

  /** {number, revision, json, words: [{text, line}], lines: [{text, first, count}]}, as they are now. */
  async load(number) {
    const response = await this.#ask("GET", `${number}`);
    const json = await response.json();
    const page = { number, revision: revisionIn(response), json, ...wordsAndLines(json) };
    this.#known.set(number, page);
    return page;
  }

  /** `what`: {word, text} or {line, text}, of the page as it was loaded last. */
  async correct(number, what) {
    await this.#ask("POST", `${number}/corrections`, { revision: this.peek(number).revision, ...what });
  }

  /** Undoes the latest correction that stands; false where there is none. */
  async undo(number) {
    const { corrections } = await (await this.#ask("GET", `${number}/corrections`)).json();
    const latest = corrections.find(({ undone }) => undone === null);
    if (latest) await this.#ask("DELETE", `${number}/corrections/${latest.id}`);
    return Boolean(latest);
  }

  async #ask(method, path, body) {
    const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
    if (body) headers["Content-Type"] = "application/json";
    const address = apiUrl(`jobs/${this.#uuid}/pages/${path}`);
    const response = await fetch(address, { method, headers, body: body && JSON.stringify(body) }).catch(() => null);
    if (!response?.ok) throw problemFrom(response?.status ?? 0, (await response?.text()) ?? "");
    return response;
  }
}

/** A proxy that packs the answer makes the tag a weak one. */
const revisionIn = (response) => Number(/"(\d+)/.exec(response.headers.get("ETag"))[1]);

function wordsAndLines(json) {
  const words = [];
  const lines = json.blocks.flatMap((block) => block.lines).map((line, index) => {
    const first = words.length;
    words.push(...line.words.map(({ text }) => ({ text, line: index })));
    return { text: line.text, first, count: line.words.length };
  });
  return { words, lines };
}
