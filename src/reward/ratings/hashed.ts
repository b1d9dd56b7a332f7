/** A text as a long sparse row: its n-grams of words and characters, each at a place that its hash gives. */

import type { SparseRow } from "./ridge.js";

/** Places of a row, a power of two; n-grams that share one are not told apart. */
export const PLACES = 2 ** 18;

/** N-grams of words (1 and 2) and of characters (3 and 4). */
export function* textGrams(words: readonly string[], characters: readonly string[]): Generator<string> {
  for (let i = 0; i < words.length; i++) {
    yield `w${words[i]}`;
    yield `b${words[i]} ${words[i + 1] ?? ""}`;
  }
  for (let n = 3; n <= 4; n++)
    for (let i = 0; i + n <= characters.length; i++) yield `c${characters.slice(i, i + n).join("")}`;
}

/** How rare what stands at each place is. */
export class Rarity {
  readonly weights: Float32Array;

  constructor(weights: Float32Array) {
    this.weights = weights;
  }

  /** log((1 + texts) / (1 + texts that have the place)) over the grams of each text. */
  static of(texts: readonly (readonly string[])[]): Rarity {
    const found = new Float64Array(PLACES);
    for (const grams of texts) for (const place of new Set(grams.map(placeOf))) found[place]!++;
    return new Rarity(Float32Array.from(found, (count) => Math.log((1 + texts.length) / (1 + count))));
  }

  /** The row of a text: 1 + log of how often times rarity, scaled to length 1. */
  row(grams: readonly string[]): SparseRow {
    const counts = new Map<number, number>();
    for (const gram of grams) {
      const place = placeOf(gram);
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    const values = Float64Array.from(
      counts,
      ([place, times]) => (1 + Math.log(times)) * this.weights[place]!,
    );
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    return {
      places: Int32Array.from(counts.keys()),
      values: length === 0 ? values : values.map((value) => value / length),
    };
  }
}

/** FNV-1a over UTF-16 units, its upper bits folded into the lower. */
function placeOf(gram: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < gram.length; i++) hash = Math.imul(hash ^ gram.charCodeAt(i), 0x01000193);
  return ((hash >>> 18) ^ hash) & (PLACES - 1);
}
