/** Forms with data-in-place show their answer without a navigation, so that reloading the page does not send them again. */

import { announce } from "./announce.js";
import { enableCopyButtons } from "./copy.js";
import { showTimes } from "./times.js";

export function sendInPlace() {
  for (const form of document.querySelectorAll("form[data-in-place]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      show(form).catch(() => form.submit()); // the usual way says what is wrong
    });
  }
}

async function show(form) {
  const response = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = document.getElementById("main");
  main.replaceChildren(...page.getElementById("main").childNodes);
  enableCopyButtons(main);
  showTimes(main);
  sendInPlace();
  main.focus();
  announce(form.dataset.inPlace);
}
