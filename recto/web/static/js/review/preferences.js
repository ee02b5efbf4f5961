/** Choices of the reader that this browser remembers; where it does not let pages remember, they hold until the page is left. */

const choices = new Map();

export function kept(name, otherwise) {
  try {
    return localStorage.getItem(`recto.review.${name}`) ?? otherwise;
  } catch {
    return choices.get(name) ?? otherwise;
  }
}

export function keep(name, value) {
  choices.set(name, value);
  try {
    localStorage.setItem(`recto.review.${name}`, value);
  } catch {
    // storage is switched off: kept above until the page is left
  }
}
