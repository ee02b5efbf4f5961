/** The elements that show the words of a page, and changing them where they stand. */

/** Of several that show the word, one with its letters. */
export function elementOf(root, number, word) {
  const shown = Array.from(root.querySelectorAll(`[data-page="${number}"][data-word="${word}"]`));
  return shown.find((element) => element instanceof HTMLElement) ?? shown[0];
}

/** Makes the elements that show `before` show `after`: only the words between the first and the last that differ are touched. */
export function changeWords(root, before, after) {
  const elements = elementsOf(root, before.number);
  const [old, now] = [textsOf(before), textsOf(after)];
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  let same = 0;
  while (same < Math.min(old.length, now.length) - start && old.at(-1 - same) === now.at(-1 - same)) same += 1;
  const [gone, come] = [old.slice(start, old.length - same), now.slice(start, now.length - same)];
  if (gone.length === come.length) come.forEach((text, index) => show(elements.get(start + index), text));
  else replaceWords(elements, start, gone.length, come);
  if (old.length !== now.length) renumber(elements, old.length - same, now.length - old.length);
}

function elementsOf(root, number) {
  const shown = Array.from(root.querySelectorAll(`[data-page="${number}"][data-word]`));
  const letters = shown.filter((element) => element instanceof HTMLElement);
  return new Map(letters.map((element) => [Number(element.dataset.word), element]));
}

const textsOf = (page) => page.words.map(({ text }) => text);

function show(element, text) {
  if (!element) return; // the page shows no such word, or not yet
  element.textContent = text;
  element.dataset.corrected = "";
}

/** `count` words from `start` on give way to others, the first in its own element. Where none went, the others come after the word before. */
function replaceWords(elements, start, count, texts) {
  const pattern = elements.get(start) ?? elements.get(start - 1);
  if (!pattern) return;
  const keeps = count > 0 && texts.length > 0;
  if (keeps) show(pattern, texts[0]);
  const fresh = texts.slice(keeps ? 1 : 0).map((text, index) => {
    const element = pattern.cloneNode(false);
    element.dataset.word = start + index + (keeps ? 1 : 0);
    show(element, text);
    return element;
  });
  const place = count > 0 ? pattern : (elements.get(start - 1) ?? pattern);
  place.after(...fresh.flatMap((element) => [" ", element]));
  for (let index = start + (keeps ? 1 : 0); index < start + count; index += 1) remove(elements.get(index), index > start);
}

function remove(element, isSpaced) {
  const before = element?.previousSibling;
  if (isSpaced && before?.nodeType === Node.TEXT_NODE && before.data === " ") before.remove();
  element?.remove();
}

function renumber(elements, from, by) {
  for (const [index, element] of elements) {
    if (index >= from && element.isConnected) element.dataset.word = index + by;
  }
}
