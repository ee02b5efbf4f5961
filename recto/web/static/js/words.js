/** The words and numbers that rows and the job page share with the templates. */

import { _, locale, ngettext, numberWords } from "./translate.js";

const STATUS = { QUEUED: _("Waiting"), IN_PROGRESS: _("Reading"), FINISHED: _("Finished"), FAILURE: _("Failed") };
const size = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const statusWord = ({ status, reason }) => (reason?.code === "cancelled" ? _("Cancelled") : (STATUS[status] ?? status));

export const hasEnded = (job) => job.status === "FINISHED" || job.status === "FAILURE";

export function sizeWords(bytes) {
  if (bytes < 1000) return ngettext("%(num)s Byte", "%(num)s Bytes", bytes);
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = -1;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return _("%(value)s %(unit)s", { value: size.format(value), unit: units[unit] });
}

export const kindWords = (job) => `${job.kind}, ${sizeWords(job.size_bytes)}`;

export function pageWords({ status, progress }) {
  const { pages_done: done, page_count: count, pages_failed: failed } = progress;
  if (count === null) return "";
  if (status === "IN_PROGRESS") {
    return ngettext("%(done)s of %(num)s page", "%(done)s of %(num)s pages", count, { done: numberWords(done) });
  }
  if (status !== "FINISHED") return "";
  const pages = ngettext("%(num)s page", "%(num)s pages", count);
  return failed > 0 ? [pages, ngettext("%(num)s not read", "%(num)s not read", failed)].join(", ") : pages;
}
