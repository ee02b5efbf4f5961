/** The bar below the list: shown while something is ticked, with how much it is. Without this module it is always there. */

import { ngettext } from "./translate.js";

const bar = document.getElementById("selection");
const list = document.getElementById("jobs");
const all = bar.querySelector('[data-part="all"]');
const boxes = () => Array.from(list.querySelectorAll('[data-part="pick"]'));

export function showSelection() {
  const ticked = boxes().filter((box) => box.checked).length;
  bar.hidden = ticked === 0;
  bar.querySelector('[data-part="count"]').textContent = ngettext("%(num)s selected", "%(num)s selected", ticked);
  all.checked = ticked === boxes().length;
  all.indeterminate = ticked > 0 && !all.checked;
}

export function keepSelection() {
  bar.querySelector(".selection-all").hidden = false;
  list.addEventListener("change", showSelection);
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    showSelection();
    if (bar.hidden) boxes()[0]?.focus();
  });
  addEventListener("pageshow", showSelection); // a browser that goes back keeps what was ticked
  showSelection();
}
