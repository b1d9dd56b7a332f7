/**
 * The encoder that BERT, RoBERTa (XLM-R) and RemBERT share, equation for equation `BertModel`, `XLMRobertaModel` and
 * `RemBertModel` of Transformers: learned embeddings, layers with the normalisation after each residual.
 *
 * The weights have names of this file's own; whoever reads a checkpoint maps its names to them. Hidden states are kept flat,
 * `[batch*time, width]`.
 */

import type { Graph, Value } from "../tensor/graph.js";
import {
  add,
  embedding,
  gelu,
  layerNorm,
  matmul,
  mul,
  relu,
  reshape,
  softmax,
  tanh,
  transpose,
} from "../tensor/operations.js";
import type { ParameterSpec } from "../tensor/parameters.js";
import { type Dim, times } from "../tensor/shape.js";

export interface BertEncoderConfig {
  readonly vocabulary: number;
  /** Rows of the table of positions; RoBERTa's first two are never used. */
  readonly positions: number;
  /** Rows of the table of segment types; 0 where there is none. */
  readonly types: number;
  /** Width of the embeddings and their normalisation; a projection follows where it is not `width`. */
  readonly embeddingWidth: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width within the feed-forward block. */
  readonly inner: number;
  /** `gelu` is that of the error function, `gelu-tanh` its approximation (Transformers' `gelu_new`). */
  readonly activation: "gelu" | "gelu-tanh" | "relu";
  /** Added to the variance in every normalisation. */
  readonly epsilon: number;
}

/**
 * The weights under their canonical names, in storage order: `embeddings.{word,position,type}.weight`,
 * `embeddings.{norm,projection}.{weight,bias}`, and of each layer `layers.{i}.` + `attention.{query,key,value,output,norm}`,
 * `inner`, `outer`, `norm`, each with `.weight` and `.bias`. Matrices are [out, in].
 */
export function bertEncoderSpecs(config: BertEncoderConfig): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  const matrix = (name: string, ...shape: number[]) => specs.push({ name, shape, decay: true });
  const vector = (name: string, length: number) => specs.push({ name, shape: [length], decay: false });
  const linear = (name: string, out: number, from: number) => {
    matrix(`${name}.weight`, out, from);
    vector(`${name}.bias`, out);
  };
  const norm = (name: string, width: number) => {
    vector(`${name}.weight`, width);
    vector(`${name}.bias`, width);
  };
  const { width, embeddingWidth, inner } = config;
  matrix("embeddings.word.weight", config.vocabulary, embeddingWidth);
  matrix("embeddings.position.weight", config.positions, embeddingWidth);
  if (config.types > 0) matrix("embeddings.type.weight", config.types, embeddingWidth);
  norm("embeddings.norm", embeddingWidth);
  if (embeddingWidth !== width) linear("embeddings.projection", width, embeddingWidth);
  for (let i = 0; i < config.layers; i++) {
    for (const part of ["query", "key", "value", "output"])
      linear(`layers.${i}.attention.${part}`, width, width);
    norm(`layers.${i}.attention.norm`, width);
    linear(`layers.${i}.inner`, inner, width);
    linear(`layers.${i}.outer`, width, inner);
    norm(`layers.${i}.norm`, width);
  }
  return specs;
}

export interface BertEncoderInputs {
  /** Token ids [batch, time], whole numbers. */
  readonly ids: Value;
  /** Rows of the table of positions [time], whole numbers. Padding is masked, so that its position changes nothing. */
  readonly positions: Value;
  /** Rows of the table of types [batch, time], whole numbers; needed where that has more than one. */
  readonly types?: Value;
  /** Added to the scores of attention [batch, 1, 1, time]: 0, or `MASKED` (marian.ts) for padding. */
  readonly mask: Value;
}

/**
 * Records the encoder. Returns `layers + 1` hidden states, flat [batch*time, width] each: first the embeddings (after the
 * projection where there is one), then what each layer makes, as `output_hidden_states` of Transformers has them.
 *
 * The graph gets the parameters of `bertEncoderSpecs`, each with `prefix` in front of its name.
 */
export function bertEncoder(
  graph: Graph,
  config: BertEncoderConfig,
  { ids, positions, types, mask }: BertEncoderInputs,
  prefix = "",
): Value[] {
  const shapes = new Map(bertEncoderSpecs(config).map(({ name, shape }) => [name, shape]));
  const weight = (name: string) => graph.parameter(`${prefix}${name}`, shapes.get(name)!);
  const linear = (x: Value, name: string) =>
    add(matmul(x, weight(`${name}.weight`), { transB: true }), weight(`${name}.bias`));
  const norm = (x: Value, name: string) =>
    layerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`), config.epsilon);
  const [batch, time] = ids.shape as [Dim, Dim];
  const rows = times(batch, time);

  const embedded = graph.scope("embeddings", () => {
    let x = add(
      embedding(weight("embeddings.word.weight"), ids),
      embedding(weight("embeddings.position.weight"), positions),
    );
    if (config.types > 0) {
      if (!types && config.types > 1) throw new Error("an encoder with types needs the types of its tokens");
      const table = weight("embeddings.type.weight");
      x = add(x, types ? embedding(table, types) : table);
    }
    const normal = norm(reshape(x, [rows, config.embeddingWidth]), "embeddings.norm");
    return config.embeddingWidth === config.width ? normal : linear(normal, "embeddings.projection");
  });

  const perHead = config.width / config.heads;
  const heads = (x: Value) => transpose(reshape(x, [batch, time, config.heads, perHead]), [0, 2, 1, 3]);
  const states = [embedded];
  for (let i = 0; i < config.layers; i++) {
    const before = states[i]!;
    const after = graph.scope(`layers.${i}`, () => {
      const name = `layers.${i}`;
      const query = heads(linear(before, `${name}.attention.query`));
      const key = heads(linear(before, `${name}.attention.key`));
      const value = heads(linear(before, `${name}.attention.value`));
      const scores = add(matmul(query, key, { transB: true, alpha: 1 / Math.sqrt(perHead) }), mask);
      const mixed = transpose(matmul(softmax(scores), value), [0, 2, 1, 3]);
      const attended = linear(reshape(mixed, [rows, config.width]), `${name}.attention.output`);
      const middle = norm(add(before, attended), `${name}.attention.norm`);
      const inner = activate(linear(middle, `${name}.inner`), config.activation);
      return norm(add(middle, linear(inner, `${name}.outer`)), `${name}.norm`);
    });
    states.push(after);
  }
  return states;
}

function activate(x: Value, activation: BertEncoderConfig["activation"]): Value {
  return activation === "relu" ? relu(x) : activation === "gelu" ? gelu(x) : geluTanh(x);
}

/** ½x·(1 + tanh(√(2/π)·(x + 0.044715x³))) */
function geluTanh(x: Value): Value {
  const cubic = add(x, mul(mul(mul(x, x), x), 0.044715));
  return mul(mul(x, 0.5), add(tanh(mul(cubic, Math.sqrt(2 / Math.PI))), 1));
}

/** What Transformers calls a weight of `bertEncoderSpecs`, in all three families. */
export function transformersName(name: string): string {
  const [, block, part, kind] = /^(embeddings|layers\.\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  const known = part && (block === "embeddings" ? EMBEDDING_NAMES[part] : LAYER_NAMES[part]);
  if (!block || !known) throw new Error(`an encoder has no weight ${name}`);
  const inside = block === "embeddings" ? known : `encoder.${block.replace("layers", "layer")}.${known}`;
  return `${inside}.${kind}`;
}

const EMBEDDING_NAMES: Readonly<Record<string, string>> = {
  word: "embeddings.word_embeddings",
  position: "embeddings.position_embeddings",
  type: "embeddings.token_type_embeddings",
  norm: "embeddings.LayerNorm",
  projection: "encoder.embedding_hidden_mapping_in",
};
const LAYER_NAMES: Readonly<Record<string, string>> = {
  "attention.query": "attention.self.query",
  "attention.key": "attention.self.key",
  "attention.value": "attention.self.value",
  "attention.output": "attention.output.dense",
  "attention.norm": "attention.output.LayerNorm",
  inner: "intermediate.dense",
  outer: "output.dense",
  norm: "output.LayerNorm",
};
