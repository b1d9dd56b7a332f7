/** What the features of a rating model count: words, characters where words are not spaced, numbers and marks. */

/** A character of a script without spaces, a word, a number with its separators, or one mark. */
const TOKEN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]|[\p{L}\p{M}]+|\p{N}+(?:[.,:]\p{N}+)*|[^\s\p{L}\p{M}\p{N}]/gu;

/** Full-width forms and their usual ones become one (NFKC), capitals small. In order; none for white space alone. */
export function wordsOf(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(TOKEN) ?? [];
}

/** The characters of a text as `wordsOf` sees it, with one space for each stretch of white space and one at both ends. */
export function charactersOf(text: string): string[] {
  return [...` ${text.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim()} `];
}
