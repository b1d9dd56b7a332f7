/** A tree of strings by their code units, to find those that begin at a place of a text. */
export class Trie {
  /** Number of the child by its parent's number × 2¹⁶ + code unit. The root is 0. */
  readonly #children = new Map<number, number>();
  /** Index of the string that ends at each node, or −1. */
  readonly #ends: number[] = [-1];

  constructor(strings: readonly string[]) {
    strings.forEach((string, index) => {
      let node = 0;
      for (let i = 0; i < string.length; i++) {
        const edge = node * 0x10000 + string.charCodeAt(i);
        let child = this.#children.get(edge);
        if (child === undefined) {
          child = this.#ends.length;
          this.#children.set(edge, child);
          this.#ends.push(-1);
        }
        node = child;
      }
      this.#ends[node] = index;
    });
  }

  /** The child of a node for a code unit; −1 where no string goes on so. */
  step(node: number, unit: number): number {
    return this.#children.get(node * 0x10000 + unit) ?? -1;
  }

  /** Index of the string that ends at a node; −1 where none does. */
  at(node: number): number {
    return this.#ends[node]!;
  }

  /** Length of the longest string that `text` has at `start`; 0 where it has none. */
  longest(text: string, start: number): number {
    let longest = 0;
    let node = 0;
    for (let end = start; end < text.length; ) {
      node = this.step(node, text.charCodeAt(end++));
      if (node < 0) break;
      if (this.at(node) >= 0) longest = end - start;
    }
    return longest;
  }
}
