/** The sentences of templates/_corrections.html, with their {names} filled in. */

const sentences = new Map();

export function say(name, values = {}) {
  if (sentences.size === 0) {
    for (const line of document.getElementById("correction-words").content.children) sentences.set(line.dataset.say, line.textContent);
  }
  return sentences.get(name).replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
