/** Three levels of the engine's confidence, which is from 0 to 1. */

const SURE = 0.9;
const UNSURE = 0.7;

export const levelOf = (confidence) => (confidence >= SURE ? "sure" : confidence >= UNSURE ? "unsure" : "doubtful");
