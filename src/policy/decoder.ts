/**
 * Decodes many candidates at once, a token a step: groups of lanes over shared caches. It hands out distributions, or
 * tokens drawn from them; what to do with these, and which lane writes what, is for its callers.
 *
 * Each lane attends to its own past alone. The lanes of a group attend to their sources together: up to one source a lane
 * stands in the group's cross-attention keys, as blocks side by side, and a mask shows each lane its own. A step computes
 * the groups up to the last one with an active lane; a group has 2 lanes or more, so that no matrix of weights meets one
 * row.
 *
 * A candidate's numbers are the same bits in any company, because the weights are part of the programs. With weights that are fed, ONNX Runtime cuts a product's sum over the inner dimension at places that depend
 * on how many columns one thread takes, and that on the number of rows: at two threads, 512 inner numbers and 128
 * columns, 4 rows and 256 differ.
 */

import type { MarianConfig } from "../model/config.js";
import { MASKED } from "../model/marian.js";
import type { Parameters } from "../tensor/parameters.js";
import { floatData, floats, integers, Program, type ProgramOptions, type Tensor } from "../tensor/program.js";
import { BlockCache } from "./cache.js";
import { walk } from "./draw.js";
import { type BatchFeeder, drawGraph, encodeGraph, stepGraph } from "./network.js";

const DEFAULT_LANES = 4;
/** Positions are held in multiples of this. */
const LENGTH_STEP = 16;
/** Padded positions that one pass of the encoder takes. */
const ENCODED_TOKENS = 1024;

const graphs = { encode: encodeGraph, step: stepGraph, draw: drawGraph } as const;

/**
 * The programs of decoding, each compiled when it is first run. They hold copies of the weights: make them anew when
 * those change, and release the old ones.
 */
export class DecoderPrograms {
  readonly #compile: (name: keyof typeof graphs) => Promise<Program>;
  readonly #programs = new Map<keyof typeof graphs, Promise<Program>>();

  constructor(config: MarianConfig, parameters: Parameters, options: ProgramOptions = {}) {
    this.#compile = (name) => {
      const { graph, outputs } = graphs[name](config);
      const views = parameters.specs.map((spec) => [spec.name, parameters.view(spec.name)] as const);
      return Program.compile(graph, outputs, { ...options, weights: Object.fromEntries(views) });
    };
  }

  async run(
    name: keyof typeof graphs,
    feeds: Readonly<Record<string, Tensor>>,
    symbols: Readonly<Record<string, number>>,
  ): Promise<Record<string, Tensor>> {
    const known = this.#programs.get(name) ?? this.#compile(name);
    this.#programs.set(name, known);
    return (await known).run(feeds, symbols);
  }

  async release(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).release();
    this.#programs.clear();
  }
}

/** A source that has been encoded: its row of what one pass of the encoder gave. */
export interface Encoding {
  readonly length: number;
  readonly row: number;
  readonly time: number;
  /** Cross-attention keys and values of each layer, [batch, head, time, perHead]. */
  readonly layers: readonly { keys: Float32Array; values: Float32Array }[];
}

/** How full the steps were. */
export interface Occupancy {
  readonly steps: number;
  /** Rows computed in all steps together, and those of them that wrote a candidate. */
  readonly rows: number;
  readonly busy: number;
  /** Steps in which fewer than half the rows wrote one. */
  readonly belowHalf: number;
}

/** A token that has been drawn. */
export interface Drawn {
  readonly token: number;
  /** Under the distribution that was drawn from. */
  readonly probability: number;
  /** Under the model. */
  readonly logProb: number;
}

/** A candidate being written. */
interface Lane {
  active: boolean;
  /** Where the group holds its source. */
  block: number;
  position: number;
  lastToken: number;
}

interface Layer {
  readonly keys: BlockCache;
  readonly values: BlockCache;
}

export class Decoder {
  readonly groups: number;
  readonly lanes: number;
  readonly #config: MarianConfig;
  readonly #programs: DecoderPrograms;
  readonly #feeder: BatchFeeder;
  /** A group for each lane, with one block. */
  readonly #past: Layer[];
  readonly #cross: Layer[];
  readonly #rows: Lane[];
  /** Length of the source in each block, [group, lane]. */
  readonly #sourceLength: Int32Array;
  /** Of the last step, by name. */
  #outputs: Readonly<Record<string, Tensor>> = {};
  readonly #positions: Float32Array;
  readonly #forbid: Tensor;
  readonly #inverseTemperature: Tensor;
  #pastTime = LENGTH_STEP;
  #sourceTime = LENGTH_STEP;
  #blocks = 1;
  #pastMask: Float32Array;
  #crossMask: Float32Array;
  #occupancy: Occupancy = { steps: 0, rows: 0, busy: 0, belowHalf: 0 };

  /**
   * @param temperature of the distribution handed out as `probabilities`, above 0.
   * @param lanes of a group, 2 or more; 4 where absent.
   */
  constructor(
    config: MarianConfig,
    programs: DecoderPrograms,
    feeder: BatchFeeder,
    options: { groups: number; temperature: number; lanes?: number },
  ) {
    this.#config = config;
    this.#programs = programs;
    this.#feeder = feeder;
    this.groups = options.groups;
    this.lanes = options.lanes ?? DEFAULT_LANES;
    if (this.lanes < 2) throw new Error(`a group of ${this.lanes} lanes has fewer than 2`);
    const heads = config.decoderHeads;
    const perHead = config.width / heads;
    const caches = (groups: number) =>
      Array.from({ length: config.decoderLayers }, () => ({
        keys: new BlockCache(groups, heads, 1, LENGTH_STEP, perHead),
        values: new BlockCache(groups, heads, 1, LENGTH_STEP, perHead),
      }));
    const { rows } = this;
    this.#past = caches(rows);
    this.#cross = caches(this.groups);
    this.#rows = Array.from({ length: rows }, () => ({ active: false, block: 0, position: 0, lastToken: 0 }));
    this.#sourceLength = new Int32Array(rows);
    this.#pastMask = new Float32Array(rows * this.#pastTime).fill(MASKED);
    this.#crossMask = new Float32Array(rows * this.#sourceTime).fill(MASKED);
    this.#positions = new Float32Array(rows * config.width);
    const forbid = new Float32Array(config.targetVocabulary);
    // <pad> among them: it starts the decoder and never follows.
    for (const token of config.generation.forbidden) forbid[token] = MASKED;
    this.#forbid = floats(forbid, [config.targetVocabulary]);
    this.#inverseTemperature = floats(Float32Array.of(1 / options.temperature), []);
  }

  get rows(): number {
    return this.groups * this.lanes;
  }

  /** Log-probabilities [rows, vocab] after `step`, under the model, of the rows that it computed. */
  get logProbs(): Float32Array {
    return floatData(this.#outputs.logProbs);
  }

  /** Probabilities [rows, vocab] after `step`, under the sampling distribution. */
  get probabilities(): Float32Array {
    return floatData(this.#outputs.probabilities);
  }

  /** Of all steps so far. */
  get occupancy(): Occupancy {
    return this.#occupancy;
  }

  isActive(row: number): boolean {
    return this.#rows[row]!.active;
  }

  /** Tokens a lane has behind it, the start token not counted. */
  positionOf(row: number): number {
    return this.#rows[row]!.position;
  }

  /** Encodes sources, the first ones of `sources` that make up one pass at least. */
  async encode(sources: readonly ArrayLike<number>[]): Promise<Encoding[]> {
    let count = 0;
    let longest = 0;
    while (count < sources.length) {
      longest = Math.max(longest, sources[count]!.length);
      if (count > 0 && (count + 1) * longest > ENCODED_TOKENS) break;
      count++;
    }
    const batch = sources.slice(0, count);
    const { feeds, sourceTime: time } = this.#feeder.sources(batch);
    const outputs = await this.#programs.run("encode", feeds, { batch: count, sourceTime: time });
    const layers = this.#cross.map((_, i) => ({
      keys: floatData(outputs[`keys.${i}`]),
      values: floatData(outputs[`values.${i}`]),
    }));
    return batch.map(({ length }, row) => ({ length, row, time, layers }));
  }

  /** Begins a candidate on a free lane. It reads the source in `block` of its group, which is `source` where given. */
  start(row: number, block: number, source?: Encoding): void {
    const group = this.#groupOf(row);
    if (source) {
      const { length, row: from, time, layers } = source;
      this.#makeRoom(group, block, length);
      this.#cross.forEach(({ keys, values }, i) => {
        keys.write(group, block, 0, layers[i]!.keys, from, time, length);
        values.write(group, block, 0, layers[i]!.values, from, time, length);
      });
    }
    this.#rows[row] = { active: true, block, position: 0, lastToken: this.#config.decoderStartId };
    this.#showPast(row);
    this.#showSource(row);
  }

  stop(row: number): void {
    this.#rows[row]!.active = false;
  }

  /** Moves a candidate to a free lane; `copies`: its source goes along into `block`, else it is there already. */
  move(from: number, to: number, block: number, copies: boolean): void {
    const lane = this.#rows[from]!;
    const [group, toGroup] = [this.#groupOf(from), this.#groupOf(to)];
    if (copies) {
      const length = this.#sourceLength[group * this.lanes + lane.block]!;
      this.#makeRoom(toGroup, block, length);
      for (const { keys, values } of this.#cross)
        for (const cache of [keys, values]) cache.copy(group, lane.block, toGroup, block, length);
    }
    for (const { keys, values } of this.#past)
      for (const cache of [keys, values]) cache.copy(from, 0, to, 0, lane.position);
    this.#rows[to] = { ...lane, block };
    this.stop(from);
    this.#showPast(to);
    this.#showSource(to);
  }

  /** Computes the next token's distribution for every lane; idle lanes compute something that nobody reads. */
  async step(): Promise<void> {
    await this.#run("step");
  }

  /**
   * A step that draws a token for every lane, with the uniform numbers in (0, 1) of `uniforms` [rows]; `drawn` has them.
   * It hands out no distributions.
   */
  async draw(uniforms: Float64Array): Promise<void> {
    await this.#run("draw", uniforms);
  }

  /** What `draw` drew for a row. */
  drawn(row: number): Drawn {
    const { block, rest, blockProbabilities, blockLogProbs } = this.#outputs;
    const probabilities = floatData(blockProbabilities);
    const width = blockProbabilities!.dims[1]!;
    const first = Number(block!.data[row]) * width;
    const count = Math.min(width, this.#config.targetVocabulary - first);
    const start = row * width;
    const at = walk(probabilities, start, start + count, floatData(rest)[row]!);
    return {
      token: first + at - start,
      probability: probabilities[at]!,
      logProb: floatData(blockLogProbs)[at]!,
    };
  }

  async #run(program: "step" | "draw", uniforms?: Float64Array): Promise<void> {
    this.#resizePast();
    const groups = 1 + this.#groupOf(this.#rows.findLastIndex(({ active }) => active));
    const rows = groups * this.lanes;
    this.#count(rows);
    const { width } = this.#config;
    const ids = new Int32Array(rows);
    const goals = new Float32Array(2 * rows);
    const table = floatData(this.#feeder.positions(1 + this.#longestCandidate()));
    for (let row = 0; row < rows; row++) {
      const lane = this.#rows[row]!;
      ids[row] = lane.active ? lane.lastToken : this.#config.decoderStartId;
      const at = lane.active ? lane.position : 0;
      const goal = uniforms?.[row] ?? 0;
      goals[2 * row] = goal;
      goals[2 * row + 1] = goal - goals[2 * row]!;
      this.#positions.set(table.subarray(at * width, (at + 1) * width), row * width);
    }
    const first = (data: Float32Array, ...dims: number[]) =>
      floats(
        data.subarray(
          0,
          dims.reduce((size, dim) => size * dim),
        ),
        dims,
      );
    const crossTime = this.#blocks * this.#sourceTime;
    const feeds: Record<string, Tensor> = {
      ids: integers(ids, [rows]),
      positions: first(this.#positions, rows, width),
      pastMask: first(this.#pastMask, rows, 1, 1, this.#pastTime),
      crossMask: first(this.#crossMask, groups, 1, this.lanes, crossTime),
      goal: floats(goals, [rows, 2]),
      forbid: this.#forbid,
      inverseTemperature: this.#inverseTemperature,
    };
    this.#past.forEach(({ keys, values }, i) => {
      feeds[`pastKeys.${i}`] = keys.tensor(rows);
      feeds[`pastValues.${i}`] = values.tensor(rows);
    });
    this.#cross.forEach(({ keys, values }, i) => {
      feeds[`crossKeys.${i}`] = keys.tensor(groups);
      feeds[`crossValues.${i}`] = values.tensor(groups);
    });
    const symbols = { group: groups, lane: this.lanes, past: this.#pastTime, crossTime };
    this.#outputs = await this.#programs.run(program, feeds, symbols);
  }

  /** Appends `token` to a lane: the keys and values of the step become part of its past. */
  advance(row: number, token: number): void {
    const lane = this.#rows[row]!;
    this.#keep(row, lane.position, row);
    this.#pastMask[row * this.#pastTime + lane.position] = 0;
    lane.position++;
    lane.lastToken = token;
  }

  /**
   * Makes the lanes of one group go on from others of it: lane i takes over the past of lane `parents[i]`, this step
   * included, and appends `tokens[i]` (beam search). A parent of −1 leaves the lane idle.
   */
  reorder(group: number, parents: readonly number[], tokens: readonly number[]): void {
    const first = group * this.lanes;
    const { position, block } = this.#rows[first + parents.find((parent) => parent >= 0)!]!;
    for (const { keys, values } of this.#past)
      for (const cache of [keys, values]) cache.permuteGroups(first, parents, position);
    parents.forEach((parent, lane) => {
      const row = first + lane;
      if (parent < 0) {
        this.stop(row);
        return;
      }
      this.#keep(row, position, first + parent);
      this.#rows[row] = { active: true, block, position: position + 1, lastToken: tokens[lane]! };
      this.#showPast(row);
      this.#showSource(row);
    });
  }

  /** Writes the step's keys and values of row `from` into the past of `row`. */
  #keep(row: number, position: number, from: number): void {
    this.#past.forEach(({ keys, values }, i) => {
      keys.write(row, 0, position, floatData(this.#outputs[`keys.${i}`]), from, 1, 1);
      values.write(row, 0, position, floatData(this.#outputs[`values.${i}`]), from, 1, 1);
    });
  }

  #groupOf(row: number): number {
    return Math.floor(row / this.lanes);
  }

  #count(rows: number): void {
    const busy = this.#rows.filter(({ active }) => active).length;
    const { steps, rows: before, busy: busyBefore, belowHalf } = this.#occupancy;
    this.#occupancy = {
      steps: steps + 1,
      rows: before + rows,
      busy: busyBefore + busy,
      belowHalf: belowHalf + (2 * busy < rows ? 1 : 0),
    };
  }

  /** Makes room for a source of `length` in a block, and gives room back that nobody needs. */
  #makeRoom(group: number, block: number, length: number): void {
    let [longest, blocks] = [length, 1 + block];
    this.#rows.forEach((lane, row) => {
      if (!lane.active) return;
      longest = Math.max(longest, this.#sourceLength[this.#groupOf(row) * this.lanes + lane.block]!);
      blocks = Math.max(blocks, 1 + lane.block);
    });
    this.#resizeSources(
      // Shrinking copies everything: only when it halves the work at least.
      blocks > this.#blocks || 2 * blocks <= this.#blocks ? blocks : this.#blocks,
      blockLength(longest),
    );
    this.#sourceLength[group * this.lanes + block] = length;
  }

  #resizeSources(blocks: number, time: number): void {
    if (blocks === this.#blocks && time === this.#sourceTime) return;
    for (const { keys, values } of this.#cross)
      for (const cache of [keys, values])
        cache.resize(blocks, time, (group, block) => this.#sourceLength[group * this.lanes + block]!);
    this.#blocks = blocks;
    this.#sourceTime = time;
    this.#crossMask = new Float32Array(this.rows * blocks * time).fill(MASKED);
    this.#rows.forEach(({ active }, row) => {
      if (active) this.#showSource(row);
    });
  }

  /** Lets a lane see its source's positions. */
  #showSource(row: number): void {
    const width = this.#blocks * this.#sourceTime;
    const { block } = this.#rows[row]!;
    const length = this.#sourceLength[this.#groupOf(row) * this.lanes + block]!;
    const from = row * width + block * this.#sourceTime;
    this.#crossMask.fill(MASKED, row * width, (row + 1) * width);
    this.#crossMask.fill(0, from, from + length);
  }

  #longestCandidate(): number {
    return this.#rows.reduce((most, lane) => (lane.active ? Math.max(most, lane.position) : most), 0);
  }

  /** Makes room for the longest candidate, and gives room back when the long ones have ended. */
  #resizePast(): void {
    const needed = Math.ceil((1 + this.#longestCandidate()) / LENGTH_STEP) * LENGTH_STEP;
    // Shrinking copies everything: only when it halves the work at least.
    if (needed <= this.#pastTime && 2 * needed > this.#pastTime) return;
    this.#pastTime = needed;
    const kept = (row: number) => (this.#rows[row]!.active ? this.#rows[row]!.position : 0);
    for (const { keys, values } of this.#past)
      for (const cache of [keys, values]) cache.resize(1, needed, kept);
    this.#pastMask = new Float32Array(this.rows * needed).fill(MASKED);
    this.#rows.forEach(({ active }, row) => {
      if (active) this.#showPast(row);
    });
  }

  /** Lets a lane see what it has written. */
  #showPast(row: number): void {
    const start = row * this.#pastTime;
    this.#pastMask.fill(MASKED, start, start + this.#pastTime);
    this.#pastMask.fill(0, start, start + this.#rows[row]!.position);
  }
}

/** A power of two that `length` positions fit in, so that a block's sums are split the same way wherever it stands. */
function blockLength(length: number): number {
  let time = LENGTH_STEP;
  while (time < length) time *= 2;
  return time;
}
