/** The toy task that anyone can judge: reverse a list of numbers. */

import { UserError } from "../errors.js";
import { hashUnit } from "./hash.js";
import type { Pair } from "./pair.js";

export interface ToyOptions {
  /** How many pairs, all different. */
  pairs: number;
  seed: number;
  /** Words of the shortest list, 1 or more. Default 3. */
  minLength?: number;
  /** Words of the longest list. Default 6. */
  maxLength?: number;
  /** Words to draw from. Default the ten digits. */
  alphabet?: readonly string[];
}

const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/**
 * Pairs such as `"3 1 4"` → `"4 1 3"`. Lengths are drawn evenly (where short lists run out, longer ones
 * follow); a longer result starts with the shorter one of the same seed.
 *
 * @example toyPairs({ pairs: 2000, seed: 1 })
 * @throws UserError when the alphabet and lengths allow fewer different lists than asked for.
 */
export function toyPairs(options: ToyOptions): Pair[] {
  const { pairs, seed, minLength = 3, maxLength = 6, alphabet = digits } = options;
  check(pairs, minLength, maxLength, alphabet);
  const seen = new Set<string>();
  const result: Pair[] = [];
  for (let draw = 0; result.length < pairs; draw++) {
    const length = minLength + Math.floor(hashUnit(seed, draw, "length") * (maxLength - minLength + 1));
    const words = Array.from(
      { length },
      (_, position) => alphabet[Math.floor(hashUnit(seed, draw, position) * alphabet.length)] ?? "",
    );
    const source = words.join(" ");
    if (seen.has(source)) continue;
    seen.add(source);
    result.push({ source, target: words.reverse().join(" ") });
  }
  return result;
}

function check(pairs: number, minLength: number, maxLength: number, alphabet: readonly string[]): void {
  if (!Number.isInteger(pairs) || pairs < 1)
    throw new UserError(`the toy needs 1 pair or more, found ${pairs}.`);
  if (
    !Number.isInteger(minLength) ||
    !Number.isInteger(maxLength) ||
    minLength < 1 ||
    maxLength < minLength
  ) {
    throw new UserError(
      `the toy's lengths are ${minLength} to ${maxLength}, expected whole numbers from 1, the first not above the second.`,
    );
  }
  if (new Set(alphabet).size !== alphabet.length || alphabet.some((word) => !/^\S+$/.test(word))) {
    throw new UserError("the toy's alphabet must be different words without spaces.");
  }
  let possible = 0;
  for (let length = minLength; length <= maxLength; length++) possible += alphabet.length ** length;
  // Drawing the last few of all possible lists by chance would take long, so half of them is the limit.
  if (pairs > possible / 2) {
    throw new UserError(
      `the toy can't give ${pairs} different lists: ${possible} exist, and half of them is the limit; allow longer lists.`,
    );
  }
}
