/** One page of the scan: a caption, and a sheet of the page's proportions that gets its picture and the outlines of its words. */

import { _ } from "../translate.js";

const SVG = "http://www.w3.org/2000/svg";
const SHOWN = {
  original: (number) => _("Page %(number)s as it was uploaded", { number }),
  preprocessed: (number) => _("Page %(number)s as the engine saw it", { number }),
};
const WIDENED_BY = 0.14;

export class Sheet {
  #number;
  #paper = document.createElement("div");
  #canvas = null;
  #outlines = null;
  #note = null;
  shape = null;
  element = document.createElement("figure");
  words = [];

  /** `sentences`: what preprocessing did. */
  constructor(number, sentences) {
    this.#number = number;
    this.element.className = "scan";
    this.element.dataset.page = number;
    const caption = document.createElement("figcaption");
    const name = document.createElement("strong");
    name.textContent = _("Page %(number)s", { number });
    const done = document.createElement("span");
    done.className = "preparation";
    done.textContent = ` ${sentences.join(" ")}`;
    caption.append(name, done);
    this.#paper.className = "paper";
    this.element.append(caption, this.#paper);
  }

  get paper() {
    return this.#paper;
  }

  /** The width of the picture in pixels of the screen, as far as one is shown. */
  get pictureWidthPx() {
    return this.#canvas?.width ?? 0;
  }

  /** `shape`: {widthPx, heightPx, dpi} of the page, or what is taken for it; `widthCss`: how wide it is to be shown. */
  resize(shape, widthCss) {
    const style = this.#paper.style;
    style.width = `${widthCss}px`;
    style.height = `${(widthCss * shape.heightPx) / shape.widthPx}px`;
  }

  showPicture(bitmap, stage) {
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext("bitmaprenderer").transferFromImageBitmap(bitmap);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", SHOWN[stage](this.#number));
    if (this.#canvas) this.#canvas.replaceWith(canvas);
    else this.#paper.prepend(canvas);
    this.#canvas = canvas;
    this.clearNote();
  }

  clearPicture() {
    this.#canvas?.remove();
    this.#canvas = null;
    this.clearNote();
  }

  showWords(page) {
    this.clearWords();
    const outlines = document.createElementNS(SVG, "svg");
    outlines.setAttribute("viewBox", `0 0 ${page.widthPx} ${page.heightPx}`);
    outlines.setAttribute("preserveAspectRatio", "none");
    outlines.setAttribute("aria-hidden", "true"); // the text beside it has the same words
    outlines.classList.add("outlines");
    const drawn = page.words.map((word, index) => outline(page.number, word, index));
    this.words = drawn.map(({ polygon }) => polygon);
    outlines.append(...this.words, ...drawn.filter(({ line }) => line.dataset.level !== "sure").map(({ line }) => line));
    this.#outlines = outlines;
    this.#paper.append(outlines);
  }

  clearWords() {
    this.#outlines?.remove();
    this.#outlines = null;
    this.words = [];
  }

  /** A sentence on the sheet, with a button where trying again may help. */
  showNote(sentence, again) {
    this.clearNote();
    this.#note = document.createElement("div");
    this.#note.className = "paper-note";
    const words = document.createElement("p");
    words.textContent = sentence;
    this.#note.append(words);
    if (again) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      button.textContent = _("Try again");
      button.addEventListener("click", again);
      this.#note.append(button);
    }
    this.#paper.append(this.#note);
  }

  clearNote() {
    this.#note?.remove();
    this.#note = null;
  }

  /** Where a quad of the page is in the window. */
  rectangleOf(quad, shape) {
    const paper = this.#paper.getBoundingClientRect();
    const scale = paper.width / shape.widthPx;
    const xs = quad.map(([x]) => paper.left + x * scale);
    const ys = quad.map(([, y]) => paper.top + y * scale);
    return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  }
}

/** The word's outline, a little larger than its letters, and the line under it that shows how sure the engine is. */
function outline(number, { quad, level }, index) {
  const corners = widened(quad);
  const polygon = document.createElementNS(SVG, "polygon");
  polygon.setAttribute("points", pointsOf(corners));
  polygon.setAttribute("class", "outline");
  polygon.dataset.page = number;
  polygon.dataset.word = index;
  polygon.dataset.level = level;
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", pointsOf([corners[3], corners[2]]));
  line.setAttribute("class", "level-line");
  line.dataset.level = level;
  return { polygon, line };
}

const pointsOf = (corners) => corners.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

/** The quad with every side moved outwards by a share of its height. */
function widened([topLeft, topRight, bottomRight, bottomLeft]) {
  const [acrossX, acrossY] = unit(topLeft, topRight);
  const [downX, downY] = unit(topLeft, bottomLeft);
  const by = WIDENED_BY * Math.hypot(bottomLeft[0] - topLeft[0], bottomLeft[1] - topLeft[1]);
  const moved = ([x, y], across, down) => [x + by * (across * acrossX + down * downX), y + by * (across * acrossY + down * downY)];
  return [moved(topLeft, -1, -1), moved(topRight, 1, -1), moved(bottomRight, 1, 1), moved(bottomLeft, -1, 1)];
}

function unit([fromX, fromY], [toX, toY]) {
  const length = Math.hypot(toX - fromX, toY - fromY) || 1;
  return [(toX - fromX) / length, (toY - fromY) / length];
}
