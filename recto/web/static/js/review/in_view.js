/** The pages of a scrolled pane: which are near enough to be loaded, which are in view, and where the reader is. */

const READING_LINE = 1 / 3; // of the pane's height: what stands there is what the reader reads
const RUSH_PX_PER_MS = 1.5;
const RUSH_ENDS_MS = 150;

export class InView {
  #scroller;
  #elements;
  #numbers;
  #near = new Set();
  #speed = { at: 0, top: 0, pxPerMs: 0 };

  /** `elements`: by page number, in order. `onNear` and `onFar` hear numbers; near is within `margin` of the pane's height, such as "150%". */
  constructor(scroller, elements, { margin, onNear, onFar }) {
    this.#scroller = scroller;
    this.#elements = elements;
    this.#numbers = [...elements.keys()];
    const numbers = new Map(Array.from(elements, ([number, element]) => [element, number]));
    const near = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) this.#setNear(numbers.get(target), isIntersecting, onNear, onFar);
      },
      { root: scroller, rootMargin: `${margin} 0px` },
    );
    for (const element of elements.values()) near.observe(element);
    scroller.addEventListener("scroll", (event) => this.#noteSpeed(event.timeStamp), { passive: true });
  }

  get near() {
    return this.#near;
  }

  /** Whether pages fly past, so that what is near now will not be for long. */
  get isRushing() {
    return performance.now() - this.#speed.at < RUSH_ENDS_MS && this.#speed.pxPerMs > RUSH_PX_PER_MS;
  }

  /** {number, share}: the page at the reading line, and how much of it is above. Null where nothing is laid out. */
  position() {
    const pane = this.#scroller.getBoundingClientRect();
    if (pane.height === 0) return null;
    const line = pane.top + pane.height * READING_LINE;
    let low = 0;
    let high = this.#numbers.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rectangle(middle).bottom > line) high = middle;
      else low = middle + 1;
    }
    const { top, height } = this.#rectangle(low);
    return { number: this.#numbers[low], share: Math.min(1, Math.max(0, (line - top) / height)) };
  }

  /** Scrolls so that this place is at the reading line. */
  goTo({ number, share }) {
    const pane = this.#scroller.getBoundingClientRect();
    const { top, height } = this.#elements.get(number).getBoundingClientRect();
    this.#scroller.scrollTop += top + height * share - pane.top - pane.height * READING_LINE;
  }

  /** Scrolls so that the page begins at the top. */
  goToTop(number) {
    const { top } = this.#elements.get(number).getBoundingClientRect();
    this.#scroller.scrollTop += top - this.#scroller.getBoundingClientRect().top - 8;
  }

  /** Scrolls as little as brings the rectangle, in the window's pixels, well into view. */
  reveal(rectangle) {
    const pane = this.#scroller.getBoundingClientRect();
    if (pane.height === 0) return;
    const edgeX = Math.min(48, pane.width / 4);
    const edgeY = Math.min(96, pane.height / 4);
    if (rectangle.top < pane.top + edgeY || rectangle.bottom > pane.bottom - edgeY) {
      this.#scroller.scrollTop += (rectangle.top + rectangle.bottom) / 2 - (pane.top + pane.bottom) / 2;
    }
    if (rectangle.left < pane.left + edgeX || rectangle.right > pane.right - edgeX) {
      this.#scroller.scrollLeft += (rectangle.left + rectangle.right) / 2 - (pane.left + pane.right) / 2;
    }
  }

  #rectangle(index) {
    return this.#elements.get(this.#numbers[index]).getBoundingClientRect();
  }

  #noteSpeed(at) {
    const top = this.#scroller.scrollTop;
    const pxPerMs = Math.abs(top - this.#speed.top) / Math.max(1, at - this.#speed.at);
    this.#speed = { at, top, pxPerMs };
  }

  #setNear(number, isNear, onNear, onFar) {
    if (this.#near.has(number) === isNear) return;
    this.#near[isNear ? "add" : "delete"](number);
    (isNear ? onNear : onFar)(number);
  }
}
