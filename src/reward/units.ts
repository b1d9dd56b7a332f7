/** Splits a text into what its damages move: words where words are spaced, characters where they are not. */

/** A word or an unspaced character, and whether white space follows it. */
export interface Unit {
  text: string;
  spaced: boolean;
}

/** Scripts that put no space between words, and their full-width punctuation. */
const UNSPACED =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}" +
  "\\p{Script=Myanmar}\\u3001-\\u303f\\u30fc\\uff00-\\uffef";

const UNIT = new RegExp(`([${UNSPACED}]\\p{Mark}*)(\\s*)|([^\\s${UNSPACED}]+)(\\s*)`, "gu");

/** The units of `text`, in order; none for white space alone. */
export function unitsOf(text: string): Unit[] {
  const trimmed = text.trim();
  return Array.from(trimmed.matchAll(UNIT), (match) => {
    const [whole, character, spaceAfterCharacter, word, spaceAfterWord] = match;
    if (character !== undefined) return { text: character, spaced: spaceAfterCharacter !== "" };
    // A spaced word that ends the text gets its space when it moves to the middle.
    const last = match.index + whole.length === trimmed.length;
    return { text: word!, spaced: last || spaceAfterWord !== "" };
  });
}

/** The text of `units`, with one space where white space was. */
export function joinUnits(units: readonly Unit[]): string {
  return units
    .map(({ text, spaced }) => (spaced ? `${text} ` : text))
    .join("")
    .trimEnd();
}
