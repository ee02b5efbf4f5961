import { enableCopyButtons } from "./copy.js";
import { keepTimes } from "./times.js";

keepTimes();
enableCopyButtons();
