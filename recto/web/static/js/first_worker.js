/** The page may be open before a Worker is. Once one reports, its languages come and the notice goes, without a reload. */

import { announce } from "./announce.js";

const LOOK_AGAIN_MS = 3000;

/** `onLanguages` is called when the languages field was replaced; one that the reader has changed already is kept. */
export function awaitWorker(onLanguages) {
  const notice = document.getElementById("no-worker");
  if (!notice) return;
  const timer = setInterval(async () => {
    if (document.hidden) return;
    const fresh = await freshPage();
    if (!fresh || fresh.getElementById("no-worker")) return;
    clearInterval(timer);
    notice.remove();
    announce("A Worker is running");
    const field = document.querySelector("[data-languages]");
    const input = field.querySelector("input");
    if (!input || input.value !== input.defaultValue || field.contains(document.activeElement)) return;
    field.replaceWith(fresh.querySelector("[data-languages]"));
    onLanguages();
  }, LOOK_AGAIN_MS);
}

async function freshPage() {
  try {
    const response = await fetch(location.href);
    if (!response.ok) return null;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.getElementById("upload") ? page : null;
  } catch {
    return null; // the long poll says that the connection is lost
  }
}
