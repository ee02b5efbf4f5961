/** The text of a running job's pages, each as soon as it is read. Whoever hears of the job's progress calls `look`. */

import { apiUrl, getJson, problemFrom } from "./server.js";
import { _, sentenceFor } from "./translate.js";

const LISTED = 1000;

export class Arrivals {
  #element;
  #uuid;
  #shown = new Map();
  #complete = 0;
  #looking = null;
  #isAskedAgain = false;
  #onFirst;

  /** `element` gets a section for each page; `onFirst` is called before the first of them. */
  constructor(element, uuid, onFirst) {
    this.#element = element;
    this.#uuid = uuid;
    this.#onFirst = onFirst;
  }

  /** Shows what has been read since. Calls that come meanwhile are answered by one more look. */
  look() {
    if (this.#looking) {
      this.#isAskedAgain = true;
      return;
    }
    this.#looking = this.#lookOnce()
      .catch((error) => console.warn(error.message)) // the next page's arrival asks again
      .then(() => {
        this.#looking = null;
        if (this.#isAskedAgain) this.look();
      });
  }

  /** The number of the topmost page in view; null before any is there. */
  pageInView() {
    const numbers = [...this.#shown.keys()].sort((one, other) => one - other);
    return numbers.find((number) => this.#shown.get(number).getBoundingClientRect().bottom > 0) ?? null;
  }

  async #lookOnce() {
    this.#isAskedAgain = false;
    for (const page of await this.#ended()) {
      if (!this.#element.isConnected) return;
      if (!this.#shown.has(page.number)) await this.#show(page);
    }
    while (this.#shown.has(this.#complete + 1)) this.#complete += 1;
  }

  /** Pages end in any order: those behind the last number before which none is missing. */
  async #ended() {
    const pages = [];
    let after = this.#complete;
    for (;;) {
      const answer = await getJson(apiUrl(`jobs/${this.#uuid}/pages?limit=${LISTED}&after=${after}`));
      pages.push(...answer.pages);
      if (!answer.next) return pages;
      after = answer.pages.at(-1).number;
    }
  }

  async #show({ number, status, warnings }) {
    const text = status === "READ" ? await this.#text(number) : "";
    const section = document.getElementById("arriving-page").content.cloneNode(true).firstElementChild;
    const [title, pre, hint] = section.children;
    title.textContent = _("Page %(number)s", { number });
    pre.textContent = text.replace(/^\n+|\n+$/g, "");
    if (status !== "READ") hint.textContent = sentenceFor(warnings[0]);
    (pre.textContent ? hint : pre).remove();
    if (this.#shown.size === 0) this.#onFirst();
    const next = [...this.#shown.keys()].filter((shown) => shown > number);
    this.#element.insertBefore(section, next.length > 0 ? this.#shown.get(Math.min(...next)) : null);
    this.#shown.set(number, section);
  }

  async #text(number) {
    const response = await fetch(apiUrl(`jobs/${this.#uuid}/pages/${number}?format=txt`));
    const body = await response.text();
    if (!response.ok) throw problemFrom(response.status, body);
    return body;
  }
}
