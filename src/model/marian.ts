/**
 * The Marian encoder-decoder, equation for equation Hugging Face's `MarianMTModel`: post-norm layers, sinusoidal
 * positions, tied embeddings, `final_logits_bias`, `<pad>` starts the decoder.
 *
 * Hidden states are kept flat, `[batch*time, model]`; candidates of one source share its encoder pass and its
 * cross-attention keys and values by standing as further query positions, `[batch, head, candidate*time, perHead]`.
 */

import type { Graph, Value } from "../tensor/graph.js";
import {
  add,
  div,
  embedding,
  exp,
  gelu,
  largest,
  layerNorm,
  matmul,
  maximum,
  mul,
  relu,
  reshape,
  silu,
  softmax,
  sub,
  sum,
  takeRows,
  transpose,
} from "../tensor/operations.js";
import type { ParameterSpec } from "../tensor/parameters.js";
import { type Dim, times } from "../tensor/shape.js";
import type { MarianConfig } from "./config.js";

/** Score of a position that must not be attended to: its exponential is exactly 0. */
export const MASKED = -1e9;

/** Applies dropout (or nothing) to a flat hidden state; `site` is unique within a graph. */
export type Regularise = (x: Value, site: string) => Value;

const asIs: Regularise = (x) => x;

/** What an adapter makes of `out` = linear layer `name` of `x`, both flat: the same where it leaves that layer alone. */
export type Adapt = (out: Value, x: Value, name: string) => Value;

/** The weights of a network under their names in a Hugging Face folder, in storage order. */
export function parameterSpecs(config: MarianConfig): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  const matrix = (name: string, ...shape: number[]) => specs.push({ name, shape, decay: true });
  const vector = (name: string, length: number) => specs.push({ name, shape: [length], decay: false });
  const { width } = config;
  const linear = (name: string, out: number, from: number) => {
    matrix(`${name}.weight`, out, from);
    vector(`${name}.bias`, out);
  };
  const norm = (name: string) => {
    vector(`${name}.weight`, width);
    vector(`${name}.bias`, width);
  };
  const attention = (name: string) => {
    for (const part of ["q_proj", "k_proj", "v_proj", "out_proj"]) linear(`${name}.${part}`, width, width);
    norm(`${name}_layer_norm`);
  };
  const feedForward = (name: string, inner: number) => {
    linear(`${name}.fc1`, inner, width);
    linear(`${name}.fc2`, width, inner);
    norm(`${name}.final_layer_norm`);
  };
  if (config.sharedEmbeddings) matrix(sourceEmbedding(config), config.vocabulary, width);
  else {
    matrix(sourceEmbedding(config), config.vocabulary, width);
    matrix(targetEmbedding(config), config.targetVocabulary, width);
  }
  for (let i = 0; i < config.encoderLayers; i++) {
    attention(`model.encoder.layers.${i}.self_attn`);
    feedForward(`model.encoder.layers.${i}`, config.encoderInner);
  }
  for (let i = 0; i < config.decoderLayers; i++) {
    attention(`model.decoder.layers.${i}.self_attn`);
    attention(`model.decoder.layers.${i}.encoder_attn`);
    feedForward(`model.decoder.layers.${i}`, config.decoderInner);
  }
  specs.push({ name: "final_logits_bias", shape: [1, config.targetVocabulary], decay: false });
  return specs;
}

export function sourceEmbedding(config: MarianConfig): string {
  return config.sharedEmbeddings ? "model.shared.weight" : "model.encoder.embed_tokens.weight";
}

export function targetEmbedding(config: MarianConfig): string {
  return config.sharedEmbeddings ? "model.shared.weight" : "model.decoder.embed_tokens.weight";
}

/** The parameters that a recorded graph mentions, each recorded once. */
class Weights {
  readonly #graph: Graph;
  readonly #specs: Map<string, ParameterSpec>;
  readonly #values = new Map<string, Value>();

  constructor(graph: Graph, specs: readonly ParameterSpec[]) {
    this.#graph = graph;
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
  }

  get(name: string): Value {
    const known = this.#values.get(name);
    if (known) return known;
    const spec = this.#specs.get(name);
    if (!spec) throw new Error(`the network has no weight ${name}`);
    const value = this.#graph.parameter(name, spec.shape);
    this.#values.set(name, value);
    return value;
  }
}

/** Keys and values of one attention, `[outer, head, time, perHead]` each. */
export interface KeysValues {
  readonly keys: Value;
  readonly values: Value;
}

/** A network being recorded into one graph. */
export class Marian {
  readonly graph: Graph;
  readonly config: MarianConfig;
  readonly #weights: Weights;
  readonly #regularise: Regularise;
  readonly #adapt: Adapt;

  constructor(
    graph: Graph,
    config: MarianConfig,
    options: { specs?: readonly ParameterSpec[]; regularise?: Regularise; adapt?: Adapt } = {},
  ) {
    this.graph = graph;
    this.config = config;
    this.#weights = new Weights(graph, options.specs ?? parameterSpecs(config));
    this.#regularise = options.regularise ?? asIs;
    this.#adapt = options.adapt ?? ((out) => out);
  }

  weight(name: string): Value {
    return this.#weights.get(name);
  }

  /**
   * Encodes sources: ids [batch, sourceTime], positions [sourceTime, model], mask [batch, 1, 1, sourceTime] added to
   * the scores (0 or MASKED). Returns flat hidden states [batch*sourceTime, model].
   */
  encode(ids: Value, positions: Value, mask: Value): Value {
    const [batch, time] = ids.shape as [Dim, Dim];
    return this.graph.scope("encoder", () => {
      const embedded = this.#embed(sourceEmbedding(this.config), ids, positions);
      let hidden = this.#regularise(this.#flat(embedded), "encoder.embedding");
      for (let i = 0; i < this.config.encoderLayers; i++) {
        hidden = this.graph.scope(`${i}`, () => {
          const name = `model.encoder.layers.${i}`;
          const heads = this.config.encoderHeads;
          const query = this.heads(this.linear(hidden, `${name}.self_attn.q_proj`), batch, time, heads);
          const own = this.keysValues(hidden, `${name}.self_attn`, batch, time, heads);
          const mixed = attend(query, own, mask);
          const attended = this.#after(hidden, mixed, `${name}.self_attn`);
          return this.#feedForward(attended, name);
        });
      }
      return hidden;
    });
  }

  /** Cross-attention keys and values of each decoder layer, [batch, head, sourceTime, perHead]. */
  crossKeysValues(encoded: Value, batch: Dim, sourceTime: Dim): KeysValues[] {
    return Array.from({ length: this.config.decoderLayers }, (_, i) =>
      this.graph.scope(`decoder.${i}.cross`, () =>
        this.keysValues(
          encoded,
          `model.decoder.layers.${i}.encoder_attn`,
          batch,
          sourceTime,
          this.config.decoderHeads,
        ),
      ),
    );
  }

  /**
   * Decodes whole targets at once (teacher forcing): ids [batch*candidate, time] begin with the start token, positions
   * [time, model], causal [time, time] and crossMask [batch, 1, 1, sourceTime] are added to the scores. Returns flat
   * hidden states [batch*candidate*time, model].
   */
  decode(
    ids: Value,
    positions: Value,
    causal: Value,
    cross: readonly KeysValues[],
    crossMask: Value,
    batch: Dim,
    candidate: Dim,
  ): Value {
    const [rows, time] = ids.shape as [Dim, Dim];
    const heads = this.config.decoderHeads;
    return this.graph.scope("decoder", () => {
      const embedded = this.#embed(targetEmbedding(this.config), ids, positions);
      let hidden = this.#regularise(this.#flat(embedded), "decoder.embedding");
      for (let i = 0; i < this.config.decoderLayers; i++) {
        hidden = this.graph.scope(`${i}`, () => {
          const name = `model.decoder.layers.${i}`;
          const query = this.heads(this.linear(hidden, `${name}.self_attn.q_proj`), rows, time, heads);
          const own = this.keysValues(hidden, `${name}.self_attn`, rows, time, heads);
          const first = this.#after(hidden, attend(query, own, causal), `${name}.self_attn`);
          const toSource = this.heads(
            this.linear(first, `${name}.encoder_attn.q_proj`),
            batch,
            times(candidate, time),
            heads,
          );
          const mixed = attend(toSource, cross[i]!, crossMask);
          const second = this.#after(first, mixed, `${name}.encoder_attn`);
          return this.#feedForward(second, name);
        });
      }
      return hidden;
    });
  }

  /**
   * One decoding step for `group*lane` candidates at once. Each attends to its own `past` [group*lane, head, past,
   * perHead]; to their sources the lanes of one group attend together, as query positions over the group's keys. ids
   * [group*lane], positions [group*lane, model], pastMask [group*lane, 1, 1, past], crossMask [group, 1, lane,
   * crossTime]. Returns the flat hidden states [group*lane, model] and the step's own keys and values, [group*lane,
   * head, 1, perHead] a layer.
   */
  step(
    ids: Value,
    positions: Value,
    past: readonly KeysValues[],
    pastMask: Value,
    cross: readonly KeysValues[],
    crossMask: Value,
  ): { hidden: Value; written: KeysValues[] } {
    const heads = this.config.decoderHeads;
    const rows = ids.shape[0]!;
    // Heads of one position stand side by side already: nothing to transpose.
    const single = (x: Value) => reshape(x, [rows, heads, 1, this.config.width / heads]);
    const written: KeysValues[] = [];
    const hidden = this.graph.scope("decoder", () => {
      let state = this.#embed(targetEmbedding(this.config), ids, positions);
      for (let i = 0; i < this.config.decoderLayers; i++) {
        state = this.graph.scope(`${i}`, () => {
          const name = `model.decoder.layers.${i}`;
          const query = single(this.linear(state, `${name}.self_attn.q_proj`));
          const own = {
            keys: single(this.linear(state, `${name}.self_attn.k_proj`)),
            values: single(this.linear(state, `${name}.self_attn.v_proj`)),
          };
          written.push(own);
          const mixed = attendOnward(query, past[i]!, pastMask, own);
          const first = this.#after(state, mixed, `${name}.self_attn`);
          const toSource = this.heads(
            this.linear(first, `${name}.encoder_attn.q_proj`),
            "group",
            "lane",
            heads,
          );
          const seen = attend(toSource, cross[i]!, crossMask);
          return this.#feedForward(this.#after(first, seen, `${name}.encoder_attn`), name);
        });
      }
      return state;
    });
    return { hidden, written };
  }

  /** Token logits [rows, vocab] of flat hidden states, or of some of their rows. */
  logits(hidden: Value, rows?: Value): Value {
    return this.graph.scope("logits", () => {
      const wanted = rows ? takeRows(hidden, rows) : hidden;
      const product = matmul(wanted, this.weight(targetEmbedding(this.config)), { transB: true });
      return add(product, this.weight("final_logits_bias"));
    });
  }

  linear(x: Value, name: string): Value {
    const product = matmul(x, this.weight(`${name}.weight`), { transB: true });
    return this.#adapt(add(product, this.weight(`${name}.bias`)), x, name);
  }

  keysValues(x: Value, name: string, outer: Dim, time: Dim, heads: number): KeysValues {
    return {
      keys: this.heads(this.linear(x, `${name}.k_proj`), outer, time, heads),
      values: this.heads(this.linear(x, `${name}.v_proj`), outer, time, heads),
    };
  }

  /** [outer*time, model] → [outer, head, time, perHead] */
  heads(x: Value, outer: Dim, time: Dim, heads: number): Value {
    const split = reshape(x, [outer, time, heads, this.config.width / heads]);
    return transpose(split, [0, 2, 1, 3]);
  }

  #embed(name: string, ids: Value, positions: Value): Value {
    const rows = embedding(this.weight(name), ids);
    const scaled = this.config.scaleEmbedding ? mul(rows, Math.sqrt(this.config.width)) : rows;
    return add(scaled, positions);
  }

  #flat(x: Value): Value {
    return reshape(x, [times(...x.shape.slice(0, -1)), x.shape.at(-1)!]);
  }

  /** Output projection, dropout, residual and normalisation after an attention. */
  #after(residual: Value, mixed: Value, name: string): Value {
    const joined = reshape(transpose(mixed, [0, 2, 1, 3]), residual.shape);
    const out = this.#regularise(this.linear(joined, `${name}.out_proj`), `${name}.out_proj`);
    return this.#norm(add(residual, out), `${name}_layer_norm`);
  }

  #feedForward(x: Value, name: string): Value {
    const inner = activate(this.linear(x, `${name}.fc1`), this.config.activation);
    const out = this.#regularise(this.linear(inner, `${name}.fc2`), `${name}.fc2`);
    return this.#norm(add(x, out), `${name}.final_layer_norm`);
  }

  #norm(x: Value, name: string): Value {
    return layerNorm(x, this.weight(`${name}.weight`), this.weight(`${name}.bias`), 1e-5);
  }
}

function activate(x: Value, activation: MarianConfig["activation"]): Value {
  return activation === "relu" ? relu(x) : activation === "gelu" ? gelu(x) : silu(x);
}

/** softmax(q·kᵀ/√perHead + mask)·v, all [outer, head, time, perHead]. */
function attend(query: Value, { keys, values }: KeysValues, mask: Value): Value {
  const scale = 1 / Math.sqrt(Number(query.shape[3]));
  const scores = add(matmul(query, keys, { transB: true, alpha: scale }), mask);
  return matmul(softmax(scores), values);
}

/**
 * One query a row over its past and itself, all [row, head, time, perHead] with one position of query and `now`. One
 * softmax, without joining the two: exponentials and their sums are kept apart and divided at the end, since a joined
 * softmax would need the past copied.
 *
 * Without a factor a product with one row takes a kernel that reads keys and values once, as they lie: 1.5 to 3.5 times as
 * fast at 32 to 128 positions as four lanes side by side. It sums from the first position on, so that masked ones behind
 * change no bit. ONNX Runtime would take a factor beside the product into it, so scores are scaled after the shift.
 */
function attendOnward(query: Value, past: KeysValues, pastMask: Value, now: KeysValues): Value {
  const scale = 1 / Math.sqrt(Number(query.shape[3]));
  const old = add(matmul(query, past.keys, { transB: true }), pastMask);
  const own = sum(mul(query, now.keys), [3]);
  const shift = maximum(largest(old, 3), own);
  const [expOld, expOwn] = [exp(mul(sub(old, shift), scale)), exp(mul(sub(own, shift), scale))];
  const mixed = add(matmul(expOld, past.values), mul(expOwn, now.values));
  return div(mixed, add(sum(expOld, [3]), expOwn));
}

/** Sinusoidal position embeddings [positions, width]: sines in the first half of the width, cosines in the second. */
export function positionTable(positions: number, width: number): Float32Array {
  const half = Math.ceil(width / 2);
  const table = new Float32Array(positions * width);
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < width; i++) {
      const pair = i < half ? i : i - half;
      const angle = position / 10000 ** ((2 * pair) / width);
      table[position * width + i] = i < half ? Math.sin(angle) : Math.cos(angle);
    }
  return table;
}
