/** Paired permutation test: could the differences between two systems as well have had the other sign? */
import { deriveKey, threefry } from "../tensor/random.js";

/** Up to so many differences that are not 0 every choice of signs is tried; with more, as many as `DRAWS` are drawn. */
const EXACT = 16;
const DRAWS = 20_000;

/** Keeps these draws apart from others made from the same seed. */
const STREAM = 0x51f11b;

/**
 * The two-sided p-value of the mean of paired differences, in (0, 1]: were there nothing between the systems, each
 * difference could as well have the other sign (Fisher's randomisation test). A difference of 0 has no sign and changes
 * nothing, so that ties need no convention, as they do in Wilcoxon's test. Drawn signs give (1 + those at least as
 * extreme) / (1 + draws); 1 where every difference is 0.
 *
 * @param differences one an item: system minus baseline
 */
export function signFlipTest(differences: readonly number[], seed = 0): number {
  const sizes = differences.filter((difference) => difference !== 0);
  const sum = Math.abs(sizes.reduce((total, difference) => total + difference, 0));
  // Sums of the same numbers in another order part in the last bits.
  const enough = sum - 1e-9 * sizes.reduce((total, difference) => total + Math.abs(difference), 0);
  const isExtreme = (signs: (i: number) => boolean) => {
    let flipped = 0;
    for (let i = 0; i < sizes.length; i++) flipped += signs(i) ? sizes[i]! : -sizes[i]!;
    return Math.abs(flipped) >= enough;
  };
  if (sizes.length <= EXACT) {
    let extreme = 0;
    for (let choice = 0; choice < 2 ** sizes.length; choice++)
      if (isExtreme((i) => ((choice >> i) & 1) === 1)) extreme++;
    return extreme / 2 ** sizes.length;
  }
  let extreme = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    const key = deriveKey(seed, STREAM, draw);
    let bits = 0;
    if (
      isExtreme((i) => {
        if (i % 32 === 0) bits = threefry(key, i / 32, 0)[0];
        return ((bits >>> (i % 32)) & 1) === 1;
      })
    )
      extreme++;
  }
  return (1 + extreme) / (1 + DRAWS);
}
