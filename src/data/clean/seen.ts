/** A set of what was seen before, in 16 to 32 bytes a text whatever its length. */

import { createHash } from "node:crypto";

const FIRST_SLOTS = 1 << 16;

/**
 * Remembers texts by 64 bits of their SHA-256 in one open-addressed table. Two different texts count as one with a
 * probability of n²/2⁶⁵ for n texts: one in 37 million for a million, one in 370 for a hundred million.
 */
export class SeenTexts {
  #slots = new BigUint64Array(FIRST_SLOTS);
  #used = 0;

  /** True the first time that `text` is given. */
  add(text: string): boolean {
    // 0 marks a free slot.
    const key = createHash("sha256").update(text).digest().readBigUInt64LE() || 1n;
    const slot = freeOr(this.#slots, key);
    if (this.#slots[slot] === key) return false;
    this.#slots[slot] = key;
    if (++this.#used * 2 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const larger = new BigUint64Array(2 * this.#slots.length);
    for (const key of this.#slots) if (key !== 0n) larger[freeOr(larger, key)] = key;
    this.#slots = larger;
  }
}

/** The slot that holds `key`, or the free one where it belongs. */
function freeOr(slots: BigUint64Array, key: bigint): number {
  const mask = slots.length - 1;
  let slot = Number(key & BigInt(mask));
  while (slots[slot] !== 0n && slots[slot] !== key) slot = (slot + 1) & mask;
  return slot;
}
