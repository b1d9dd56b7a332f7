/** Words of a sentence, for limits on its length. */

/** Words with a letter or digit; two Chinese characters count as a word. */
export function countWords(text: string): number {
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  const spaced = text
    .replace(/\p{Script=Han}/gu, " ")
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  return spaced.length + Math.ceil(han / 2);
}
