/** The page images: a sheet for each page, filled while it is near. */

import { sentenceOf } from "../server.js";
import { _ } from "../translate.js";
import { InView } from "./in_view.js";
import { Sheet } from "./sheet.js";

const ASSUMED = { widthPx: 2480, heightPx: 3508, dpi: 300 }; // A4, until a page is known
const SHARPEN_AFTER_MS = 180;
const TOO_COARSE = 1.02;
const TOO_FINE = 2.5;

export class ScanPane {
  #sheets = new Map();
  #filled = new Map();
  #store;
  #pictures;
  #assumed = null;
  #stage = "original";
  #widthOf;
  #later = 0;

  /** `preparation(number)`: sentences on what preprocessing did; `widthOf(shape)`: how wide a page is to be shown, in CSS pixels. */
  constructor(element, numbers, { store, pictures, preparation, widthOf }) {
    this.element = element;
    this.#store = store;
    this.#pictures = pictures;
    this.#widthOf = widthOf;
    for (const number of numbers) this.#sheets.set(number, new Sheet(number, preparation(number)));
    const stack = document.createElement("div");
    stack.className = "scan-stack";
    stack.append(...Array.from(this.#sheets.values(), (sheet) => sheet.element));
    element.append(stack);
    this.resize();
    this.inView = new InView(element, new Map(Array.from(this.#sheets, ([number, sheet]) => [number, sheet.element])), {
      margin: "150%",
      onNear: (number) => this.#fill(number),
      onFar: (number) => this.#empty(number),
    });
  }

  /** Is told the number of a page and the outlines of its words when they have been put there. */
  onWords = () => {};

  *shownWords() {
    for (const [number, sheet] of this.#sheets) if (sheet.words.length > 0) yield [number, sheet.words];
  }

  wordElement(number, word) {
    return this.#sheets.get(number)?.words[word];
  }

  /** {widthPx, heightPx, dpi} of a page, or what is taken for it until it is known. */
  shapeOf(number) {
    return this.#sheets.get(number).shape ?? this.#assumed ?? ASSUMED;
  }

  /** Gives every sheet its size; pictures follow when it has been left alone for a moment. */
  resize() {
    // All widths first: each asks how wide the pane is, which after a change of style costs a layout of all pages.
    const shapes = Array.from(this.#sheets, ([number, sheet]) => [sheet, this.shapeOf(number)]);
    const sizes = shapes.map(([sheet, shape]) => [sheet, shape, this.#widthOf(shape)]);
    for (const [sheet, shape, width] of sizes) sheet.resize(shape, width);
    clearTimeout(this.#later);
    this.#later = setTimeout(() => this.#sharpen(), SHARPEN_AFTER_MS);
  }

  setStage(stage) {
    this.#stage = stage;
    this.element.dataset.stage = stage;
    for (const number of [...this.#filled.keys()]) {
      this.#empty(number);
      this.#fill(number);
    }
  }

  /** Scrolls the word into view, on a page whose words are known. */
  reveal(page, word) {
    this.inView.reveal(this.#sheets.get(page.number).rectangleOf(page.words[word].quad, page));
  }

  /** Outlines the words of the page as they have become. */
  async renew(number) {
    const filled = this.#filled.get(number);
    if (filled) await this.#fillWords(number, filled.stop.signal);
  }

  #resizeSheet(number) {
    const shape = this.shapeOf(number);
    this.#sheets.get(number).resize(shape, this.#widthOf(shape));
  }

  #fill(number) {
    if (this.#filled.has(number)) return;
    const stop = new AbortController();
    const filled = { stop, file: null };
    this.#filled.set(number, filled);
    this.#fillWords(number, stop.signal);
    this.#fillPicture(number, filled);
  }

  async #fillWords(number, signal) {
    const sheet = this.#sheets.get(number);
    try {
      const page = await this.#store.page(number, signal);
      if (signal.aborted) return;
      this.#learnShape(page);
      if (this.#stage !== "original") return;
      sheet.showWords(page);
      this.onWords(number, sheet.words);
    } catch (error) {
      if (!signal.aborted) this.#sayFailed(_("The words of page %(number)s could not be shown.", { number }), number, error);
    }
  }

  async #fillPicture(number, filled) {
    const { signal } = filled.stop;
    const stage = this.#stage;
    try {
      filled.file = await this.#pictures.file(number, stage, signal);
      await this.#draw(number, filled, stage);
    } catch (error) {
      if (!signal.aborted) this.#sayFailed(_("The picture of page %(number)s could not be shown.", { number }), number, error);
    }
  }

  /** With a way to try again, but where the page has no such picture. */
  #sayFailed(what, number, error) {
    const again = () => {
      this.#empty(number);
      this.#fill(number);
    };
    this.#sheets.get(number).showNote(`${what} ${sentenceOf(error)}`, error.status === 422 ? null : again);
  }

  async #draw(number, filled, stage) {
    const sheet = this.#sheets.get(number);
    const { bitmap } = await this.#pictures.scaled(filled.file, this.#screenWidth(sheet));
    if (filled.stop.signal.aborted) bitmap.close();
    else sheet.showPicture(bitmap, stage);
  }

  #empty(number) {
    const filled = this.#filled.get(number);
    if (!filled) return;
    this.#filled.delete(number);
    filled.stop.abort(new DOMException("The page is no longer near", "AbortError"));
    const sheet = this.#sheets.get(number);
    sheet.clearPicture();
    sheet.clearWords();
  }

  #learnShape({ number, widthPx, heightPx, dpi }) {
    const sheet = this.#sheets.get(number);
    if (sheet.shape) return;
    sheet.shape = { widthPx, heightPx, dpi };
    if (this.#assumed) {
      this.#resizeSheet(number);
    } else {
      this.#assumed = sheet.shape;
      this.resize();
    }
  }

  /** Decodes the pictures in view anew that are shown much larger, or much smaller, than they were decoded for. */
  #sharpen() {
    for (const [number, filled] of this.#filled) {
      const sheet = this.#sheets.get(number);
      const has = sheet.pictureWidthPx;
      const wants = this.#screenWidth(sheet);
      if (!filled.file || has === 0 || (wants <= has * TOO_COARSE && has <= wants * TOO_FINE)) continue;
      this.#draw(number, filled, this.#stage).catch((error) => this.#sayFailed(_("The picture of page %(number)s could not be shown.", { number }), number, error));
    }
  }

  #screenWidth(sheet) {
    return Math.ceil(sheet.paper.clientWidth * Math.min(devicePixelRatio, 2)) || 1;
  }
}
