/** The page image beside its text: what a finished document's page becomes where scripts run. */

import { showCorrections } from "./corrected.js";
import { CurrentWord } from "./current_word.js";
import { Doubtful } from "./doubtful.js";
import { enableDragging } from "./dragging.js";
import { listenToKeys } from "./keys.js";
import { Marks } from "./marks.js";
import { PageStore } from "./page_store.js";
import { percentWords } from "./percent.js";
import { Pictures } from "./pictures.js";
import { keep, kept } from "./preferences.js";
import { ScanPane } from "./scan_pane.js";
import { Search } from "./search.js";
import { copyTextAlone } from "./selected_text.js";
import { emptySection, TextPane } from "./text_pane.js";
import { Together } from "./together.js";
import { Zoom } from "./zoom.js";

/** Begins the review in `root`, an element .reviewable of templates/job.html, for that job; at the page `at`, or the one in the address. */
export function startReview(root, uuid, at = null) {
  const part = (name) => root.querySelector(`[data-review="${name}"]`);
  const preparations = document.querySelectorAll(".prepared li[data-page]");
  const steps = new Map(Array.from(preparations, (item) => [Number(item.dataset.page), sentencesOf(item)]));
  const numbers = [...steps.keys()];
  const sections = sectionsOf(root, numbers);
  const texts = textsOf(root, sections);
  const found = marksIn(sections);
  for (const name of ["scan", "tools", "sides", "correct-hint"]) part(name).hidden = false;
  part("texts").tabIndex = 0; // it scrolls now, so keys must reach it

  let together = null;
  const where = () => together?.number ?? numbers[0];
  const store = new PageStore(uuid, texts, where);
  const zoom = new Zoom(part("scans"), { resize: () => scan.resize(), onChange: (mode, percent) => showZoom(part("zoom"), mode, percent) });
  const scan = new ScanPane(part("scans"), numbers, {
    store,
    pictures: new Pictures(uuid, where, () => !scan.inView?.isRushing),
    preparation: (number) => steps.get(number),
    widthOf: (shape) => zoom.widthOf(shape),
  });
  zoom.shapeOf = (number) => scan.shapeOf(number);
  const text = new TextPane(part("texts"), sections, { store });
  const marks = new Marks(scan, text);
  scan.onWords = text.onWords = (number, elements) => marks.dress(number, elements);
  const pageFields = [part("page"), ...document.querySelectorAll("[data-page-in-view]")];
  together = new Together([scan, text], ({ number }) => pageFields.forEach((field) => showPageNumber(field, number)));
  const current = new CurrentWord(root, { uuid, numbers, scan, text, store, marks, together });
  const show = (number, start, end) => showPlace({ number, start, end }, { scan, text, store, together });
  const search = new Search(part, { numbers, texts, store, marks, show, where });
  const doubtful = new Doubtful(part, { numbers, store, current, where });

  showCorrections(root.closest("#job"), { store, panes: [scan, text], lists: [search, doubtful] });
  enableDragging(part("scans"));
  copyTextAlone(part("texts"));
  offerPages(part, numbers, together);
  offerZoom(part, zoom);
  const turnStage = offerStage(part, scan);
  const turnLevels = offerLevels(root, part);
  offerSides(root, part, { scan, text }, together);
  const help = part("help");
  part("help-open").addEventListener("click", () => help.showModal());
  const turnPage = (direction) => {
    const next = numbers[numbers.indexOf(where()) + direction];
    if (next !== undefined) together.goToPage(next);
  };
  listenToKeys(root, part, {
    n: () => doubtful.step(1),
    p: () => doubtful.step(-1),
    w: () => current.step(1),
    b: () => current.step(-1),
    j: () => turnPage(1),
    k: () => turnPage(-1),
    e: turnStage,
    c: turnLevels,
    d: () => document.querySelector(".downloads a").focus(),
    Enter: () => current.choose(),
    "/": () => part("query").focus(),
    "+": () => zoom.step(1),
    "=": () => zoom.step(1),
    "-": () => zoom.step(-1),
    0: () => zoom.set("width"),
    "?": () => help.showModal(),
  });
  followAddress(root, together, at);
  search.begin(new URLSearchParams(location.search).get("q"), found);
}

/** #page-12 in the address, also in links on the page, leads there. */
function followAddress(root, together, at) {
  const numberInAddress = () => Number(/^#page-(\d+)$/.exec(location.hash)?.[1] ?? 0);
  const go = (number) => root.querySelector(`#page-${number}`) && together.goToPage(number);
  go(numberInAddress() || at || 0);
  addEventListener("hashchange", () => go(numberInAddress()));
}

const sentencesOf = (item) => Array.from(item.querySelectorAll("p[data-step]"), (line) => line.textContent);

/** The section of each page. Where the server has cut a long text, the sections of the pages behind are made here. */
function sectionsOf(root, numbers) {
  const sections = new Map();
  for (const section of root.querySelectorAll(".text-page[data-page]")) sections.set(Number(section.dataset.page), section);
  const [first] = sections.values();
  const heightPx = first?.offsetHeight ?? 0; // asked once: after each section that is put there it would cost a layout of all
  for (const number of numbers) {
    if (sections.has(number)) continue;
    const section = emptySection(number, heightPx);
    root.querySelector("#text").append(section);
    sections.set(number, section);
  }
  return sections;
}

/** The texts that the server has drawn; the last one of a text cut short is not whole. */
function textsOf(root, sections) {
  const drawn = Array.from(sections).filter(([, section]) => section.querySelector("pre, .hint"));
  if (root.querySelector("#text").hasAttribute("data-cut")) drawn.pop();
  return new Map(drawn.map(([number, section]) => [number, section.querySelector("pre")?.textContent ?? ""]));
}

/** What the server has marked of a search over all documents, before the words take the place of its marks. */
function marksIn(sections) {
  const found = [];
  for (const [number, section] of sections) {
    let at = 0;
    for (const piece of section.querySelector("pre")?.childNodes ?? []) {
      const start = at;
      at += piece.textContent.length;
      if (piece.nodeName === "MARK") found.push({ number, start, end: at, letters: piece.textContent });
    }
  }
  return found;
}

async function showPlace({ number, start, end }, { scan, text, store, together }) {
  together.settle(number);
  text.reveal(number, start, end);
  if (!scan.inView.near.has(number)) scan.inView.goToTop(number);
  const page = await store.page(number);
  const word = page.words.findIndex(({ place }) => place && place[0] < end && place[1] > start);
  if (word >= 0 && together.number === number) scan.reveal(page, word);
}

function offerPages(part, numbers, together) {
  part("page-count").textContent = numbers.at(-1);
  for (const field of [part("page"), ...document.querySelectorAll("[data-page-in-view]")]) field.value = numbers[0];
  part("page").addEventListener("change", () => {
    const wanted = Number.parseInt(part("page").value, 10);
    const nearest = numbers.findLast((number) => number <= wanted) ?? numbers[0];
    together.goToPage(nearest);
    part("page").value = nearest;
  });
}

function showPageNumber(input, number) {
  if (document.activeElement !== input) input.value = number;
}

function offerZoom(part, zoom) {
  part("zoom").addEventListener("change", () => {
    const { value } = part("zoom");
    zoom.set(value === "width" || value === "page" ? value : Number(value) / 100);
  });
  part("zoom-in").addEventListener("click", () => zoom.step(1));
  part("zoom-out").addEventListener("click", () => zoom.step(-1));
}

function showZoom(select, mode, percent) {
  const other = select.querySelector("[value=other]");
  const value = typeof mode === "number" ? String(percent) : mode;
  const isOffered = Array.from(select.options).some((option) => option.value === value);
  other.hidden = isOffered;
  other.textContent = percentWords(percent / 100);
  select.value = isOffered ? value : "other";
}

function offerStage(part, scan) {
  const select = part("stage");
  const show = () => {
    scan.setStage(select.value);
    part("no-outlines").hidden = select.value === "original";
  };
  select.addEventListener("change", show);
  return () => {
    select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
    show();
  };
}

function offerLevels(root, part) {
  const button = part("levels");
  const show = (isOn) => {
    root.classList.toggle("with-levels", isOn);
    button.setAttribute("aria-pressed", String(isOn));
    keep("levels", isOn ? "on" : "off");
  };
  show(kept("levels", "on") === "on");
  const turn = () => show(!root.classList.contains("with-levels"));
  button.addEventListener("click", turn);
  return turn;
}

/** On a narrow screen one side is shown at a time. */
function offerSides(root, part, panes, together) {
  const buttons = Array.from(part("sides").querySelectorAll("[data-side]"));
  const show = (side) => {
    root.dataset.side = side;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.side === side));
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      show(button.dataset.side);
      together.catchUp(panes[button.dataset.side]);
    });
  }
  show("text");
}
