import { enableCopyButtons } from "./copy.js";
import { keepTimes } from "./times.js";

keepTimes();
// A reload of the page that shows a new token would make another one.
const shownAt = document.querySelector("[data-shown-at]")?.dataset.shownAt;
if (shownAt) history.replaceState(null, "", shownAt);
enableCopyButtons();
