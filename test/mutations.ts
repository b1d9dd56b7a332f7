/** Damaged copies of a file, for tests that no reader crashes or hangs. */

import { deriveKey, integerBelow } from "../src/tensor/random.js";

/** Values that break counters and lengths. */
const NASTY = [0, 1, 0x7f, 0x80, 0xff];

/** `count` copies of `bytes`, each with bytes changed, cut out, doubled or cut off; the same for the same seed. */
export function* mutations(bytes: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    const key = deriveKey(seed, i);
    let drawn = 0;
    const below = (bound: number) => integerBelow(key, drawn++, bound);
    let copy = Uint8Array.from(bytes);
    for (let times = 1 + below(4); times > 0 && copy.length > 0; times--) {
      const at = below(copy.length);
      const length = 1 + below(16);
      switch (below(6)) {
        case 0:
          copy[at] = below(256);
          break;
        case 1:
          copy[at] = NASTY[below(NASTY.length)]!;
          break;
        case 2:
          copy[at] = copy[at]! ^ (1 << below(8));
          break;
        case 3:
          copy = joined(copy.subarray(0, at), copy.subarray(at + length));
          break;
        case 4:
          copy = joined(copy.subarray(0, at), copy.subarray(at, at + length), copy.subarray(at));
          break;
        default:
          if (below(8) === 0) copy = copy.slice(0, at);
          else copy.fill(0xff, at, at + 4);
      }
    }
    yield copy;
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}
