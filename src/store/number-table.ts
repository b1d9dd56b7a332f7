/** Numbers by a hash, for more of them than a JavaScript map holds (2²⁴), in 36 to 72 bytes each. */

import { createHash } from "node:crypto";

/** Tables by the first byte of a hash, so that none is ever copied for long. */
const TABLES = 256;
const FIRST_SLOTS = 8;
/** 32-bit words of a hash that are kept. */
const WORDS = 4;

/**
 * Like a `Map<string, number>` that forgets its keys: it knows them by 128 bits, of which two are alike once in 10²⁰ for a
 * billion keys. A key of 22 characters of base64url is such a hash already; others are hashed. No number may be NaN.
 */
export class NumberTable {
  readonly #tables: (Table | undefined)[] = [];

  get(key: string): number | undefined {
    const hash = hashOf(key);
    return this.#tables[hash[0]! % TABLES]?.get(hash);
  }

  set(key: string, value: number): void {
    const hash = hashOf(key);
    this.#tables[hash[0]! % TABLES] ??= new Table();
    this.#tables[hash[0]! % TABLES]!.set(hash, value);
  }
}

/** One open-addressed table; NaN marks a free slot. */
class Table {
  #hashes = new Uint32Array(FIRST_SLOTS * WORDS);
  #values = new Float64Array(FIRST_SLOTS).fill(Number.NaN);
  #used = 0;

  get(hash: Uint32Array): number | undefined {
    const value = this.#values[this.#slotOf(hash)]!;
    return Number.isNaN(value) ? undefined : value;
  }

  set(hash: Uint32Array, value: number): void {
    const slot = this.#slotOf(hash);
    const isNew = Number.isNaN(this.#values[slot]!);
    this.#hashes.set(hash, slot * WORDS);
    this.#values[slot] = value;
    if (isNew && 3 * ++this.#used > 2 * this.#values.length) this.#grow();
  }

  /** Where the hash is, or the free slot where it belongs. */
  #slotOf(hash: Uint32Array): number {
    const mask = this.#values.length - 1;
    // Its first word has chosen the table.
    let slot = hash[1]! & mask;
    while (!Number.isNaN(this.#values[slot]!) && !this.#holds(slot, hash)) slot = (slot + 1) & mask;
    return slot;
  }

  #holds(slot: number, hash: Uint32Array): boolean {
    for (let word = 0; word < WORDS; word++)
      if (this.#hashes[slot * WORDS + word] !== hash[word]) return false;
    return true;
  }

  #grow(): void {
    const [hashes, values] = [this.#hashes, this.#values];
    this.#hashes = new Uint32Array(2 * hashes.length);
    this.#values = new Float64Array(2 * values.length).fill(Number.NaN);
    for (const [old, value] of values.entries()) {
      if (Number.isNaN(value)) continue;
      const hash = hashes.subarray(old * WORDS, (old + 1) * WORDS);
      const slot = this.#slotOf(hash);
      this.#hashes.set(hash, slot * WORDS);
      this.#values[slot] = value;
    }
  }
}

function hashOf(key: string): Uint32Array {
  const bytes = /^[\w-]{22}$/.test(key)
    ? Buffer.from(key, "base64url")
    : createHash("sha256").update(key).digest();
  return Uint32Array.from({ length: WORDS }, (_, word) => bytes.readUInt32LE(4 * word));
}
