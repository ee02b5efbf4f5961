/** Says in the list how long the jobs at the head of the queue still take. A few at a time: each asks the server. */

import { outlookWords } from "./outlook.js";
import { apiUrl, getJson } from "./server.js";

const EVERY_MS = 10_000;
const MOST = 5;

const rowsWith = (status) => Array.from(document.querySelectorAll(`.job[data-status="${status}"]`));
const sayIn = (row, words) => (row.querySelector('[data-part="outlook"]').textContent = words);

async function say(row) {
  const job = await getJson(apiUrl(`jobs/${row.dataset.uuid}`));
  sayIn(row, outlookWords(job));
}

/** The list is newest first, so those that are next stand last. */
const foremost = () => [...rowsWith("IN_PROGRESS").reverse(), ...rowsWith("QUEUED").reverse()].slice(0, MOST);

export function watchOutlooks() {
  const look = async () => {
    const asked = document.hidden ? [] : foremost();
    await Promise.allSettled(asked.map(say)); // the long poll says that the connection is lost
    setTimeout(look, EVERY_MS);
  };
  look();
}
