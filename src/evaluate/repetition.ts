/** How much of a text says again what stands just before: the mark of a policy caught in a loop. */

/** The longest phrase whose repetition `repetition` sees. */
const LONGEST_PHRASE = 4;

/** Letters and digits that stand together; of scripts written without spaces each character by itself. */
const WORDS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|[\p{L}\p{N}\p{M}]+/gu;

/**
 * Number of words that belong to a repeated phrase: one to `longest` words equal to as many just before them.
 *
 * @example repeatedWords(["the", "cat", "the", "cat", "sat", "sat"], 2) // 3
 */
export function repeatedWords(words: readonly string[], longest: number): number {
  const repeated = new Uint8Array(words.length);
  for (let n = 1; n <= longest; n++) {
    let alike = 0; // words up to here, without a gap, that equal the one n places before
    for (let i = n; i < words.length; i++) {
      alike = words[i] === words[i - n] ? alike + 1 : 0;
      if (alike >= n) repeated.fill(1, i - n + 1, i + 1);
    }
  }
  return repeated.reduce((sum, one) => sum + one, 0);
}

/**
 * Share of a text's words, in [0, 1), that belong to a repeated phrase of one to four words; 0 without words. Case and
 * punctuation do not count.
 */
export function repetition(text: string): number {
  const words = text.toLowerCase().match(WORDS) ?? [];
  return words.length === 0 ? 0 : repeatedWords(words, LONGEST_PHRASE) / words.length;
}
