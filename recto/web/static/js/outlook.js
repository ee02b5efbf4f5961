/** A job's place in the queue and the time that it still takes, in words. */

const MINUTE_S = 60;
const HOUR_S = 3600;

export function outlookWords({ queue, estimated_seconds_left: left }) {
  return [queue ? placeWords(queue.position) : "", left ? timeWords(left) : ""].filter(Boolean).join(", ");
}

const placeWords = (position) => (position === 1 ? "Next in the queue" : `Number ${position.toLocaleString("en")} in the queue`);

function timeWords({ least, most }) {
  if (most <= MINUTE_S) return "less than a minute left";
  const [size, one, many] = most <= 2 * HOUR_S ? [MINUTE_S, "minute", "minutes"] : [HOUR_S, "hour", "hours"];
  const from = Math.max(1, Math.floor(least / size));
  const to = Math.ceil(most / size);
  if (from === to) return `about ${to} ${to === 1 ? one : many} left`;
  return `${from} to ${to} ${many} left`;
}
