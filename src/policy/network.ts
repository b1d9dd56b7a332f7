/** The graphs that a native policy runs, and how batches become their inputs. */

import type { MarianConfig } from "../model/config.js";
import { type Lora, recordLora } from "../model/lora.js";
import { type KeysValues, MASKED, Marian, positionTable, type Regularise } from "../model/marian.js";
import { fillDropoutMask } from "../tensor/dropout.js";
import { Graph, type Value } from "../tensor/graph.js";
import {
  add,
  allLogProbs,
  drawBlock,
  logProb,
  logSoftmax,
  mul,
  pick,
  softmax,
  takeBlock,
} from "../tensor/operations.js";
import { floats, integers, type Tensor } from "../tensor/program.js";
import { deriveKey } from "../tensor/random.js";
import { type Dim, elementsOf, type Shape, times } from "../tensor/shape.js";
import type { Batch } from "../tensor/trainer.js";
import type { Group } from "./batches.js";
import { type Loss, logLikelihood, type Still } from "./loss.js";

/** A place where dropout acts, with the shape of its mask. */
export interface DropoutSite {
  readonly name: string;
  readonly shape: Shape;
  /** Where it is another than the training's. */
  readonly rate?: number;
}

/** A regulariser that multiplies by masks given at each run, and the list of them. */
export function dropoutSites(graph: Graph): {
  sites: DropoutSite[];
  regularise: (x: Value, site: string, rate?: number) => Value;
} {
  const sites: DropoutSite[] = [];
  return {
    sites,
    regularise: (x, site, rate) => {
      const name = `dropout.${site}`;
      sites.push({ name, shape: x.shape, ...(rate === undefined ? {} : { rate }) });
      return mul(x, graph.input(name, x.shape));
    },
  };
}

/** Encoder and teacher-forced decoder, recorded: flat hidden states [batch*candidate*time, model]. */
export function recordTeacherForcing(marian: Marian): Value {
  const { graph, config } = marian;
  const source = graph.input("source", ["batch", "sourceTime"], "int64");
  const sourceMask = graph.input("sourceMask", ["batch", 1, 1, "sourceTime"]);
  const sourcePositions = graph.input("sourcePositions", ["sourceTime", config.width]);
  const target = graph.input("target", ["batch*candidate", "time"], "int64");
  const positions = graph.input("positions", ["time", config.width]);
  const causal = graph.input("causal", ["time", "time"]);
  const encoded = marian.encode(source, sourcePositions, sourceMask);
  const cross = marian.crossKeysValues(encoded, "batch", "sourceTime");
  return marian.decode(target, positions, causal, cross, sourceMask, "batch", "candidate");
}

export interface TokenGraph {
  readonly graph: Graph;
  /** What training minimises, label smoothing included. */
  readonly loss: Value;
  /** log p of each target token [token], without smoothing. */
  readonly logProbs: Value;
  /** log p of every token at each target position [token, vocab]. */
  readonly distributions: Value;
  /** Scalars that the loss wants to see after each pass. */
  readonly seen: Readonly<Record<string, Value>>;
  readonly sites: readonly DropoutSite[];
}

/**
 * The graph of a loss over target tokens; the weighted negative log-likelihood where none is given. With `lora` its A and B
 * are parameters beside those of the network.
 */
export function tokenGraph(
  config: MarianConfig,
  options: { smoothing: number; dropout: boolean; loss?: Loss; lora?: Lora & { dropout?: number } },
): TokenGraph {
  const graph = new Graph();
  const { sites, regularise } = dropoutSites(graph);
  const { lora } = options;
  const adapted: Regularise = (x, site) => (lora?.dropout ? regularise(x, site, lora.dropout) : x);
  const marian = new Marian(graph, config, {
    ...(options.dropout ? { regularise } : {}),
    ...(lora ? { adapt: recordLora(config, lora, adapted) } : {}),
  });
  const hidden = recordTeacherForcing(marian);
  const rows = graph.input("tokenRows", ["token"], "int64");
  const targets = graph.input("targets", ["token"], "int64");
  const weight = graph.input("weight", ["token"]);
  const logits = marian.logits(hidden, rows);
  const smoothed = logProb(logits, targets, options.smoothing);
  const distributions = allLogProbs(smoothed);
  const logProbs = options.smoothing === 0 ? smoothed : pick(distributions, targets);
  const inputs = new Map<string, Value>();
  const input = (name: string, shape: Shape): Value => {
    const known = inputs.get(name) ?? graph.input(name, shape);
    inputs.set(name, known);
    return known;
  };
  const { loss, seen } = (options.loss ?? logLikelihood).record({
    graph,
    logProbs: smoothed,
    // What `logProb` makes on its way has no gradient: a loss that wants one records its own.
    get exactLogProbs() {
      return options.smoothing === 0 ? smoothed : logProb(logits, targets);
    },
    allLogProbs: () => logSoftmax(logits),
    weight,
    column: (name) => input(`column.${name}`, ["token"]),
    distribution: (of) => input(distributionInput(of), ["token", config.targetVocabulary]),
  });
  return { graph, loss, logProbs, distributions, seen: seen ?? {}, sites };
}

/** The input that holds the distributions of a policy that is held still. */
export function distributionInput(of: Still): string {
  return `distribution.${of}`;
}

/** A graph and what it gives. */
interface Recorded {
  readonly graph: Graph;
  readonly outputs: Record<string, Value>;
}

/** Encoder alone: cross-attention keys and values of every decoder layer, as outputs `keys.0`, `values.0`, … */
export function encodeGraph(config: MarianConfig): Recorded {
  const graph = new Graph();
  const marian = new Marian(graph, config);
  const source = graph.input("source", ["batch", "sourceTime"], "int64");
  const mask = graph.input("sourceMask", ["batch", 1, 1, "sourceTime"]);
  const positions = graph.input("sourcePositions", ["sourceTime", config.width]);
  const cross = marian.crossKeysValues(marian.encode(source, positions, mask), "batch", "sourceTime");
  return { graph, outputs: nameLayers(cross) };
}

/**
 * One decoding step (see Marian.step): outputs `logProbs` [row, vocab] under the model, `probabilities` [row, vocab]
 * of the distribution to sample from (logits + `forbid`, times `inverseTemperature`), and the step's keys and values.
 */
export function stepGraph(config: MarianConfig): Recorded {
  const { graph, logProbs, probabilities, written } = recordStep(config);
  return { graph, outputs: { logProbs, probabilities, ...written } };
}

/**
 * One decoding step that hands out no distributions, since outputs are copied and those of a whole vocabulary take longer
 * than a third of the step: `block` [row] is the block of columns in which the cumulative probability passes `goal`
 * [row, 2] (see drawBlock), `rest` [row] what of the goal is left in it, `blockProbabilities` and `blockLogProbs`
 * [row, width] what it holds. Besides, the step's keys and values.
 */
export function drawGraph(config: MarianConfig): Recorded {
  const { graph, logProbs, probabilities, written } = recordStep(config);
  const width = blockWidth(config.targetVocabulary);
  const { block, rest } = drawBlock(probabilities, graph.input("goal", [ROW, 2]), width);
  const blockProbabilities = takeBlock(probabilities, block, width);
  const blockLogProbs = takeBlock(logProbs, block, width);
  return { graph, outputs: { block, rest, blockProbabilities, blockLogProbs, ...written } };
}

/** A width that divides the vocabulary saves padding it. */
function blockWidth(vocabulary: number): number {
  for (let width = 128; width >= 64; width--) if (vocabulary % width === 0) return width;
  return 128;
}

function recordStep(config: MarianConfig) {
  const graph = new Graph();
  const marian = new Marian(graph, config);
  const heads = config.decoderHeads;
  const perHead = config.width / heads;
  const layers = [...Array(config.decoderLayers).keys()];
  const cache = (name: string, outer: Dim, time: Dim): KeysValues[] =>
    layers.map((i) => ({
      keys: graph.input(`${name}Keys.${i}`, [outer, heads, time, perHead]),
      values: graph.input(`${name}Values.${i}`, [outer, heads, time, perHead]),
    }));
  const { hidden, written } = marian.step(
    graph.input("ids", [ROW], "int64"),
    graph.input("positions", [ROW, config.width]),
    cache("past", ROW, "past"),
    graph.input("pastMask", [ROW, 1, 1, "past"]),
    cache("cross", "group", "crossTime"),
    graph.input("crossMask", ["group", 1, "lane", "crossTime"]),
  );
  const logits = marian.logits(hidden);
  const allowed = add(logits, graph.input("forbid", [config.targetVocabulary]));
  const probabilities = softmax(mul(allowed, graph.input("inverseTemperature", [])));
  return { graph, logProbs: logSoftmax(logits), probabilities, written: nameLayers(written) };
}

const ROW = times("group", "lane");

function nameLayers(layers: readonly KeysValues[]): Record<string, Value> {
  const named: Record<string, Value> = {};
  layers.forEach(({ keys, values }, i) => {
    named[`keys.${i}`] = keys;
    named[`values.${i}`] = values;
  });
  return named;
}

/** Turns groups into the inputs of `recordTeacherForcing` and of the token loss. */
export class BatchFeeder {
  readonly #config: MarianConfig;
  readonly #positions: Float32Array;
  readonly #causal = new Map<number, Tensor>();
  /** Mask buffers, grown as needed and used again: they are large. */
  readonly #masks = new Map<string, Float32Array>();

  constructor(config: MarianConfig) {
    this.#config = config;
    this.#positions = positionTable(config.maxPositions, config.width);
  }

  /** Position embeddings 0 to `length` − 1, [length, model]. */
  positions(length: number): Tensor {
    const { width, maxPositions } = this.#config;
    if (length > maxPositions) throw new Error(`${length} positions, but the model has ${maxPositions}`);
    return floats(this.#positions.subarray(0, length * width), [length, width]);
  }

  /** Sources as a padded matrix with its mask; every length is at least 2, so that no matrix has one row. */
  sources(
    sources: readonly ArrayLike<number>[],
    multiple = 2,
  ): { feeds: Record<string, Tensor>; sourceTime: number } {
    const longest = sources.reduce((length, source) => Math.max(length, source.length), 2);
    // An odd maxPositions cannot be rounded up; a source beyond it is refused with the positions.
    const rounded = Math.min(this.#config.maxPositions, Math.ceil(longest / multiple) * multiple);
    const sourceTime = Math.max(longest, rounded);
    const ids = new Int32Array(sources.length * sourceTime).fill(this.#config.padId);
    const mask = new Float32Array(sources.length * sourceTime).fill(MASKED);
    sources.forEach((source, row) => {
      for (let i = 0; i < source.length; i++) {
        ids[row * sourceTime + i] = source[i]!;
        mask[row * sourceTime + i] = 0;
      }
    });
    return {
      sourceTime,
      feeds: {
        source: integers(ids, [sources.length, sourceTime]),
        sourceMask: floats(mask, [sources.length, 1, 1, sourceTime]),
        sourcePositions: this.positions(sourceTime),
      },
    };
  }

  /**
   * The inputs for one batch. Weights are multiplied by `scale`. Tokens come out in the order of groups, targets and
   * positions.
   */
  batch(groups: readonly Group[], scale: number): Batch {
    const { feeds, sourceTime } = this.sources(groups.map((group) => group.source));
    const candidate = groups.reduce((most, group) => Math.max(most, group.targets.length), 1);
    const time = groups.reduce(
      (longest, group) => group.targets.reduce((most, t) => Math.max(most, t.tokens.length), longest),
      2,
    );
    const ids = new Int32Array(groups.length * candidate * time).fill(this.#config.padId);
    const tokens = groups.reduce((n, group) => n + group.targets.reduce((m, t) => m + t.tokens.length, 0), 0);
    const rows = new Int32Array(tokens);
    const targets = new Int32Array(tokens);
    const weight = new Float32Array(tokens);
    let next = 0;
    groups.forEach((group, g) => {
      group.targets.forEach((target, c) => {
        const start = (g * candidate + c) * time;
        ids[start] = this.#config.decoderStartId;
        for (let i = 0; i < target.tokens.length; i++) {
          if (i + 1 < time) ids[start + i + 1] = target.tokens[i]!;
          rows[next] = start + i;
          targets[next] = target.tokens[i]!;
          weight[next] = target.weight * scale;
          next++;
        }
      });
    });
    return {
      symbols: { batch: groups.length, sourceTime, candidate, time, token: tokens },
      feeds: {
        ...feeds,
        target: integers(ids, [groups.length * candidate, time]),
        positions: this.positions(time),
        causal: this.causal(time),
        tokenRows: integers(rows, [tokens]),
        targets: integers(targets, [tokens]),
        weight: floats(weight, [tokens]),
      },
    };
  }

  /** Masks for every site, of its own rate or of `rate`, fresh for (seed, step). Passes of one update that are held at once need `slot`s of their own. */
  dropout(
    sites: readonly DropoutSite[],
    symbols: Readonly<Record<string, number>>,
    rate: number,
    seed: number,
    step: number,
    slot = 0,
  ): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = {};
    sites.forEach((site, i) => {
      const size = elementsOf(site.shape, symbols);
      const name = `${slot} ${site.name}`;
      let buffer = this.#masks.get(name);
      if (!buffer || buffer.length < size) {
        buffer = new Float32Array(size);
        this.#masks.set(name, buffer);
      }
      const mask = buffer.subarray(0, size);
      fillDropoutMask(mask, site.rate ?? rate, deriveKey(seed, 0x64726f70, step, i));
      const width = Number(site.shape.at(-1));
      feeds[site.name] = floats(mask, [size / width, width]);
    });
    return feeds;
  }

  /** [time, time]: 0 on and below the diagonal, MASKED above. */
  causal(time: number): Tensor {
    const known = this.#causal.get(time);
    if (known) return known;
    const mask = new Float32Array(time * time);
    for (let i = 0; i < time; i++) mask.fill(MASKED, i * time + i + 1, (i + 1) * time);
    const tensor = floats(mask, [time, time]);
    this.#causal.set(time, tensor);
    return tensor;
  }
}
