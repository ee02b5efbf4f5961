import { enableCopyButtons } from "./copy.js";
import { sendInPlace } from "./in_place.js";
import { focusSearchBySlash } from "./search_field.js";
import { keepTimes } from "./times.js";

keepTimes();
enableCopyButtons();
sendInPlace();
focusSearchBySlash();
