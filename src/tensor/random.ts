/**
 * Counter-based randomness: a draw is a pure function of a key and a counter, so results do not depend on
 * batching, sharding, threads or a restart. Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3").
 */

/** A 64-bit key as two unsigned 32-bit words. */
export type Key = readonly [number, number];

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** Threefry-2x32-20 of `key` and the counter `(c0, c1)`: two unsigned 32-bit words. */
export function threefry(key: Key, c0: number, c1: number): Key {
  const k0 = key[0] | 0;
  const k1 = key[1] | 0;
  const k2 = k0 ^ k1 ^ PARITY;
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  for (let block = 0; block < 5; block++) {
    const first = (block & 1) * 4;
    for (let round = first; round < first + 4; round++) {
      const rotation = ROTATIONS[round]!;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0;
    }
    const a = (block + 1) % 3;
    const b = (block + 2) % 3;
    x0 = (x0 + (a === 0 ? k0 : a === 1 ? k1 : k2)) | 0;
    x1 = (x1 + (b === 0 ? k0 : b === 1 ? k1 : k2) + block + 1) | 0;
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** A key for the stream named by `parts` (whole numbers of up to 32 bits): `deriveKey(seed, grow, source, sample)`. */
export function deriveKey(seed: number, ...parts: readonly number[]): Key {
  // A seed may have up to 53 bits: both halves enter the key.
  let key: Key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  for (let i = 0; i < parts.length; i += 2) key = threefry(key, parts[i]!, parts[i + 1] ?? 0xffffffff);
  return key;
}

/** A uniform number in (0, 1) at `counter` of the stream `key`; 53 bits. */
export function uniform(key: Key, counter: number): number {
  const [high, low] = threefry(key, counter, 0);
  return ((high >>> 5) * 67108864 + (low >>> 6) + 0.5) / 9007199254740992;
}

/** A whole number in [0, n) at `counter` of the stream `key`. */
export function integerBelow(key: Key, counter: number, n: number): number {
  return Math.min(n - 1, Math.floor(uniform(key, counter) * n));
}

/** A standard normal number at `counter` of the stream `key` (Box and Muller). */
export function normal(key: Key, counter: number): number {
  const radius = Math.sqrt(-2 * Math.log(uniform(key, 2 * counter)));
  return radius * Math.cos(2 * Math.PI * uniform(key, 2 * counter + 1));
}

/** The numbers 0 to n − 1 in a random order fixed by `key` (Fisher and Yates). */
export function permutation(key: Key, n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = integerBelow(key, i, i + 1);
    const swap = order[i]!;
    order[i] = order[j]!;
    order[j] = swap;
  }
  return order;
}
