/** Pictures of pages, decoded and brought to the size they are shown in by a worker, so that scrolling never waits for it. */

import { apiUrl, problemFrom } from "../server.js";
import { NearestFirst } from "./nearest_first.js";

const AT_ONCE = 2; // the server makes so many at a time
const WAIT_S = 25;

export class Pictures {
  #uuid;
  #queue;
  #worker = new Worker(new URL("picture_worker.js", import.meta.url), { type: "module" });
  #answers = new Map();
  #count = 0;

  /** What `mayBegin` forbids is put off: the server makes every picture that was asked for, also for who has scrolled on. */
  constructor(uuid, centre, mayBegin) {
    this.#uuid = uuid;
    this.#queue = new NearestFirst(AT_ONCE, centre, mayBegin);
    this.#worker.addEventListener("message", ({ data }) => {
      const { resolve, reject } = this.#answers.get(data.id);
      this.#answers.delete(data.id);
      if (data.bitmap) resolve(data);
      else reject(new Error(data.error));
    });
  }

  /** The file as a Blob; waits for one that is being made. */
  file(number, stage, signal) {
    return this.#queue.run(number, () => this.#fetch(number, stage, signal), signal);
  }

  /** {bitmap, widthPx}: at most `widthPx` wide and never wider than the file. */
  scaled(blob, widthPx) {
    this.#count += 1;
    const id = this.#count;
    this.#worker.postMessage({ id, blob, widthPx });
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  async #fetch(number, stage, signal) {
    const url = apiUrl(`jobs/${this.#uuid}/pages/${number}/image?stage=${stage}&wait=${WAIT_S}`);
    for (;;) {
      signal.throwIfAborted();
      const response = await fetch(url, { signal });
      if (response.status === 202) {
        await new Promise((resolve) => setTimeout(resolve, 1000 * Number(response.headers.get("Retry-After") ?? 1)));
        continue;
      }
      if (!response.ok) throw problemFrom(response.status, await response.text());
      return response.blob();
    }
  }
}
