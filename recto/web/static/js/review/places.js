/** Where the words of a page stand in its text: result.txt joins lines, but keeps the words in their order. */

const SPACE = /\s/;
const REPLACEMENT = "\ufffd"; // for what a text file cannot hold
const FARTHEST = 400;

/** For each word [start, end) in `text`, or null for one that is not there. */
export function placeWords(text, words) {
  let at = 0;
  return words.map((word) => {
    const place = placeAt(text, word, skipSpace(text, at)) ?? placeBeyond(text, word, at);
    if (place) at = place[1];
    return place;
  });
}

function placeAt(text, word, start) {
  let at = start;
  for (const character of word) {
    if (SPACE.test(character)) continue;
    if (at > start) at = skipSpace(text, at);
    if (text.startsWith(character, at)) at += character.length;
    else if (text[at] === REPLACEMENT) at += 1;
    else return null;
  }
  return at > start ? [start, at] : null;
}

function placeBeyond(text, word, from) {
  const found = text.slice(from, from + FARTHEST).indexOf(word);
  return found < 0 || word === "" ? null : [from + found, from + found + word.length];
}

function skipSpace(text, at) {
  while (at < text.length && SPACE.test(text[at])) at += 1;
  return at;
}
