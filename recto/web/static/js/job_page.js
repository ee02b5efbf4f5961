import { announce } from "./announce.js";
import { Arrivals } from "./arrivals.js";
import { followChanges, showConnection } from "./changes.js";
import { enableCopyButtons } from "./copy.js";
import { enableCorrections } from "./corrections.js";
import { outlookWords } from "./outlook.js";
import { showProgress } from "./progress.js";
import { enableReadAgain } from "./read_again.js";
import { startReview } from "./review/review.js";
import { apiUrl, getJson } from "./server.js";
import { showTimes } from "./times.js";
import { _ } from "./translate.js";
import { hasEnded, pageWords, statusWord } from "./words.js";
import { watchWorker } from "./worker_notice.js";

const OUTLOOK_EVERY_MS = 5000;

const page = document.getElementById("job");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const arrivals = new Arrivals(part("arriving"), page.dataset.uuid, () => (page.querySelector(".ghost").hidden = true));

function showRunning(job) {
  page.dataset.status = job.status;
  const reading = job.status === "IN_PROGRESS";
  part("status").textContent = statusWord(job);
  part("pages").textContent = pageWords(job);
  part("headline").textContent = reading ? _("Being read") : _("Waiting for a Worker");
  part("explain").textContent = reading
    ? _("Each page appears here as soon as it is read.")
    : _("The document is stored and is read when its turn comes.");
  showProgress(part("progress"), job);
  arrivals.look();
}

/**
 * The ended job as the server draws it, put in place without a reload. What a reader may be in the middle of, the opened
 * history or the question whether to delete, stays as it is.
 */
async function showEnded(job) {
  const response = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!response.ok || !fresh.getElementById("job")) {
    location.reload();
    return;
  }
  page.dataset.status = job.status;
  const at = arrivals.pageInView();
  const hadFocus = page.querySelector(".job-top").contains(document.activeElement);
  for (const changed of [".job-top", ".review", ".facts", ".again", ".prepared", ".history ol", ".confirm p"]) {
    page.querySelector(changed).replaceWith(fresh.querySelector(`#job ${changed}`));
  }
  if (hadFocus) page.querySelector(".back a").focus();
  document.title = fresh.title;
  review(at);
  showTimes(page);
  enableCopyButtons(page);
  enableReadAgain();
  announce(`${job.file_name}: ${statusWord(job)}`);
}

/** Where the browser cannot say that scripts run, the styles of the review do not hold: the text stays alone. */
function review(at) {
  const root = page.querySelector(".reviewable");
  if (root && matchMedia("(scripting: enabled)").matches) startReview(root, page.dataset.uuid, at);
}

function showDeleted() {
  showConnection(document.getElementById("live"), "on");
  part("headline").textContent = _("This document was deleted");
  part("explain").textContent = _("It was removed from another window.");
  part("progress").hidden = true;
  page.querySelector(".ghost").hidden = true;
  for (const gone of [".stop", ".confirm", ".outlook", "#no-worker"]) page.querySelector(gone).hidden = true;
  announce(part("headline").textContent);
}

/** Its place in the queue and the time left, until it has ended. */
async function watchOutlook() {
  const element = part("outlook");
  if (!element) return;
  if (!document.hidden) {
    const job = await getJson(apiUrl(`jobs/${page.dataset.uuid}`)).catch(() => null); // the long poll says that the connection is lost
    element.textContent = job ? outlookWords(job) : "";
  }
  setTimeout(watchOutlook, OUTLOOK_EVERY_MS);
}

function follow() {
  const stop = new AbortController();
  followChanges(Number(page.dataset.change), {
    signal: stop.signal,
    onConnection: (state) => showConnection(document.getElementById("live"), state),
    onChange: ({ jobs, deleted }) => {
      const job = jobs.findLast((changed) => changed.uuid === page.dataset.uuid);
      const gone = deleted.includes(page.dataset.uuid);
      if (gone || (job && hasEnded(job))) stop.abort();
      if (gone) showDeleted();
      else if (job && hasEnded(job)) showEnded(job);
      else if (job) showRunning(job);
    },
  });
}

enableCorrections(page, page.dataset.uuid);
if (page.dataset.status === "QUEUED" || page.dataset.status === "IN_PROGRESS") {
  const bar = page.querySelector("progress");
  const known = bar.hasAttribute("value");
  const progress = { pages_done: bar.value, page_count: known ? bar.max : null };
  showProgress(part("progress"), { status: page.dataset.status, progress });
  arrivals.look();
  follow();
  watchOutlook();
  watchWorker();
}

review();
enableReadAgain();
