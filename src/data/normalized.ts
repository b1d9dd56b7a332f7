/** When two sentences count as one: for splits, duplicates and overlap with a test set. */

/** Lower case, spaces folded, final punctuation dropped. */
export function normalized(sentence: string): string {
  const folded = sentence.toLowerCase().replace(/\s+/g, " ").trim();
  // "Save as" and "Save as…" are one sentence; a sentence of punctuation alone keeps it.
  return folded.replace(/[\s.…!?。！？]+$/u, "") || folded;
}
