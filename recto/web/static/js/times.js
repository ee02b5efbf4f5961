/** Times as people say them, in the reader's own time zone. */

import { _, locale } from "./translate.js";

const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const STEPS = [
  [60, "second", 1],
  [3600, "minute", 60],
  [86_400, "hour", 3600],
  [604_800, "day", 86_400],
];

function relativeWords(moment) {
  const seconds = (moment - Date.now()) / 1000;
  if (Math.abs(seconds) < 20) return _("just now");
  for (const [below, unit, size] of STEPS) {
    if (Math.abs(seconds) < below) return relative.format(Math.round(seconds / size), unit);
  }
  return short.format(moment);
}

export function showTimes(root = document) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = Date.parse(element.dateTime);
    if (Number.isNaN(moment)) continue;
    element.textContent = element.dataset.when === "exact" ? exact.format(moment) : relativeWords(moment);
    element.title = exact.format(moment);
  }
}

export function keepTimes() {
  showTimes();
  setInterval(() => showTimes(), 20_000);
}
