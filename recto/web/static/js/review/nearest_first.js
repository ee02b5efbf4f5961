/** Tasks of pages, a few at a time: of those that wait, the one whose page is nearest to where the reader is comes first. */

const LOOK_AGAIN_MS = 100;

export class NearestFirst {
  #waiting = new Set();
  #running = 0;
  #later = 0;
  #most;
  #centre;
  #mayBegin;

  /** `centre()` is the number of the page in view; while `mayBegin()` is false nothing new begins. */
  constructor(most, centre, mayBegin = () => true) {
    this.#most = most;
    this.#centre = centre;
    this.#mayBegin = mayBegin;
  }

  /** What `task()` resolves to. One that is aborted before its turn is never begun. */
  run(number, task, signal) {
    return new Promise((resolve, reject) => {
      const waiting = { number, task, resolve, reject };
      this.#waiting.add(waiting);
      signal?.addEventListener("abort", () => this.#waiting.delete(waiting) && reject(signal.reason), { once: true });
      this.#next();
    });
  }

  async #next() {
    if (this.#running >= this.#most || this.#waiting.size === 0) return;
    if (!this.#mayBegin()) {
      clearTimeout(this.#later);
      this.#later = setTimeout(() => this.#next(), LOOK_AGAIN_MS);
      return;
    }
    const centre = this.#centre();
    const distance = ({ number }) => Math.abs(number - centre);
    const chosen = [...this.#waiting].reduce((best, one) => (distance(one) < distance(best) ? one : best));
    this.#waiting.delete(chosen);
    this.#running += 1;
    try {
      chosen.resolve(await chosen.task());
    } catch (error) {
      chosen.reject(error);
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }
}
