/** What this browser remembers between visits. Where it does not let pages remember, nothing is. */

const KEY = "recto.upload";

export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // storage is switched off, or holds something else
  }
}

export function remember(choices) {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // storage is switched off or full: the next visit begins with the usual choices
  }
}
