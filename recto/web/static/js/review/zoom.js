/** How large the page images are shown: fitted to the pane, or a share of their size on paper. */

const CSS_PX_PER_INCH = 96;
const STEPS = [0.25, 0.33, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];
const LEAST = STEPS[0];
const MOST = STEPS.at(-1);
const MARGIN_PX = 32;
const CAPTION_PX = 56;
const WHEEL_SPEED = 0.0022;

export class Zoom {
  #pane;
  #resize;
  #mode = "width";
  #turned = 0;
  #frame = 0;
  #onChange;

  /** `resize()` gives the sheets their new sizes; `onChange(mode, percent)` hears how large they are. */
  constructor(pane, { resize, onChange }) {
    this.#pane = pane;
    this.#resize = resize;
    this.#onChange = onChange;
    new ResizeObserver(() => pane.clientWidth > 0 && typeof this.#mode === "string" && this.#apply(this.#mode)).observe(pane);
    this.#listen();
  }

  /** CSS pixels for a page of that shape. */
  widthOf({ widthPx, heightPx, dpi }) {
    if (typeof this.#mode === "number") return (widthPx / dpi) * CSS_PX_PER_INCH * this.#mode;
    const width = Math.max(80, this.#pane.clientWidth - MARGIN_PX);
    if (this.#mode === "width") return width;
    const height = Math.max(80, this.#pane.clientHeight - CAPTION_PX);
    return Math.min(width, (height * widthPx) / heightPx);
  }

  /** `mode`: "width", "page", or a factor. */
  set(mode, point = this.#middle()) {
    this.#apply(typeof mode === "number" ? Math.min(MOST, Math.max(LEAST, mode)) : mode, point);
  }

  step(direction) {
    const now = this.#factor();
    const next = direction > 0 ? STEPS.find((step) => step > now * 1.01) : STEPS.findLast((step) => step < now * 0.99);
    if (next) this.set(next);
  }

  /** The factor that the page in the middle is shown at, also where it is fitted. */
  #factor() {
    if (typeof this.#mode === "number") return this.#mode;
    const { sheet } = this.#under(this.#middle());
    const shape = this.shapeOf(Number(sheet.dataset.page));
    return sheet.querySelector(".paper").clientWidth / ((shape.widthPx / shape.dpi) * CSS_PX_PER_INCH);
  }

  /** Is given a page's number, answers with its shape. */
  shapeOf = () => null;

  #apply(mode, point = this.#middle()) {
    const held = this.#under(point);
    this.#mode = mode;
    this.#resize();
    if (held) this.#hold(held, point);
    this.#onChange(mode, Math.round(100 * this.#factor()));
  }

  #middle() {
    const { left, top, width, height } = this.#pane.getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  }

  /** The sheet at a point of the window, or the nearest below, and where on it the point is. */
  #under({ x, y }) {
    const sheets = this.#pane.querySelectorAll(".scan");
    let low = 0;
    let high = sheets.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sheets[middle].getBoundingClientRect().bottom < y) low = middle + 1;
      else high = middle;
    }
    const { left, top, width, height } = sheets[low].querySelector(".paper").getBoundingClientRect();
    return { sheet: sheets[low], x: (x - left) / width, y: (y - top) / height };
  }

  /** Scrolls so that the same place of the sheet is at the point again. */
  #hold(held, { x, y }) {
    const { left, top, width, height } = held.sheet.querySelector(".paper").getBoundingClientRect();
    this.#pane.scrollLeft += left + held.x * width - x;
    this.#pane.scrollTop += top + held.y * height - y;
  }

  #listen() {
    this.#pane.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    const pinch = new Pinch((scale, point) => this.set(this.#factor() * scale, point));
    for (const type of ["touchstart", "touchmove", "touchend", "touchcancel"]) {
      this.#pane.addEventListener(type, (event) => pinch.hear(event), { passive: false });
    }
  }

  #onWheel(event) {
    if (!event.ctrlKey) return; // a touchpad's pinch comes as this, too
    event.preventDefault();
    this.#turned += event.deltaY;
    if (this.#frame) return;
    const point = { x: event.clientX, y: event.clientY };
    this.#frame = requestAnimationFrame(() => {
      this.set(this.#factor() * Math.exp(-this.#turned * WHEEL_SPEED), point);
      this.#turned = 0;
      this.#frame = 0;
    });
  }
}

/** Two fingers: says by how much they have parted since it last said so, and the point between them. */
class Pinch {
  #distance = 0;
  #onPinch;

  constructor(onPinch) {
    this.#onPinch = onPinch;
  }

  hear(event) {
    if (event.touches.length !== 2) {
      this.#distance = 0;
      return;
    }
    event.preventDefault();
    const [one, other] = event.touches;
    const distance = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const point = { x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2 };
    if (this.#distance > 0 && event.type === "touchmove") this.#onPinch(distance / this.#distance, point);
    this.#distance = distance;
  }
}
