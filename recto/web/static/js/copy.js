/** Buttons with data-copy="#id" copy the text of that element. */

import { announce } from "./announce.js";
import { _ } from "./translate.js";

export function enableCopyButtons(root = document) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    const words = button.querySelector("span");
    const usual = words.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const copied = await copy(textOf(document.querySelector(button.dataset.copy)));
      words.textContent = copied ? _("Copied") : _("Press Ctrl+C to copy");
      announce(words.textContent);
      setTimeout(() => (words.textContent = usual), 2500);
    });
  }
}

/** The recognised text without the headings between its pages; any other element's text as it stands. */
function textOf(element) {
  const pages = element.querySelectorAll(".text-page");
  if (pages.length === 0) return element.textContent;
  return Array.from(pages, (page) => page.querySelector("pre")?.textContent ?? "").join("\n\n");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Browsers offer navigator.clipboard on https and localhost only; a server in the house is often plain http. */
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.className = "sr-only";
  area.value = text;
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}
