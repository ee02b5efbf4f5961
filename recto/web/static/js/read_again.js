/** The form that has a document read again. */

import { languageChooser } from "./languages.js";

export function enableReadAgain() {
  const form = document.getElementById("again");
  if (!form) return;
  const languages = languageChooser(form.querySelector("[data-languages]"));
  form.addEventListener("formdata", (event) => event.formData.set("languages", languages()));
}
