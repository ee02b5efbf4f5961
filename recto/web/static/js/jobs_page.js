import { followChanges, showConnection } from "./changes.js";
import { acceptDrops } from "./drop.js";
import { dressRows, removeJob, showJob } from "./job_list.js";
import { watchOutlooks } from "./list_outlooks.js";
import { acceptPastes } from "./paste.js";
import { keepSelection, showSelection } from "./selection.js";
import { UploadOptions } from "./upload_options.js";
import { Uploads } from "./uploads.js";
import { watchWorker } from "./worker_notice.js";

const form = document.getElementById("upload");
const picker = document.getElementById("document");
const chooseButton = form.querySelector("[data-choose]");
const photographButton = form.querySelector("[data-photograph]");
const photograph = document.getElementById("photograph");

const options = new UploadOptions(form);
const limits = { bytes: Number(form.dataset.maxBytes), words: form.dataset.maxWords };
const uploads = new Uploads(document.getElementById("uploads"), limits, form.dataset.kindUrl, showJob);
const upload = (files) => {
  if (files.length > 0) uploads.add(files, options.take());
};

picker.hidden = true;
form.querySelector("[data-without-script]").hidden = true;
form.querySelector(".drop-words").hidden = false;
chooseButton.hidden = false;
chooseButton.addEventListener("click", () => picker.click());
photographButton.hidden = false;
photographButton.addEventListener("click", () => photograph.click());
const uploadPicked = (input) => {
  upload(Array.from(input.files));
  input.value = "";
};
for (const input of [picker, photograph]) {
  input.addEventListener("change", () => uploadPicked(input));
  uploadPicked(input); // what was picked while this module was on its way
}
form.addEventListener("submit", (event) => event.preventDefault());
acceptDrops(upload);
acceptPastes(upload);
watchWorker(() => options.takeLanguages());

dressRows();
keepSelection();
watchOutlooks();
followChanges(Number(document.getElementById("jobs").dataset.change), {
  onChange: ({ jobs, deleted }) => {
    jobs.forEach(showJob);
    deleted.forEach(removeJob);
    showSelection();
  },
  onConnection: (state) => showConnection(document.getElementById("live"), state),
});
