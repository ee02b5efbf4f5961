/** The engine's confidence, which is from 0 to 1, as it is said. */

import { _, numberWords } from "../translate.js";

export const percentWords = (confidence) => _("%(percent)s %%", { percent: numberWords(Math.round(100 * confidence)) });
