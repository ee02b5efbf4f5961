/** Which words are marked, on the image and in the text alike: also on pages that come into view later. */

export class Marks {
  #panes;
  #wordsOf = new Map();

  /** Each pane has `shownWords()`: entries of a page's number and the elements of its words. */
  constructor(...panes) {
    this.#panes = panes;
  }

  /** Gives the class to the words that `wordsOf(page number)` has: a Set of their indexes, or undefined. */
  set(className, wordsOf) {
    this.#wordsOf.set(className, wordsOf);
    for (const pane of this.#panes) {
      for (const [number, elements] of pane.shownWords()) mark(elements, className, wordsOf(number));
    }
  }

  /** For words that have just been put on a page. */
  dress(number, elements) {
    for (const [className, wordsOf] of this.#wordsOf) mark(elements, className, wordsOf(number));
  }
}

function mark(elements, className, words) {
  for (const [index, element] of elements.entries()) {
    if (!element) continue;
    const isMarked = words?.has(index) ?? false;
    if (element.classList.contains(className) !== isMarked) element.classList.toggle(className, isMarked);
  }
}
