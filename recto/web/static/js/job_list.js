/** The list of jobs: rows are added, updated and removed as the server reports them. */

import { announce } from "./announce.js";
import { showProgress } from "./progress.js";
import { jobUrl, tagUrl, textUrl } from "./server.js";
import { showTimes } from "./times.js";
import { sentenceFor } from "./translate.js";
import { hasEnded, kindWords, pageWords, statusWord } from "./words.js";

const list = document.getElementById("jobs");
const isOlderPage = "older" in list.dataset;
const hasOlderPage = document.querySelector('a[rel="next"]') !== null;

const rowOf = (uuid) => Array.from(list.children).find((row) => row.dataset.uuid === uuid);
const createdOf = (row) => Date.parse(row.querySelector("time").dateTime);

export function showJob(job) {
  const existing = rowOf(job.uuid);
  if (existing) {
    if (Number(existing.dataset.change) <= job.change) fill(existing, job);
    return;
  }
  const row = document.getElementById("job-template").content.firstElementChild.cloneNode(true);
  fill(row, job);
  if (!place(row, Date.parse(job.created))) return;
  row.classList.add("arrived");
  showTimes(row);
  showEmptiness();
}

export function removeJob(uuid) {
  const row = rowOf(uuid);
  if (!row) return;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  if (row.contains(document.activeElement)) next?.querySelector(".job-name").focus();
  row.remove();
  showEmptiness();
}

/** Newest first. False where the job belongs to another page of the list. */
function place(row, created) {
  if (isOlderPage) return false;
  const before = Array.from(list.children).find((other) => createdOf(other) <= created);
  if (before) before.before(row);
  else if (hasOlderPage) return false;
  else list.append(row);
  return true;
}

function showEmptiness() {
  document.getElementById("empty").hidden = list.children.length > 0;
}

function fill(row, job) {
  const part = (name) => row.querySelector(`[data-part="${name}"]`);
  if (hasEnded(job) && row.dataset.uuid && row.dataset.status !== job.status) {
    announce(`${job.file_name}: ${statusWord(job)}`);
  }
  Object.assign(row.dataset, { uuid: job.uuid, status: job.status, change: job.change });
  row.querySelector("time").dateTime = job.created;
  part("pick").value = job.uuid;
  part("pick-name").textContent = job.file_name;
  part("name").textContent = job.file_name;
  part("name").href = jobUrl(job.uuid);
  part("tags").replaceChildren(...job.tags.map(tagItem));
  part("kind").textContent = kindWords(job);
  part("status").textContent = statusWord(job);
  part("pages").textContent = pageWords(job);
  if (hasEnded(job)) part("outlook").textContent = "";
  part("reason").textContent = job.reason ? sentenceFor(job.reason) : "";
  part("reason").hidden = !job.reason;
  part("get").href = textUrl(job.uuid);
  part("get").hidden = job.status !== "FINISHED";
  part("get-name").textContent = job.file_name;
  showProgress(part("progress"), job);
}

function tagItem(tag) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = tagUrl(tag);
  link.textContent = tag;
  item.append(link);
  return item;
}

/** Rows drawn by the server hold a plain bar; this gives them their leaves. */
export function dressRows() {
  for (const row of list.children) {
    const bar = row.querySelector("progress");
    const known = bar.hasAttribute("value");
    const progress = { pages_done: bar.value, page_count: known ? bar.max : null };
    showProgress(row.querySelector('[data-part="progress"]'), { status: row.dataset.status, progress });
  }
}
