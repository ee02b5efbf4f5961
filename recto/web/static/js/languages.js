/** Turns the multiple select, awkward on a phone and blind to order, into chips and an "add" select. */

import { _ } from "./translate.js";

const FOUND_OUT = "auto";

/**
 * `before` are codes joined by "+" to begin with, where all of them can still be chosen; `onChange` is called when a reader chooses.
 * Returns a function that gives the codes that are chosen, joined in the same way.
 */
export function languageChooser(field, { before = "", onChange = () => {} } = {}) {
  const select = field.querySelector("select");
  if (!select) {
    const input = field.querySelector("input");
    if (before && input.value === input.defaultValue) input.value = before;
    input.addEventListener("change", onChange);
    return () => input.value.trim();
  }
  const labels = new Map(Array.from(select.options, (option) => [option.value, option.text]));
  let chosen = Array.from(select.selectedOptions, (option) => option.value);

  const chips = document.createElement("ul");
  chips.className = "chips";
  chips.setAttribute("aria-label", _("Chosen languages"));
  select.before(chips);
  select.multiple = false;
  select.removeAttribute("size");
  select.removeAttribute("name");

  const change = (codes) => {
    chosen = codes;
    chips.replaceChildren(...chosen.map((code) => chip(code, labels.get(code), remove)));
    const rest = Array.from(labels).filter(([code]) => !chosen.includes(code));
    const prompt = new Option(chosen.length > 0 ? _("Add a language…") : _("Choose a language…"), "", true, true);
    select.replaceChildren(prompt, ...rest.map(([code, label]) => new Option(label, code)));
    select.disabled = rest.length === 0;
  };
  const choose = (codes) => {
    change(codes);
    onChange();
  };
  const remove = (code) => {
    choose(chosen.filter((other) => other !== code));
    (chips.querySelector("button") ?? select).focus();
  };
  select.addEventListener("change", () => {
    if (select.value) choose(joined(chosen, select.value));
  });
  const earlier = before.split("+").filter(Boolean);
  change(earlier.length > 0 && earlier.every((code) => labels.has(code)) ? earlier : chosen);
  return () => chosen.join("+");
}

/** Languages that are found out stand alone. */
const joined = (codes, added) => (added === FOUND_OUT ? [added] : [...codes.filter((code) => code !== FOUND_OUT), added]);

function chip(code, label, remove) {
  const item = document.getElementById("chip-template").content.firstElementChild.cloneNode(true);
  item.querySelector('[data-part="label"]').textContent = label;
  item.querySelector('[data-part="remove-name"]').textContent = _("Remove %(label)s", { label });
  item.querySelector('[data-part="remove"]').addEventListener("click", () => remove(code));
  return item;
}
