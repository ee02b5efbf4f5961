/**
 * The words of the scripts in the language of the page. English stands in the scripts, where `make translations` finds it; of another
 * language the page brings what is said (templates/_languages.html).
 */

const language = document.documentElement.lang;
const { messages = {}, errors = {} } = JSON.parse(document.getElementById("translations")?.textContent ?? "{}");
const form = new Intl.PluralRules(language);

/** The language of the page, as the reader's own country writes its dates and numbers where the browser says which that is. */
export const locale = (navigator.languages ?? []).find((one) => one.split("-")[0] === language.split("-")[0]) ?? language;

const numbers = new Intl.NumberFormat(locale);

export const numberWords = (number) => numbers.format(number);

/** Gaps are as Python has them: %(name)s, and %% for a percent sign. */
const filled = (sentence, values) => sentence.replace(/%(?:\((\w+)\)s|%)/g, (_gap, name) => (name ? values[name] : "%"));

/** The sentence with its gaps filled. */
export const _ = (sentence, values = {}) => filled(messages[sentence] ?? sentence, values);

/** The form of the sentence that goes with the number, which also is %(num)s. */
export function ngettext(one, many, number, values = {}) {
  const forms = messages[one];
  const sentence = forms ? (forms[form.select(number)] ?? forms.other) : number === 1 ? one : many;
  return filled(sentence, { num: numberWords(number), ...values });
}

/** What to say of an error, a reason or a warning: the server tells programs in English, so in other languages its code decides. */
export const sentenceFor = ({ code, detail }) => errors[code] ?? detail;
