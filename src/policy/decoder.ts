/**
 * Decodes many candidates at once, a token a step: a grid of groups and lanes over shared caches. It knows nothing of
 * where tokens come from (drawing, arg max, beams): that is for its callers.
 *
 * Each group has 4 lanes (or as many as there are beams). They belong to one source, or to two or four
 * (`sourcesPerGroup`), whose cross-attention keys then stand side by side as blocks that a mask keeps apart. The number
 * of lanes never changes, so that no matrix has one row.
 *
 * A candidate's numbers are the same bits in any company, because `compileDecoder` makes the weights part of the
 * programs. With weights that are fed, ONNX Runtime cuts a product's sum over the inner dimension at places that depend
 * on how many columns one thread takes, and that on the number of rows: at two threads, 512 inner numbers and 128
 * columns, 4 rows and 256 differ.
 */

import type { MarianConfig } from "../model/config.js";
import { MASKED } from "../model/marian.js";
import type { Parameters } from "../tensor/parameters.js";
import { floatData, floats, integers, Program, type ProgramOptions, type Tensor } from "../tensor/program.js";
import { BlockCache } from "./cache.js";
import { type BatchFeeder, encodeGraph, stepGraph } from "./network.js";

const DEFAULT_LANES = 4;
/** Block lengths are multiples of this; a power of two, so that a block's sums are split the same way anywhere. */
const LENGTH_STEP = 16;

export interface DecoderPrograms {
  readonly encode: Program;
  readonly step: Program;
}

/** Programs that hold a copy of the weights: compile them anew when those have changed, and release the old ones. */
export async function compileDecoder(
  config: MarianConfig,
  parameters: Parameters,
  options: ProgramOptions = {},
): Promise<DecoderPrograms> {
  const weights = Object.fromEntries(
    parameters.specs.map(({ name }) => [name, parameters.view(name)] as const),
  );
  const [encode, step] = [encodeGraph(config), stepGraph(config)];
  return {
    encode: await Program.compile(encode.graph, encode.outputs, { ...options, weights }),
    step: await Program.compile(step.graph, step.outputs, { ...options, weights }),
  };
}

/** A candidate being written. */
interface Lane {
  active: boolean;
  position: number;
  lastToken: number;
}

export class Decoder {
  readonly groups: number;
  readonly lanes: number;
  readonly sourcesPerGroup: number;
  readonly #config: MarianConfig;
  readonly #programs: DecoderPrograms;
  readonly #feeder: BatchFeeder;
  readonly #past: { keys: BlockCache; values: BlockCache }[];
  readonly #cross: { keys: BlockCache; values: BlockCache }[];
  readonly #rows: Lane[];
  readonly #sourceLength: Int32Array;
  readonly #outputs: Record<string, Tensor>;
  readonly #forbid: Tensor;
  readonly #inverseTemperature: Tensor;
  readonly #nowMask: Tensor;
  #pastTime = LENGTH_STEP;
  #sourceTime = LENGTH_STEP;
  #pastMask: Float32Array;
  #crossMask: Float32Array;

  /**
   * @param temperature of the distribution handed out as `probabilities`, above 0.
   * @param sourcesPerGroup how many sources share the lanes of a group; divides their number.
   * @param lanes 2 or more; 4 where absent.
   */
  constructor(
    config: MarianConfig,
    programs: DecoderPrograms,
    feeder: BatchFeeder,
    options: { groups: number; sourcesPerGroup: number; temperature: number; lanes?: number },
  ) {
    this.#config = config;
    this.#programs = programs;
    this.#feeder = feeder;
    this.groups = options.groups;
    this.lanes = options.lanes ?? DEFAULT_LANES;
    if (this.lanes < 2 || this.lanes % options.sourcesPerGroup !== 0)
      throw new Error(`${this.lanes} lanes cannot serve ${options.sourcesPerGroup} sources a group`);
    this.sourcesPerGroup = options.sourcesPerGroup;
    const heads = config.decoderHeads;
    const perHead = config.width / heads;
    const caches = (blocks: number) =>
      Array.from({ length: config.decoderLayers }, () => ({
        keys: new BlockCache(this.groups, heads, blocks, LENGTH_STEP, perHead),
        values: new BlockCache(this.groups, heads, blocks, LENGTH_STEP, perHead),
      }));
    this.#past = caches(this.lanes);
    this.#cross = caches(this.sourcesPerGroup);
    const rows = this.groups * this.lanes;
    this.#rows = Array.from({ length: rows }, () => ({ active: false, position: 0, lastToken: 0 }));
    this.#sourceLength = new Int32Array(this.groups * this.sourcesPerGroup);
    this.#pastMask = new Float32Array(rows * this.lanes * this.#pastTime).fill(MASKED);
    this.#crossMask = new Float32Array(rows * this.sourcesPerGroup * this.#sourceTime).fill(MASKED);
    const vocabulary = config.targetVocabulary;
    this.#outputs = {
      logProbs: floats(new Float32Array(rows * vocabulary), [rows, vocabulary]),
      probabilities: floats(new Float32Array(rows * vocabulary), [rows, vocabulary]),
    };
    for (let i = 0; i < config.decoderLayers; i++)
      for (const name of ["keys", "values"])
        this.#outputs[`${name}.${i}`] = floats(new Float32Array(rows * config.width), [
          this.groups,
          heads,
          this.lanes,
          perHead,
        ]);
    const forbid = new Float32Array(vocabulary);
    // <pad> starts the decoder and never follows; Transformers forbids it in Marian's generation settings too.
    forbid[config.padId] = MASKED;
    this.#forbid = floats(forbid, [vocabulary]);
    this.#inverseTemperature = floats(Float32Array.of(1 / options.temperature), []);
    const now = new Float32Array(this.lanes * this.lanes).fill(MASKED);
    for (let lane = 0; lane < this.lanes; lane++) now[lane * this.lanes + lane] = 0;
    this.#nowMask = floats(now, [this.lanes, this.lanes]);
  }

  get rows(): number {
    return this.groups * this.lanes;
  }

  /** Log-probabilities [rows, vocab] of the last step under the model. */
  get logProbs(): Float32Array {
    return floatData(this.#outputs.logProbs);
  }

  /** Probabilities [rows, vocab] of the last step under the sampling distribution. */
  get probabilities(): Float32Array {
    return floatData(this.#outputs.probabilities);
  }

  isActive(row: number): boolean {
    return this.#rows[row]!.active;
  }

  /** Tokens a lane has behind it, the start token not counted. */
  positionOf(row: number): number {
    return this.#rows[row]!.position;
  }

  /** Encodes sources and puts each in its slot (`group*sourcesPerGroup + i`). */
  async place(slots: readonly { slot: number; source: ArrayLike<number> }[]): Promise<void> {
    if (slots.length === 0) return;
    const needed = slots.reduce((longest, { source }) => Math.max(longest, source.length), 0);
    this.#resizeSources(Math.max(needed, this.#longestHeld(slots)));
    // Sources of very unequal length would all be padded to the longest.
    const byLength = [...slots].sort((a, b) => a.source.length - b.source.length);
    for (let start = 0; start < byLength.length; start += 32) {
      await this.#encode(byLength.slice(start, start + 32));
    }
  }

  async #encode(slots: readonly { slot: number; source: ArrayLike<number> }[]): Promise<void> {
    const { feeds, sourceTime } = this.#feeder.sources(slots.map(({ source }) => source));
    const outputs = await this.#programs.encode.run(feeds, { batch: slots.length, sourceTime });
    slots.forEach(({ slot, source }, row) => {
      const group = Math.floor(slot / this.sourcesPerGroup);
      const block = slot % this.sourcesPerGroup;
      this.#cross.forEach(({ keys, values }, i) => {
        keys.write(group, block, 0, floatData(outputs[`keys.${i}`]), row, sourceTime, 0, source.length);
        values.write(group, block, 0, floatData(outputs[`values.${i}`]), row, sourceTime, 0, source.length);
      });
      this.#sourceLength[slot] = source.length;
      this.#showSource(slot);
    });
  }

  /** Begins a candidate on a free lane. */
  start(row: number): void {
    this.#rows[row] = { active: true, position: 0, lastToken: this.#config.decoderStartId };
    const width = this.lanes * this.#pastTime;
    this.#pastMask.fill(MASKED, row * width, (row + 1) * width);
  }

  stop(row: number): void {
    this.#rows[row]!.active = false;
  }

  /** Computes the next token's distribution for every lane; idle lanes compute something that nobody reads. */
  async step(): Promise<void> {
    this.#resizePast();
    const { width } = this.#config;
    const ids = new Int32Array(this.rows);
    const positions = new Float32Array(this.rows * width);
    const table = floatData(this.#feeder.positions(1 + this.#longestCandidate()));
    this.#rows.forEach((lane, row) => {
      ids[row] = lane.active ? lane.lastToken : this.#config.decoderStartId;
      const at = lane.active ? lane.position : 0;
      positions.set(table.subarray(at * width, (at + 1) * width), row * width);
    });
    const feeds: Record<string, Tensor> = {
      ids: integers(ids, [this.rows]),
      positions: floats(positions, [this.rows, width]),
      pastMask: floats(this.#pastMask, [this.groups, 1, this.lanes, this.lanes * this.#pastTime]),
      nowMask: this.#nowMask,
      crossMask: floats(this.#crossMask, [
        this.groups,
        1,
        this.lanes,
        this.sourcesPerGroup * this.#sourceTime,
      ]),
      forbid: this.#forbid,
      inverseTemperature: this.#inverseTemperature,
    };
    this.#past.forEach(({ keys, values }, i) => {
      feeds[`pastKeys.${i}`] = keys.tensor();
      feeds[`pastValues.${i}`] = values.tensor();
    });
    this.#cross.forEach(({ keys, values }, i) => {
      feeds[`crossKeys.${i}`] = keys.tensor();
      feeds[`crossValues.${i}`] = values.tensor();
    });
    await this.#programs.step.run(
      feeds,
      {
        group: this.groups,
        lane: this.lanes,
        past: this.#pastTime,
        crossTime: this.sourcesPerGroup * this.#sourceTime,
      },
      this.#outputs,
    );
  }

  /** Appends `token` to a lane: the keys and values of the step become part of its past. */
  advance(row: number, token: number): void {
    const lane = this.#rows[row]!;
    const [group, own] = [Math.floor(row / this.lanes), row % this.lanes];
    this.#past.forEach(({ keys, values }, i) => {
      keys.write(group, own, lane.position, floatData(this.#outputs[`keys.${i}`]), group, this.lanes, own, 1);
      values.write(
        group,
        own,
        lane.position,
        floatData(this.#outputs[`values.${i}`]),
        group,
        this.lanes,
        own,
        1,
      );
    });
    this.#pastMask[row * this.lanes * this.#pastTime + own * this.#pastTime + lane.position] = 0;
    lane.position++;
    lane.lastToken = token;
  }

  /**
   * Makes the lanes of one group go on from others of it: lane i takes over the past of lane `parents[i]`, this step
   * included, and appends `tokens[i]` (beam search). A parent of −1 leaves the lane idle.
   */
  reorder(group: number, parents: readonly number[], tokens: readonly number[]): void {
    const first = group * this.lanes;
    const position = this.#rows[first + parents.find((parent) => parent >= 0)!]!.position;
    // Pasts are gathered before they are overwritten, parents may be used twice.
    for (const { keys, values } of this.#past)
      for (const cache of [keys, values]) cache.permuteBlocks(group, parents, position);
    parents.forEach((parent, lane) => {
      const row = first + lane;
      if (parent < 0) {
        this.#rows[row]!.active = false;
        return;
      }
      this.#past.forEach(({ keys, values }, i) => {
        keys.write(
          group,
          lane,
          position,
          floatData(this.#outputs[`keys.${i}`]),
          group,
          this.lanes,
          parent,
          1,
        );
        values.write(
          group,
          lane,
          position,
          floatData(this.#outputs[`values.${i}`]),
          group,
          this.lanes,
          parent,
          1,
        );
      });
      this.#rows[row] = { active: true, position: position + 1, lastToken: tokens[lane]! };
      const start = row * this.lanes * this.#pastTime;
      this.#pastMask.fill(MASKED, start, start + this.lanes * this.#pastTime);
      const block = start + lane * this.#pastTime;
      this.#pastMask.fill(0, block, block + position + 1);
    });
  }

  #longestHeld(replaced: readonly { slot: number }[]): number {
    const going = new Set(replaced.map(({ slot }) => slot));
    return this.#sourceLength.reduce(
      (longest, length, slot) =>
        going.has(slot) || !this.#slotInUse(slot) ? longest : Math.max(longest, length),
      0,
    );
  }

  #slotInUse(slot: number): boolean {
    const lanesPerSource = this.lanes / this.sourcesPerGroup;
    return this.#rows.slice(slot * lanesPerSource, (slot + 1) * lanesPerSource).some((lane) => lane.active);
  }

  #resizeSources(longest: number): void {
    const time = blockLength(longest, this.sourcesPerGroup > 1);
    if (time === this.#sourceTime) return;
    this.#sourceTime = time;
    for (const { keys, values } of this.#cross) {
      keys.resize(time);
      values.resize(time);
    }
    this.#crossMask = new Float32Array(this.rows * this.sourcesPerGroup * time).fill(MASKED);
    for (let slot = 0; slot < this.#sourceLength.length; slot++) this.#showSource(slot);
  }

  /** Lets the lanes of a slot see its source's positions. */
  #showSource(slot: number): void {
    const lanesPerSource = this.lanes / this.sourcesPerGroup;
    const block = slot % this.sourcesPerGroup;
    const width = this.sourcesPerGroup * this.#sourceTime;
    for (let lane = 0; lane < lanesPerSource; lane++) {
      const start = (slot * lanesPerSource + lane) * width;
      this.#crossMask.fill(MASKED, start, start + width);
      const from = start + block * this.#sourceTime;
      this.#crossMask.fill(0, from, from + Math.min(this.#sourceLength[slot]!, this.#sourceTime));
    }
  }

  #longestCandidate(): number {
    return this.#rows.reduce((most, lane) => (lane.active ? Math.max(most, lane.position) : most), 0);
  }

  /** Makes room for the longest candidate, and gives room back when the long ones have ended. */
  #resizePast(): void {
    const time = blockLength(1 + this.#longestCandidate(), true);
    // Shrinking copies everything: only when it halves the work at least.
    if (time === this.#pastTime || (time < this.#pastTime && 2 * time > this.#pastTime)) return;
    this.#pastTime = time;
    for (const { keys, values } of this.#past) {
      keys.resize(time);
      values.resize(time);
    }
    this.#pastMask = new Float32Array(this.rows * this.lanes * time).fill(MASKED);
    this.#rows.forEach((lane, row) => {
      if (!lane.active) return;
      const start = row * this.lanes * time + (row % this.lanes) * time;
      this.#pastMask.fill(0, start, start + lane.position);
    });
  }
}

/** The length of a block that holds `length` positions: a power of two where several blocks share a sum. */
function blockLength(length: number, powerOfTwo: boolean): number {
  if (!powerOfTwo) return Math.max(LENGTH_STEP, Math.ceil(length / LENGTH_STEP) * LENGTH_STEP);
  let time = LENGTH_STEP;
  while (time < length) time *= 2;
  return time;
}
