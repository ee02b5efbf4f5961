/** Two panes that show the same place: the one that the reader moves leads, the other follows. */

export class Together {
  #panes;
  #leader;
  #frame = 0;
  #last = null;
  #onMove;

  /** `panes`: what has `element` and `inView`. `onMove({number, share})` hears where the reader is. */
  constructor(panes, onMove) {
    this.#panes = panes;
    this.#leader = panes[0];
    this.#onMove = onMove;
    for (const pane of panes) {
      for (const type of ["wheel", "pointerdown", "touchstart", "keydown", "focusin"]) {
        pane.element.addEventListener(type, () => (this.#leader = pane), { passive: true });
      }
      pane.element.addEventListener("scroll", () => pane === this.#leader && this.#soon(), { passive: true });
    }
  }

  /** Where the reader is. */
  get number() {
    return this.#last?.number ?? null;
  }

  /** The beginning of a page, in both. */
  goToPage(number) {
    this.settle(number);
    for (const pane of this.#panes) pane.inView.goToTop(number);
  }

  /** Both panes are brought to that page by other means: none leads until the reader moves one. */
  settle(number) {
    this.#leader = null;
    this.#last = { number, share: 0 };
    this.#onMove(this.#last);
  }

  /** A pane that was hidden is shown: it goes to where the reader is. */
  catchUp(pane) {
    if (this.#last) pane.inView.goTo(this.#last);
    this.#leader = pane;
  }

  #soon() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const position = this.#leader?.inView.position();
      if (!position) return;
      this.#last = position;
      for (const pane of this.#panes) if (pane !== this.#leader) pane.inView.goTo(position);
      this.#onMove(position);
    });
  }
}
