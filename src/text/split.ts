/** How text is cut into words before byte pairs are merged; merges never cross a cut. */

/**
 * The pattern of a word, in the syntax that JavaScript and Oniguruma (Hugging Face tokenizers) share. In order:
 * - an apostrophe with the one or two letters that end a word (`'s`, `'re`);
 * - letters with their combining marks. GPT-2's pattern has no `\p{M}` and cuts Devanagari at every vowel sign;
 * - one digit: a number that was never seen is copied digit by digit;
 * - other characters in a run (punctuation, emoji with their selectors, control characters);
 * - white space; its last character is left to the word that follows, if that is a space.
 * A space before a word belongs to the word. White space is spelt out because `\s` differs between the two engines
 * (U+0085, U+FEFF). Letters newer than one engine's Unicode version may be cut differently; decoding is not affected.
 */
export const WORD_PATTERN = [
  String.raw`['’]\p{L}{1,2}(?![\p{L}\p{M}])`,
  String.raw` ?[\p{L}\p{M}]+`,
  String.raw` ?\p{N}`,
  String.raw` ?[^\t-\r\p{Z}\p{L}\p{M}\p{N}][^\t-\r\p{Z}\p{L}\p{N}]*`,
  String.raw`[\t-\r\p{Z}]+(?![^\t-\r\p{Z}])`,
  String.raw`[\t-\r\p{Z}]+`,
].join("|");

/**
 * Put before every text that is not empty, and taken off again by the decoder: the first word of a sentence has the
 * same form as within it, and a text that begins with a space of its own stays different from one that does not
 * (`add_prefix_space` would make them equal).
 */
export const TEXT_PREFIX = " ";

const wordPattern = new RegExp(WORD_PATTERN, "gu");

/** The words of a text, prefix included; joined they are the prefixed text. No words for an empty text. */
export function splitWords(text: string): string[] {
  return text === "" ? [] : ((TEXT_PREFIX + text).match(wordPattern) ?? []);
}
