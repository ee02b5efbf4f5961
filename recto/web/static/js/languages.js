/** Turns the multiple select, awkward on a phone and blind to order, into chips and an "add" select. */

const FOUND_OUT = "auto";

export function languageChooser(field) {
  const select = field.querySelector("select");
  if (!select) {
    const input = field.querySelector("input");
    return () => input.value.trim();
  }
  const labels = new Map(Array.from(select.options, (option) => [option.value, option.text]));
  let chosen = Array.from(select.selectedOptions, (option) => option.value);

  const chips = document.createElement("ul");
  chips.className = "chips";
  chips.setAttribute("aria-label", "Chosen languages");
  select.before(chips);
  select.multiple = false;
  select.removeAttribute("size");
  select.removeAttribute("name");

  const change = (codes) => {
    chosen = codes;
    chips.replaceChildren(...chosen.map((code) => chip(code, labels.get(code), remove)));
    const rest = Array.from(labels).filter(([code]) => !chosen.includes(code));
    const prompt = new Option(chosen.length > 0 ? "Add a language…" : "Choose a language…", "", true, true);
    select.replaceChildren(prompt, ...rest.map(([code, label]) => new Option(label, code)));
    select.disabled = rest.length === 0;
  };
  const remove = (code) => {
    change(chosen.filter((other) => other !== code));
    (chips.querySelector("button") ?? select).focus();
  };
  select.addEventListener("change", () => {
    if (select.value) change(joined(chosen, select.value));
  });
  change(chosen);
  return () => chosen.join("+");
}

/** Languages that are found out stand alone. */
const joined = (codes, added) => (added === FOUND_OUT ? [added] : [...codes.filter((code) => code !== FOUND_OUT), added]);

function chip(code, label, remove) {
  const item = document.getElementById("chip-template").content.firstElementChild.cloneNode(true);
  item.querySelector('[data-part="label"]').textContent = label;
  item.querySelector('[data-part="remove-name"]').textContent = `Remove ${label}`;
  item.querySelector('[data-part="remove"]').addEventListener("click", () => remove(code));
  return item;
}
