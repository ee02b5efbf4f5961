/** A page that somebody has corrected is shown as it has become: its words on both sides, and what lists them. */

import { announce } from "../announce.js";
import { sentenceOf } from "../server.js";

/**
 * Listens on `host` for `recto:page-corrected`, and says `recto:page-shown` there when its page stands. `panes` and `lists` have `renew(number)`;
 * the panes come first, so that the lists find their words.
 */
export function showCorrections(host, { store, panes, lists }) {
  host.addEventListener("recto:page-corrected", async (event) => {
    event.preventDefault();
    const number = event.detail.page;
    store.forget(number);
    try {
      for (const shown of [panes, lists]) await Promise.all(shown.map((one) => one.renew(number)));
    } catch (error) {
      announce(sentenceOf(error));
    }
    host.dispatchEvent(new CustomEvent("recto:page-shown", { detail: { page: number } }));
  });
}
