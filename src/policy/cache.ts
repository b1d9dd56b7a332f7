/** Buffers of keys and values that many candidates share while they are decoded. */

import { floats, type Tensor } from "../tensor/program.js";

/**
 * Keys (or values) of one layer: [group, head, block*time, perHead]. Each group has `blocks` blocks (a lane's own past,
 * or a source), each `time` positions long; `resize` changes that length and keeps what is there.
 */
export class BlockCache {
  readonly #groups: number;
  readonly #heads: number;
  readonly #blocks: number;
  readonly #perHead: number;
  #time: number;
  #data: Float32Array;

  constructor(groups: number, heads: number, blocks: number, time: number, perHead: number) {
    this.#groups = groups;
    this.#heads = heads;
    this.#blocks = blocks;
    this.#perHead = perHead;
    this.#time = time;
    this.#data = new Float32Array(groups * heads * blocks * time * perHead);
  }

  tensor(): Tensor {
    return floats(this.#data, [this.#groups, this.#heads, this.#blocks * this.#time, this.#perHead]);
  }

  /** Makes every block `time` positions long. */
  resize(time: number): void {
    if (time === this.#time) return;
    const kept = Math.min(time, this.#time) * this.#perHead;
    const data = new Float32Array(this.#groups * this.#heads * this.#blocks * time * this.#perHead);
    for (let block = 0; block < this.#groups * this.#heads * this.#blocks; block++) {
      const from = block * this.#time * this.#perHead;
      data.set(this.#data.subarray(from, from + kept), block * time * this.#perHead);
    }
    this.#data = data;
    this.#time = time;
  }

  /**
   * Copies `count` positions of one row of `from` [rows, head, fromTime, perHead], beginning at position `first`, to
   * position `at` of a block.
   */
  write(
    group: number,
    block: number,
    at: number,
    from: Float32Array,
    row: number,
    fromTime: number,
    first: number,
    count: number,
  ): void {
    const perHead = this.#perHead;
    const length = count * perHead;
    for (let head = 0; head < this.#heads; head++) {
      const source = ((row * this.#heads + head) * fromTime + first) * perHead;
      const target = (((group * this.#heads + head) * this.#blocks + block) * this.#time + at) * perHead;
      for (let i = 0; i < length; i++) this.#data[target + i] = from[source + i]!;
    }
  }

  /** Within a group, block i takes over the first `count` positions of block `from[i]`; −1: left as it is. */
  permuteBlocks(group: number, from: readonly number[], count: number): void {
    if (from.every((source, block) => source === block || source < 0)) return;
    const length = count * this.#perHead;
    const stride = this.#time * this.#perHead;
    for (let head = 0; head < this.#heads; head++) {
      const base = (group * this.#heads + head) * this.#blocks * stride;
      // Gathered before anything is overwritten: a block may be taken twice.
      const before = this.#data.slice(base, base + this.#blocks * stride);
      from.forEach((source, block) => {
        if (source >= 0) {
          const start = source * stride;
          this.#data.set(before.subarray(start, start + length), base + block * stride);
        }
      });
    }
  }
}
