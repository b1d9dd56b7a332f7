/** What both sides of the pretrained reward's measurement are given: a random mT5 of a published size, and token ids. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HEAD, type Mt5Config, mt5Shapes, unusedShapes } from "../src/model/mt5.js";
import { type StoredTensor, writeSafetensors } from "../src/model/safetensors.js";
import { deriveKey, integerBelow } from "../src/tensor/random.js";

const SHARED = { vocabulary: 250_112, perHead: 64, epsilon: 1e-6, buckets: 32, maxDistance: 128 };

/** A network to measure, and how many sequences are few enough for it to end within minutes. */
export interface RewardSize {
  readonly name: string;
  readonly config: Mt5Config;
  readonly sequences: number;
}

export const SIZES = {
  small: {
    name: "mT5-small",
    config: { ...SHARED, width: 512, inner: 1024, heads: 6, encoderLayers: 8, decoderLayers: 8 },
    sequences: 192,
  },
  large: {
    name: "mT5-large, which is MetricX-large",
    config: { ...SHARED, width: 1024, inner: 2816, heads: 16, encoderLayers: 24, decoderLayers: 24 },
    sequences: 24,
  },
} satisfies Readonly<Record<string, RewardSize>>;

/** Tokens of source and candidate together. */
const [SHORTEST, LONGEST] = [24, 120];

/** Writes both into a folder that is gone when the process ends. */
export async function rewardTask({
  config,
  sequences: count,
}: RewardSize): Promise<{ folder: string; sequences: string; tokens: number }> {
  const folder = mkdtempSync(join(tmpdir(), "coppice-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const tensors = new Map<string, StoredTensor>();
  let state = 1;
  const shapes = [
    ...mt5Shapes(config),
    ...unusedShapes(config),
    [HEAD, [config.vocabulary, config.width]] as const,
  ];
  for (const [name, shape] of shapes) {
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    // Spread so that the states stay of size 1; a plain generator, since only the work is to be the same.
    const width = name.includes("layer_norm") ? 0 : 1 / Math.sqrt(shape.at(-1)!);
    const middle = name.includes("layer_norm") ? 1 : 0;
    for (let i = 0; i < data.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      data[i] = middle + width * (state / 2 ** 31);
    }
    tensors.set(name, { shape, data });
  }
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  writeFileSync(join(folder, "config.json"), JSON.stringify(configJson(config)));
  const rows = Array.from({ length: count }, (_, row) => {
    const key = deriveKey(2, row);
    const length = SHORTEST + integerBelow(key, 0, LONGEST - SHORTEST + 1);
    return Array.from({ length }, (_unused, i) => 2 + integerBelow(key, i + 1, config.vocabulary - 2));
  });
  const sequences = join(folder, "sequences.json");
  writeFileSync(sequences, JSON.stringify(rows));
  return { folder, sequences, tokens: rows.reduce((sum, { length }) => sum + length, 0) };
}

function configJson(config: Mt5Config): object {
  return {
    architectures: ["MT5ForConditionalGeneration"],
    model_type: "mt5",
    vocab_size: config.vocabulary,
    d_model: config.width,
    d_ff: config.inner,
    d_kv: config.perHead,
    num_heads: config.heads,
    num_layers: config.encoderLayers,
    num_decoder_layers: config.decoderLayers,
    feed_forward_proj: "gated-gelu",
    layer_norm_epsilon: config.epsilon,
    tie_word_embeddings: false,
    pad_token_id: 0,
    eos_token_id: 1,
    decoder_start_token_id: 0,
  };
}
