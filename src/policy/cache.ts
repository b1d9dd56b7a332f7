/** Buffers of keys and values that many candidates read while they are decoded. */

import { floats, type Tensor } from "../tensor/program.js";

/**
 * Keys (or values) of one layer: [group, head, block*time, perHead]. A group is what attends together: the lanes that
 * share sources, a block for each source; or one lane alone, whose single block is its past.
 */
export class BlockCache {
  readonly #groups: number;
  readonly #heads: number;
  readonly #perHead: number;
  #blocks: number;
  #time: number;
  /** At least as long as what is held. */
  #data: Float32Array;

  constructor(groups: number, heads: number, blocks: number, time: number, perHead: number) {
    this.#groups = groups;
    this.#heads = heads;
    this.#blocks = blocks;
    this.#perHead = perHead;
    this.#time = time;
    this.#data = new Float32Array(groups * heads * blocks * time * perHead);
  }

  /** The first `groups` groups. */
  tensor(groups: number): Tensor {
    const length = this.#offset(groups, 0, 0);
    return floats(this.#data.subarray(0, length), [
      groups,
      this.#heads,
      this.#blocks * this.#time,
      this.#perHead,
    ]);
  }

  /** Gives each group `blocks` blocks of `time` positions; the first `kept(group, block)` of each stay. */
  resize(blocks: number, time: number, kept: (group: number, block: number) => number): void {
    const [oldBlocks, oldTime, old] = [this.#blocks, this.#time, this.#data];
    if (blocks === oldBlocks && time === oldTime) return;
    const size = this.#groups * this.#heads * blocks * time * this.#perHead;
    const grows = blocks >= oldBlocks && time >= oldTime;
    const inPlace = old.length >= size && (grows || (blocks <= oldBlocks && time <= oldTime));
    const data = inPlace ? old : new Float32Array(size);
    const both = Math.min(blocks, oldBlocks);
    const count = this.#groups * this.#heads * both;
    for (let i = 0; i < count; i++) {
      // In place, what moves up is moved last first.
      const index = grows ? count - 1 - i : i;
      const [row, block] = [Math.floor(index / both), index % both];
      const length = Math.min(time, oldTime, kept(Math.floor(row / this.#heads), block)) * this.#perHead;
      const from = (row * oldBlocks + block) * oldTime * this.#perHead;
      const to = (row * blocks + block) * time * this.#perHead;
      if (inPlace) data.copyWithin(to, from, from + length);
      else data.set(old.subarray(from, from + length), to);
    }
    this.#data = data;
    this.#blocks = blocks;
    this.#time = time;
  }

  /**
   * Copies `count` positions of row `row` of `from` [rows, head, fromTime, perHead], from the first on, to position `at`
   * of a block.
   */
  write(
    group: number,
    block: number,
    at: number,
    from: Float32Array,
    row: number,
    fromTime: number,
    count: number,
  ): void {
    const length = count * this.#perHead;
    for (let head = 0; head < this.#heads; head++) {
      const source = (row * this.#heads + head) * fromTime * this.#perHead;
      const target = this.#offset(group, head, block) + at * this.#perHead;
      for (let i = 0; i < length; i++) this.#data[target + i] = from[source + i]!;
    }
  }

  /** Copies the first `count` positions of one block to another. */
  copy(group: number, block: number, toGroup: number, toBlock: number, count: number): void {
    for (let head = 0; head < this.#heads; head++) {
      const from = this.#offset(group, head, block);
      this.#data.copyWithin(this.#offset(toGroup, head, toBlock), from, from + count * this.#perHead);
    }
  }

  /** Group `first + i` takes over the first `count` positions of group `first + from[i]`, block 0; −1: left as it is. */
  permuteGroups(first: number, from: readonly number[], count: number): void {
    if (from.every((source, i) => source === i || source < 0)) return;
    const base = this.#offset(first, 0, 0);
    // Gathered before anything is overwritten: a group may be taken twice.
    const before = this.#data.slice(base, this.#offset(first + from.length, 0, 0));
    from.forEach((source, i) => {
      if (source < 0) return;
      for (let head = 0; head < this.#heads; head++) {
        const start = this.#offset(source, head, 0);
        this.#data.set(
          before.subarray(start, start + count * this.#perHead),
          this.#offset(first + i, head, 0),
        );
      }
    });
  }

  #offset(group: number, head: number, block: number): number {
    return ((group * this.#heads + head) * this.#blocks + block) * this.#time * this.#perHead;
  }
}
