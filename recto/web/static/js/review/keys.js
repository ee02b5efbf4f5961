/** Single keys, while nothing is being typed. A reader who dictates can switch them off (WCAG 2.1.4). */

import { kept, keep } from "./preferences.js";

/** `actions`: functions by the value of `event.key`. Enter waits for the step before it, so that it acts on the word that step leads to. */
export function listenToKeys(root, part, actions) {
  const isOn = part("keys-on");
  isOn.checked = kept("keys", "on") === "on";
  isOn.addEventListener("change", () => keep("keys", isOn.checked ? "on" : "off"));
  const stop = new AbortController();
  let step = Promise.resolve();
  document.addEventListener(
    "keydown",
    (event) => {
      if (!root.isConnected) stop.abort();
      const isTyped = event.target.closest("input, select, textarea, dialog, [contenteditable]");
      const isElsewhere = event.target !== document.body && !root.contains(event.target);
      const act = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!isOn.checked || !act || isTyped || isElsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Enter" && event.target.closest("button, a, summary")) return;
      event.preventDefault();
      if (event.key === "Enter") step.finally(act);
      else step = Promise.resolve(act());
    },
    { signal: stop.signal },
  );
}
