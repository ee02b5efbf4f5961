/** The options beside the upload: what was chosen the last time is chosen again, but for what belongs to one document. */

import { remember, remembered } from "./choices.js";
import { languageChooser } from "./languages.js";

const KEPT = ["mode", "preprocess", "dedupe"];
const OF_ONE_DOCUMENT = ["pages", "password"];

export class UploadOptions {
  #form;
  #languages;

  constructor(form) {
    this.#form = form;
    const before = remembered();
    for (const name of KEPT) {
      const select = this.#field(name);
      if (Array.from(select.options, (option) => option.value).includes(before[name])) select.value = before[name];
      select.addEventListener("change", () => this.#keep());
    }
    form.querySelector("details").open = KEPT.some((name) => this.#field(name).selectedIndex > 0);
    this.takeLanguages();
  }

  /** Also when the field was drawn anew, because a Worker came. */
  takeLanguages() {
    const field = this.#form.querySelector("[data-languages]");
    this.#languages = languageChooser(field, { before: remembered().languages, onChange: () => this.#keep() });
  }

  /** As the API has them. Pages and password are forgotten: they belong to these documents, not to the next ones. */
  take() {
    const options = { languages: this.#languages() };
    for (const name of [...KEPT, ...OF_ONE_DOCUMENT]) options[name] = this.#field(name).value.trim();
    for (const name of OF_ONE_DOCUMENT) this.#field(name).value = "";
    return options;
  }

  #field(name) {
    return this.#form.elements[name];
  }

  #keep() {
    const choices = { languages: this.#languages() };
    for (const name of KEPT) choices[name] = this.#field(name).value;
    remember(choices);
  }
}
