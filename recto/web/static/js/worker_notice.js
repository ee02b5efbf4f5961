/** Says that no Worker is running, and takes it back, while the page is open. The first Worker brings its languages, without a reload. */

import { announce } from "./announce.js";
import { apiUrl, getJson } from "./server.js";
import { _ } from "./translate.js";

const LOOK_AGAIN_MS = { missing: 3000, running: 15000 };

/**
 * `onLanguages` is called when the languages field was replaced, where there is one; one that the reader has changed already is kept.
 * Ends when the notice is taken out of the page.
 */
export function watchWorker(onLanguages = () => {}) {
  const notice = document.getElementById("no-worker");
  const look = async () => {
    if (!notice.isConnected) return;
    if (!document.hidden) await update(notice, onLanguages);
    setTimeout(look, notice.hidden ? LOOK_AGAIN_MS.running : LOOK_AGAIN_MS.missing);
  };
  setTimeout(look, notice.hidden ? LOOK_AGAIN_MS.running : LOOK_AGAIN_MS.missing);
}

async function update(notice, onLanguages) {
  let isRunning;
  try {
    isRunning = (await getJson(apiUrl("languages"))).worker_running;
  } catch {
    return; // the long poll says that the connection is lost
  }
  if (notice.hidden === isRunning) return;
  notice.hidden = isRunning;
  announce(isRunning ? _("A Worker is running") : _("No Worker is running"));
  const field = document.querySelector("[data-languages]");
  const input = field?.querySelector("input:not([type=hidden])");
  const isUntouched = input?.name === "languages" && input.value === input.defaultValue;
  if (!isRunning || !isUntouched || field.contains(document.activeElement)) return;
  const fresh = await freshPage();
  if (!fresh) return;
  field.replaceWith(fresh.querySelector("[data-languages]"));
  onLanguages();
}

async function freshPage() {
  const response = await fetch(location.href).catch(() => null);
  if (!response?.ok) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.getElementById("upload") ? page : null;
}
