/** Which word translates which: IBM model 1 (Brown et al. 1993), learned from pairs of sentences alone. */

export interface WordPair {
  from: readonly string[];
  to: readonly string[];
}

export interface LexiconOptions {
  /** Rounds of expectation and maximisation; 5 by default. */
  rounds?: number;
  /** Probabilities below this are forgotten at the end; 0.001 by default. */
  least?: number;
}

/** Rows of t(to | from), as they are stored. */
export type StoredLexicon = [from: string, row: [to: string, probability: number][]][];

/** The empty word, from which words come that translate nothing. */
const NULL = "";
/** Words of a side that are read; sentences beyond are cut there. */
const LONGEST = 100;

/** Probabilities t(to | from). */
export class Lexicon {
  readonly #rows: ReadonlyMap<string, ReadonlyMap<string, number>>;

  private constructor(rows: ReadonlyMap<string, ReadonlyMap<string, number>>) {
    this.#rows = rows;
  }

  /**
   * Each round sets t(e | f) to the share of e in the expected counts of f, where a word e of a sentence is shared out
   * over the words of the other side and the empty word in proportion to the last t. The first round starts from equal
   * shares, so the result does not depend on the order of pairs beyond rounding.
   */
  static learn(pairs: Iterable<WordPair>, { rounds = 5, least = 0.001 }: LexiconOptions = {}): Lexicon {
    const froms = new Names();
    const tos = new Names();
    // By origin, since a map of small whole numbers is far faster than one of large ones.
    const cells: Map<number, number>[] = [];
    const cellFrom: number[] = [];
    const cellTo: number[] = [];
    // For each word `to` of a pair, the cells of all its possible origins, one after another.
    const origins: Int32Array[] = [];
    for (const { from, to } of pairs) {
      const fromIds = [NULL, ...from.slice(0, LONGEST)].map((word) => froms.id(word));
      for (const word of to.slice(0, LONGEST)) {
        const toId = tos.id(word);
        origins.push(
          Int32Array.from(fromIds, (fromId) => {
            cells[fromId] ??= new Map();
            let cell = cells[fromId].get(toId);
            if (cell === undefined) {
              cell = cellTo.length;
              cells[fromId].set(toId, cell);
              cellFrom.push(fromId);
              cellTo.push(toId);
            }
            return cell;
          }),
        );
      }
    }
    let table = new Float64Array(cellTo.length).fill(1);
    for (let round = 0; round < rounds; round++) {
      const counts = new Float64Array(table.length);
      const totals = new Float64Array(froms.size);
      for (const possible of origins) {
        let sum = 0;
        for (const cell of possible) sum += table[cell]!;
        for (const cell of possible) counts[cell]! += table[cell]! / sum;
      }
      for (let cell = 0; cell < counts.length; cell++) totals[cellFrom[cell]!]! += counts[cell]!;
      for (let cell = 0; cell < counts.length; cell++) counts[cell]! /= totals[cellFrom[cell]!]!;
      table = counts;
    }
    const rows = new Map<string, Map<string, number>>();
    for (let cell = 0; cell < table.length; cell++) {
      if (table[cell]! < least) continue;
      const from = froms.name(cellFrom[cell]!);
      const row = rows.get(from) ?? new Map<string, number>();
      rows.set(from, row);
      row.set(tos.name(cellTo[cell]!), table[cell]!);
    }
    return new Lexicon(rows);
  }

  /** t(to | from); 0 where it was never seen or forgotten. `null` stands for the empty word. */
  probability(to: string, from: string | null): number {
    return this.#rows.get(from ?? NULL)?.get(to) ?? 0;
  }

  /** Whether anything is known of what `from` becomes. */
  knows(from: string): boolean {
    return this.#rows.has(from);
  }

  stored(): StoredLexicon {
    return [...this.#rows].map(([from, row]) => [from, [...row]]);
  }

  static load(rows: StoredLexicon): Lexicon {
    return new Lexicon(new Map(rows.map(([from, row]) => [from, new Map(row)])));
  }
}

/** Numbers words from 0. */
class Names {
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [];

  get size(): number {
    return this.#names.length;
  }

  id(name: string): number {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.#names.length;
      this.#ids.set(name, id);
      this.#names.push(name);
    }
    return id;
  }

  name(id: number): string {
    return this.#names[id]!;
  }
}
