/** An n-gram language model that can forget a sentence again, so that a training sentence is scored as if unseen. */

/** Joins the items of an n-gram; no item holds it. */
const JOIN = "\u0001";

/** How often a history was followed, and by how many different items. */
interface Follow {
  total: number;
  types: number;
}

/** As it is stored: n-grams and their counts. */
export interface StoredNgrams {
  order: number;
  counts: [ngram: string, count: number][];
}

/**
 * Witten and Bell's interpolation (1991), from the longest history down to a uniform share:
 *
 *     P(w | h) = (c(hw) + T(h) · P(w | h′)) / (c(h) + T(h)),   P(w | no history at all) = 1 / (vocabulary + 1)
 *
 * with c(h) how often history h was followed, T(h) by how many different items, and h′ the history without its first
 * item. A history that never occurred leaves P(w | h′). Sentences end with `</s>` and begin with nothing.
 */
export class NgramModel {
  readonly order: number;
  readonly #counts = new Map<string, number>();
  readonly #follows = new Map<string, Follow>();

  /** @param order longest n-gram, 1 or more */
  constructor(order: number) {
    this.order = order;
  }

  static of(sentences: Iterable<readonly string[]>, order: number): NgramModel {
    const model = new NgramModel(order);
    for (const sentence of sentences) model.add(sentence);
    return model;
  }

  add(sentence: readonly string[]): void {
    this.#change(sentence, 1);
  }

  /** Takes back one `add` of the same sentence. */
  remove(sentence: readonly string[]): void {
    this.#change(sentence, -1);
  }

  /** Natural logarithms of the probabilities of each item and of the end: one more than there are items. */
  logProbabilities(sentence: readonly string[]): Float64Array {
    const items = closed(sentence);
    const uniform = 1 / (this.#vocabulary + 1);
    return Float64Array.from(items, (_, end) => {
      let probability = uniform;
      for (const [ngram, history] of this.#ending(items, end)) {
        const follow = this.#follows.get(history);
        if (!follow) break;
        const count = this.#counts.get(ngram) ?? 0;
        probability = (count + follow.types * probability) / (follow.total + follow.types);
      }
      return Math.log(probability);
    });
  }

  /** Whether the item alone has occurred. */
  knows(item: string): boolean {
    return this.#counts.has(item);
  }

  /** How often the item alone has occurred. */
  count(item: string): number {
    return this.#counts.get(item) ?? 0;
  }

  /** Without longer n-grams that occur fewer than `least` times; single items stay. */
  stored(least = 1): StoredNgrams {
    const counts = [...this.#counts].filter(([key, count]) => count >= least || !key.includes(JOIN));
    return { order: this.order, counts };
  }

  static load({ order, counts }: StoredNgrams): NgramModel {
    const model = new NgramModel(order);
    for (const [key, count] of counts)
      model.#count(key, key.slice(0, Math.max(0, key.lastIndexOf(JOIN))), count);
    return model;
  }

  /** A model of the same sentences without its rare longer n-grams, as `stored` leaves them out. */
  pruned(least: number): NgramModel {
    return least <= 1 ? this : NgramModel.load(this.stored(least));
  }

  get #vocabulary(): number {
    return this.#follows.get("")?.types ?? 0;
  }

  #change(sentence: readonly string[], by: 1 | -1): void {
    const items = closed(sentence);
    for (let end = 0; end < items.length; end++)
      for (const [ngram, history] of this.#ending(items, end)) this.#count(ngram, history, by);
  }

  /** The n-grams that end at `end`, shortest first, each with its history. */
  #ending(items: readonly string[], end: number): [ngram: string, history: string][] {
    let ngram = items[end]!;
    let history = "";
    const found: [string, string][] = [[ngram, history]];
    for (let start = end - 1; start >= 0 && start > end - this.order; start--) {
      ngram = items[start]! + JOIN + ngram;
      history = history === "" ? items[start]! : items[start]! + JOIN + history;
      found.push([ngram, history]);
    }
    return found;
  }

  #count(ngram: string, history: string, by: number): void {
    const before = this.#counts.get(ngram) ?? 0;
    const after = before + by;
    if (after > 0) this.#counts.set(ngram, after);
    else this.#counts.delete(ngram);
    const follow = this.#follows.get(history) ?? { total: 0, types: 0 };
    follow.total += by;
    follow.types += (after > 0 ? 1 : 0) - (before > 0 ? 1 : 0);
    if (follow.total > 0) this.#follows.set(history, follow);
    else this.#follows.delete(history);
  }
}

function closed(sentence: readonly string[]): readonly string[] {
  return [...sentence, "</s>"];
}
