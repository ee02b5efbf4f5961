/** Keeps what is going on now up to date: the parts with data-live are taken from the page as the server draws it anew. */

import { showConnection } from "./changes.js";
import { showTimes } from "./times.js";

const EVERY_MS = 5000;
const parts = document.querySelectorAll("[data-live]");

async function refresh() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (response.status === 401 || response.redirected) return "signed-out";
  if (!response.ok) return "off";
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of parts) {
    const fresh = page.getElementById(part.id);
    if (!fresh || part.contains(document.activeElement)) continue;
    showTimes(fresh);
    part.replaceChildren(...fresh.childNodes);
  }
  return "on";
}

async function look() {
  const state = document.hidden ? "on" : await refresh().catch(() => "off");
  showConnection(document.getElementById("live"), state);
  if (state !== "signed-out") setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
