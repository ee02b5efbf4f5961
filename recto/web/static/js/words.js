/** The words and numbers that rows and the job page share with the templates. */

const STATUS = { QUEUED: "Waiting", IN_PROGRESS: "Reading", FINISHED: "Finished", FAILURE: "Failed" };

export const statusWord = ({ status, reason }) => (reason?.code === "cancelled" ? "Cancelled" : (STATUS[status] ?? status));

export const hasEnded = (job) => job.status === "FINISHED" || job.status === "FAILURE";

export function sizeWords(bytes) {
  if (bytes === 1) return "1 Byte";
  if (bytes < 1000) return `${bytes} Bytes`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = -1;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

export const kindWords = (job) => `${job.kind}, ${sizeWords(job.size_bytes)}`;

export function pageWords({ status, progress }) {
  const { pages_done: done, page_count: count, pages_failed: failed } = progress;
  if (count === null) return "";
  const pages = count === 1 ? "page" : "pages";
  if (status === "IN_PROGRESS") return `${done} of ${count} ${pages}`;
  if (status !== "FINISHED") return "";
  return `${count} ${pages}${failed > 0 ? `, ${failed} not read` : ""}`;
}
