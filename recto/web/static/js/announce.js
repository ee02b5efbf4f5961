/** What a screen reader is told when something changes on its own. */

const said = [];

export function announce(sentence) {
  const region = document.getElementById("announcer");
  said.push(sentence);
  region.textContent = said.join(". ");
  setTimeout(() => {
    said.shift();
    region.textContent = said.join(". ");
  }, 5000);
}
