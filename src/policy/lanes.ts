/**
 * Which candidate each lane of a decoder writes. A lane that is idle takes the next candidate that waits, whatever its
 * source, so that no lane is idle while a candidate waits.
 *
 * A group of lanes reads its sources from blocks, at most one block a lane. Its lanes prefer candidates of a source that
 * the group holds already, then a source that nobody has begun, then a share of the source with most left to write.
 */

export interface Assignment {
  /** Index of the source. */
  readonly source: number;
  readonly sampleId: number;
  /** Where the lane's group holds the source. */
  readonly block: number;
  /** True: the block does not hold it yet. */
  readonly fresh: boolean;
}

/** A running candidate that changes its lane. */
export interface Move {
  readonly from: number;
  readonly to: number;
  readonly block: number;
  /** True: the block does not hold the source yet. */
  readonly fresh: boolean;
}

interface Block {
  source: number;
  /** Lanes that read it. */
  readers: number;
}

export class LanePlan {
  readonly #lanes: number;
  readonly #n: number;
  readonly #sources: number;
  readonly #groups: Block[][];
  /** The block that each lane reads; undefined while it is idle. */
  readonly #reads: (Block | undefined)[];
  /** Next sample of each source that has been begun and has candidates waiting. */
  readonly #begun = new Map<number, number>();
  readonly #dropped = new Set<number>();
  /** The first source that has not been begun and is not dropped. */
  #next = 0;

  /** @param n candidates of each of `sources` sources. */
  constructor(groups: number, lanes: number, sources: number, n: number) {
    this.#lanes = lanes;
    this.#n = n;
    this.#sources = sources;
    this.#groups = Array.from({ length: groups }, () =>
      Array.from({ length: lanes }, () => ({ source: -1, readers: 0 })),
    );
    this.#reads = Array.from({ length: groups * lanes }, () => undefined);
  }

  /** Whether a candidate waits for a lane. */
  get waiting(): boolean {
    return this.#begun.size > 0 || this.#next < this.#sources;
  }

  /** Whether candidates of a source wait for a lane. */
  waits(source: number): boolean {
    return (source >= this.#next && !this.#dropped.has(source)) || this.#begun.has(source);
  }

  /** Gives an idle lane its next candidate; undefined: none waits. */
  assign(row: number): Assignment | undefined {
    if (!this.waiting) return undefined;
    const blocks = this.#groups[Math.floor(row / this.#lanes)]!;
    const held = blocks.find(({ source, readers }) => readers > 0 && this.#begun.has(source));
    const source = held?.source ?? this.#another();
    const [block, fresh] = this.#hold(blocks, source);
    const sampleId = this.#begun.get(source) ?? 0;
    if (sampleId + 1 < this.#n) this.#begun.set(source, sampleId + 1);
    else this.#begun.delete(source);
    this.#read(row, blocks[block]!);
    return { source, sampleId, block, fresh };
  }

  /** The candidate of this lane is complete. */
  finish(row: number): void {
    this.#reads[row]!.readers--;
    this.#reads[row] = undefined;
  }

  /** None of a source's candidates waits any longer; lanes that write one are for the caller to `finish`. */
  drop(source: number): void {
    this.#begun.delete(source);
    this.#dropped.add(source);
    this.#skipDropped();
  }

  /** Brings the running candidates together in as few groups as hold them, the first ones. */
  compact(): Move[] {
    const running = this.#reads.filter((block) => block).length;
    const room = Math.ceil(running / this.#lanes) * this.#lanes;
    const moves: Move[] = [];
    let to = 0;
    for (let from = room; from < this.#reads.length; from++) {
      const reads = this.#reads[from];
      if (!reads) continue;
      while (this.#reads[to]) to++;
      const blocks = this.#groups[Math.floor(to / this.#lanes)]!;
      const [block, fresh] = this.#hold(blocks, reads.source);
      this.finish(from);
      this.#read(to, blocks[block]!);
      moves.push({ from, to, block, fresh });
    }
    return moves;
  }

  /** The block of a group that holds a source, or one that nobody reads; as many blocks as lanes, so there is one. */
  #hold(blocks: Block[], source: number): [block: number, fresh: boolean] {
    const held = blocks.findIndex((block) => block.readers > 0 && block.source === source);
    if (held >= 0) return [held, false];
    const free = blocks.findIndex(({ readers }) => readers === 0);
    blocks[free]!.source = source;
    return [free, true];
  }

  #read(row: number, block: Block): void {
    block.readers++;
    this.#reads[row] = block;
  }

  /** A source that nobody has begun, else the one with most candidates waiting. */
  #another(): number {
    if (this.#next < this.#sources) {
      const source = this.#next++;
      this.#skipDropped();
      return source;
    }
    let most = -1;
    for (const [source, sample] of this.#begun)
      if (most < 0 || sample < this.#begun.get(most)!) most = source;
    return most;
  }

  #skipDropped(): void {
    while (this.#dropped.has(this.#next)) this.#next++;
  }
}
