/** Following one's jobs by long poll. */

import { apiUrl, getJson } from "./server.js";
import { _ } from "./translate.js";

const WAIT_S = 25;
const PAUSE_MS = 300;
const LONGEST_BACKOFF_MS = 30_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const whenVisible = () =>
  new Promise((resolve) => {
    if (!document.hidden) {
      resolve();
      return;
    }
    document.addEventListener("visibilitychange", resolve, { once: true });
  });

/**
 * Calls `onChange({jobs, deleted})` for everything that changes after `after`, until `signal` aborts.
 * `onConnection` hears "on", "off" and, as the last word, "signed-out". A hidden page asks nothing and catches up.
 */
export async function followChanges(after, { onChange, onConnection, signal }) {
  let failures = 0;
  while (!signal?.aborted) {
    await whenVisible();
    try {
      const answer = await ask(after, failures > 0 ? 0 : WAIT_S, signal); // after a failure, hear at once that all is well
      if (failures > 0) onConnection("on");
      failures = 0;
      if (answer === null) continue;
      after = answer.change;
      if (answer.jobs.length > 0 || answer.deleted.length > 0) onChange(answer);
      await pause(PAUSE_MS);
    } catch (error) {
      if (signal?.aborted) return;
      if (error.status === 401) {
        onConnection("signed-out");
        return;
      }
      failures += 1;
      if (failures > 1) onConnection("off");
      await pause(Math.min(1000 * 2 ** (failures - 1), LONGEST_BACKOFF_MS));
    }
  }
}

/** One held request; null when it was given up because the page was hidden. */
async function ask(after, wait, signal) {
  const held = new AbortController();
  const giveUp = () => held.abort();
  const onHidden = () => document.hidden && giveUp();
  document.addEventListener("visibilitychange", onHidden);
  signal?.addEventListener("abort", giveUp);
  try {
    return await getJson(apiUrl(`jobs?after=${after}&wait=${wait}`), held.signal);
  } catch (error) {
    if (held.signal.aborted && !signal?.aborted) return null;
    throw error;
  } finally {
    document.removeEventListener("visibilitychange", onHidden);
    signal?.removeEventListener("abort", giveUp);
  }
}

/** Says in `element` how the connection is; silent while all is well. */
export function showConnection(element, state) {
  const words = {
    on: "",
    off: _("Connection lost. Trying again…"),
    "signed-out": _("You are signed out. Reload the page to sign in again."),
  };
  element.textContent = words[state];
  element.hidden = state === "on";
}
