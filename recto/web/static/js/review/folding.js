/** Text as it is searched: small letters without accents, any white space as one space, with the way back to the text's own letters. */

const PLAIN = /^[\x20-\x7e]*$/;
const ACCENTS = /\p{M}/gu;

/** {folded, at}: `at[i]` is where the i-th letter of `folded` stands in the text; one more at the end. */
export function fold(text) {
  let folded = "";
  const at = [];
  let index = 0;
  for (const character of text) {
    const piece = foldCharacter(character, folded.endsWith(" "));
    for (let i = 0; i < piece.length; i += 1) at.push(index);
    folded += piece;
    index += character.length;
  }
  at.push(index);
  return { folded, at };
}

function foldCharacter(character, afterSpace) {
  if (/\s/.test(character)) return afterSpace ? "" : " ";
  const small = character.toLowerCase();
  return PLAIN.test(small) ? small : small.normalize("NFD").replace(ACCENTS, "") || small;
}

/** [start, end) in the text of each place where the folded `query` stands. */
export function findIn({ folded, at }, query) {
  const found = [];
  for (let from = folded.indexOf(query); from >= 0; from = folded.indexOf(query, from + query.length)) {
    found.push([at[from], at[from + query.length]]);
  }
  return found;
}
