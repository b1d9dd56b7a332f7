/** How often a corpus repeats itself: reported to the user, never an error. */

import type { Pair } from "./pair.js";

/** Pairs beyond the first of their kind: of 3 equal pairs, 2 are duplicates. */
export interface Duplicates {
  pairs: number;
  sources: number;
  targets: number;
}

export function countDuplicates(pairs: readonly Pair[]): Duplicates {
  const distinct = (key: (pair: Pair) => string) => new Set(pairs.map(key)).size;
  return {
    pairs: pairs.length - distinct(({ source, target }) => JSON.stringify([source, target])),
    sources: pairs.length - distinct(({ source }) => source),
    targets: pairs.length - distinct(({ target }) => target),
  };
}
