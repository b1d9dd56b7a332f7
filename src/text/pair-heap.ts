/** A binary heap of symbol pairs: most frequent first, then lowest ids. */

/** A pair of adjacent symbols, with the number of times it occurred when it was pushed. */
export interface CountedPair {
  pair: number;
  left: number;
  right: number;
  count: number;
}

/** The documented order: higher count, then lower left id, then lower right id. */
function before(a: CountedPair, b: CountedPair): boolean {
  if (a.count !== b.count) return a.count > b.count;
  if (a.left !== b.left) return a.left < b.left;
  return a.right < b.right;
}

export class PairHeap {
  readonly #entries: CountedPair[] = [];

  push(entry: CountedPair): void {
    const entries = this.#entries;
    let at = entries.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, entries[parent])) break;
      entries[at] = entries[parent];
      at = parent;
    }
    entries[at] = entry;
  }

  /** Takes out the first pair; undefined when there is none. */
  pop(): CountedPair | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && before(entries[child + 1], entries[child])) child++;
      if (!before(entries[child], last)) break;
      entries[at] = entries[child];
      at = child;
    }
    entries[at] = last;
    return first;
  }
}
