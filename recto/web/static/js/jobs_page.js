import { followChanges, showConnection } from "./changes.js";
import { acceptDrops } from "./drop.js";
import { dressRows, removeJob, showJob } from "./job_list.js";
import { languageChooser } from "./languages.js";
import { keepSelection, showSelection } from "./selection.js";
import { Uploads } from "./uploads.js";
import { watchWorker } from "./worker_notice.js";

const form = document.getElementById("upload");
const picker = document.getElementById("document");
const chooseButton = form.querySelector("[data-choose]");

const chooser = () => languageChooser(form.querySelector("[data-languages]"));
let chosenLanguages = chooser();
const limits = { bytes: Number(form.dataset.maxBytes), words: form.dataset.maxWords };
const uploads = new Uploads(document.getElementById("uploads"), limits, showJob);
const valueOf = (id) => document.getElementById(id).value.trim();
const password = document.getElementById("password");
const upload = (files) => {
  const options = {
    languages: chosenLanguages(),
    pages: valueOf("pages"),
    mode: valueOf("mode"),
    preprocess: valueOf("preprocess"),
    password: password.value,
    dedupe: valueOf("dedupe"),
  };
  uploads.add(files, options);
  if (files.length > 0) password.value = ""; // it belongs to these documents, not to the next ones
};

picker.hidden = true;
form.querySelector("[data-without-script]").hidden = true;
form.querySelector(".drop-words").hidden = false;
chooseButton.hidden = false;
chooseButton.addEventListener("click", () => picker.click());
const uploadPicked = () => {
  upload(Array.from(picker.files));
  picker.value = "";
};
picker.addEventListener("change", uploadPicked);
uploadPicked(); // what was picked while this module was on its way
form.addEventListener("submit", (event) => event.preventDefault());
acceptDrops(upload);
watchWorker(() => (chosenLanguages = chooser()));

dressRows();
keepSelection();
followChanges(Number(document.getElementById("jobs").dataset.change), {
  onChange: ({ jobs, deleted }) => {
    jobs.forEach(showJob);
    deleted.forEach(removeJob);
    showSelection();
  },
  onConnection: (state) => showConnection(document.getElementById("live"), state),
});
