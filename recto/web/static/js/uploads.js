/** The uploads of this page: two at a time, each with its progress, and what is wrong said beside the file. */

import { announce } from "./announce.js";
import { kindObjection } from "./kind_check.js";
import { sendDocument } from "./transfer.js";
import { _, numberWords } from "./translate.js";

const AT_ONCE = 2;

export class Uploads {
  #waiting = [];
  #running = 0;

  /** `limits` is {bytes, words}; `kindUrl` is asked about each file first; `onJob` gets every job that the server accepted. */
  constructor(list, limits, kindUrl, onJob) {
    this.list = list;
    this.limits = limits;
    this.kindUrl = kindUrl;
    this.onJob = onJob;
  }

  add(files, options) {
    for (const file of files) {
      const item = uploadItem(file);
      this.list.append(item.element);
      const wrong = this.#objection(file);
      if (wrong) item.fail(wrong, null);
      else this.#queue({ file, options, item });
    }
  }

  #objection(file) {
    if (file.size === 0) return _("The file is empty. Choose another one.");
    if (file.size > this.limits.bytes) {
      return _("The file is too large: this server takes up to %(size)s. Split it, or scan at a lower resolution.", {
        size: this.limits.words,
      });
    }
    return null;
  }

  #queue(upload) {
    upload.item.wait();
    this.#waiting.push(upload);
    upload.item.onDismiss = () => (this.#waiting = this.#waiting.filter((other) => other !== upload));
    this.#next();
  }

  #next() {
    while (this.#running < AT_ONCE && this.#waiting.length > 0) this.#run(this.#waiting.shift());
  }

  async #run(upload) {
    const { file, options, item } = upload;
    const stop = new AbortController();
    item.onDismiss = () => stop.abort();
    this.#running += 1;
    try {
      const wrong = await kindObjection(this.kindUrl, file, stop.signal);
      if (wrong) {
        if (!stop.signal.aborted) item.fail(wrong, null);
        return;
      }
      const job = await sendDocument(file, options, { onProgress: (share) => item.progress(share), signal: stop.signal });
      item.element.remove();
      announce(_("%(name)s: uploaded", { name: file.name }));
      this.onJob(job);
    } catch (error) {
      if (error.name !== "AbortError") item.fail(error.message, mayRetry(error) ? () => this.#queue(upload) : null);
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }
}

const mayRetry = ({ status }) => status === 0 || status === 429 || status >= 500;

/** The row of one upload and what it can show. */
function uploadItem(file) {
  const element = document.getElementById("upload-template").content.firstElementChild.cloneNode(true);
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  const item = { element, onDismiss: () => {} };
  part("name").textContent = file.name;
  const withName = _("with %(name)s", { name: file.name });
  part("retry-name").textContent = ` ${withName}`;
  part("progress").setAttribute("aria-label", _("Upload of %(name)s", { name: file.name }));
  part("dismiss").addEventListener("click", () => {
    item.onDismiss();
    const other = element.nextElementSibling ?? element.previousElementSibling;
    (other?.querySelector('[data-part="dismiss"]') ?? document.querySelector("[data-choose]")).focus();
    element.remove();
  });
  const stop = _("Stop the upload of %(name)s", { name: file.name });
  const show = (state, dismissWords) => {
    part("state").textContent = state;
    part("dismiss-name").textContent = dismissWords;
  };
  item.wait = () => {
    part("problem").textContent = "";
    part("retry").hidden = true;
    part("progress").hidden = false;
    part("progress").value = 0;
    show(_("Waiting"), stop);
  };
  item.progress = (share) => {
    if (share < 1) part("progress").value = share;
    else part("progress").removeAttribute("value");
    show(share < 1 ? _("%(percent)s %%", { percent: numberWords(Math.floor(share * 100)) }) : _("Storing…"), stop);
  };
  item.fail = (detail, retry) => {
    item.onDismiss = () => {};
    part("progress").hidden = true;
    part("problem").textContent = detail;
    part("retry").hidden = !retry;
    part("retry").onclick = retry;
    show(_("Not uploaded"), _("Dismiss %(name)s", { name: file.name }));
  };
  return item;
}
