/** A job's place in the queue and the time that it still takes, in words. */

import { _, ngettext, numberWords } from "./translate.js";

const MINUTE_S = 60;
const HOUR_S = 3600;

export function outlookWords({ queue, estimated_seconds_left: left }) {
  return [queue ? placeWords(queue.position) : "", left ? timeWords(left) : ""].filter(Boolean).join(", ");
}

const placeWords = (position) =>
  position === 1 ? _("Next in the queue") : _("Number %(position)s in the queue", { position: numberWords(position) });

function timeWords({ least, most }) {
  if (most <= MINUTE_S) return _("less than a minute left");
  const inMinutes = most <= 2 * HOUR_S;
  const size = inMinutes ? MINUTE_S : HOUR_S;
  const from = Math.max(1, Math.floor(least / size));
  const to = Math.ceil(most / size);
  if (from === to) {
    return inMinutes
      ? ngettext("about %(num)s minute left", "about %(num)s minutes left", to)
      : ngettext("about %(num)s hour left", "about %(num)s hours left", to);
  }
  const values = { from: numberWords(from) };
  return inMinutes
    ? ngettext("%(from)s to %(num)s minute left", "%(from)s to %(num)s minutes left", to, values)
    : ngettext("%(from)s to %(num)s hour left", "%(from)s to %(num)s hours left", to, values);
}
