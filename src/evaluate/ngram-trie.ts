/** Counts n-grams without building a string for each: the common ground of BLEU, chrF and the diversity figures. */

/**
 * Numbers n-grams: node 0 is the empty one, and the child of an n-gram's node by one more symbol is the longer
 * n-gram's. Symbols are whole numbers from 0 (code points or word numbers). A hash table with open addressing in typed
 * arrays: prepared sentence chrF on caption-length text does 260,000 to 940,000 sentences/s on one busy core this way,
 * against 34,000 to 38,000 with a Map of strings for every order.
 */
export class NgramTrie {
  /** Nodes so far, the empty n-gram included. */
  size = 1;
  private mask: number;
  private parents: Int32Array;
  private symbols: Int32Array;
  /** Node by slot; 0 is an empty slot, since the empty n-gram is nobody's child. */
  private nodes: Int32Array;

  /** `expected`: about how many n-grams will come; more is fine. */
  constructor(expected = 64) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(16, 2 * expected)));
    this.mask = slots - 1;
    this.parents = new Int32Array(slots);
    this.symbols = new Int32Array(slots);
    this.nodes = new Int32Array(slots);
  }

  /** The node of `parent`'s n-gram followed by `symbol`, or -1 when it was never inserted. */
  find(parent: number, symbol: number): number {
    const slot = this.slot(parent, symbol);
    return this.nodes[slot] === 0 ? -1 : this.nodes[slot];
  }

  /** The same, made when missing. */
  insert(parent: number, symbol: number): number {
    const slot = this.slot(parent, symbol);
    if (this.nodes[slot] !== 0) return this.nodes[slot];
    const node = this.size++;
    this.parents[slot] = parent;
    this.symbols[slot] = symbol;
    this.nodes[slot] = node;
    if (2 * this.size > this.mask) this.grow();
    return node;
  }

  /** Where (parent, symbol) is, or the empty slot where it belongs. */
  private slot(parent: number, symbol: number): number {
    const mixed = Math.imul(parent, 0x9e3779b1) ^ Math.imul(symbol + 1, 0x85ebca6b);
    let slot = (mixed ^ (mixed >>> 15)) & this.mask;
    while (this.nodes[slot] !== 0 && (this.parents[slot] !== parent || this.symbols[slot] !== symbol))
      slot = (slot + 1) & this.mask;
    return slot;
  }

  private grow(): void {
    const { parents, symbols, nodes } = this;
    const slots = 2 * nodes.length;
    this.mask = slots - 1;
    this.parents = new Int32Array(slots);
    this.symbols = new Int32Array(slots);
    this.nodes = new Int32Array(slots);
    for (let old = 0; old < nodes.length; old++) {
      if (nodes[old] === 0) continue;
      const slot = this.slot(parents[old], symbols[old]);
      this.parents[slot] = parents[old];
      this.symbols[slot] = symbols[old];
      this.nodes[slot] = nodes[old];
    }
  }
}

/**
 * The n-grams of one reference, or of several with the highest count among them, ready to be matched against many
 * hypotheses.
 */
export class ReferenceNgrams {
  private readonly trie: NgramTrie;
  /** Node to its count in the references: how often a hypothesis may match it. */
  private readonly limit: number[] = [0];
  /** Node to how often the hypothesis at hand has matched it; all zero between calls. */
  private readonly used: number[] = [0];
  private readonly touched: number[] = [];

  constructor(
    readonly order: number,
    expectedSymbols = 16,
  ) {
    this.trie = new NgramTrie(order * expectedSymbols);
  }

  /** Takes in one reference: the first `length` of `symbols`. */
  add(symbols: ArrayLike<number>, length = symbols.length): void {
    const { trie, limit, used } = this;
    const touched: number[] = [];
    for (let start = 0; start < length; start++) {
      let node = 0;
      const end = Math.min(length, start + this.order);
      for (let i = start; i < end; i++) {
        node = trie.insert(node, symbols[i]);
        if (node === limit.length) {
          limit.push(0);
          used.push(0);
        }
        used[node] = used[node] + 1;
        touched.push(node);
      }
    }
    for (const node of touched) {
      limit[node] = Math.max(limit[node], used[node]);
      used[node] = 0;
    }
  }

  /**
   * Counts the n-grams of a hypothesis that are in the references, each at most as often as there: adds them to
   * `matches[n − 1]` for n = 1 to `order`. A negative symbol matches nothing.
   */
  match(symbols: ArrayLike<number>, length: number, matches: number[]): void {
    const { trie, limit, used, touched } = this;
    for (let start = 0; start < length; start++) {
      let node = 0;
      const reach = Math.min(this.order, length - start);
      for (let n = 0; n < reach; n++) {
        node = trie.find(node, symbols[start + n]);
        // A longer n-gram cannot be in the references when its beginning is not.
        if (node < 0) break;
        const count = used[node];
        if (count === limit[node]) continue;
        if (count === 0) touched.push(node);
        used[node] = count + 1;
        matches[n]++;
      }
    }
    for (const node of touched) used[node] = 0;
    touched.length = 0;
  }
}

/** Numbers words in the order they come. */
export class Vocabulary {
  private readonly ids = new Map<string, number>();

  get size(): number {
    return this.ids.size;
  }

  /** The numbers of `words`; a new word gets the next one. */
  add(words: readonly string[]): number[] {
    return words.map((word) => {
      let id = this.ids.get(word);
      if (id === undefined) {
        id = this.ids.size;
        this.ids.set(word, id);
      }
      return id;
    });
  }

  /** The numbers of `words`; -1 for a word never added. */
  find(words: readonly string[]): number[] {
    return words.map((word) => this.ids.get(word) ?? -1);
  }
}
