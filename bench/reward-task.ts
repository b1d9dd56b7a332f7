/** What both sides of the pretrained reward's measurement are given: a random mT5 of mT5-small's size, and token ids. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HEAD, type Mt5Config, mt5Shapes, unusedShapes } from "../src/model/mt5.js";
import { type StoredTensor, writeSafetensors } from "../src/model/safetensors.js";
import { deriveKey, integerBelow } from "../src/tensor/random.js";

/** Sizes of google/mt5-small. */
const SIZE: Mt5Config = {
  vocabulary: 250_112,
  width: 512,
  inner: 1024,
  heads: 6,
  perHead: 64,
  encoderLayers: 8,
  decoderLayers: 8,
  epsilon: 1e-6,
  buckets: 32,
  maxDistance: 128,
};

const SEQUENCES = 192;
/** Tokens of source and candidate together. */
const [SHORTEST, LONGEST] = [24, 120];

/** Writes both into a folder that is gone when the process ends. */
export async function rewardTask(): Promise<{ folder: string; sequences: string; tokens: number }> {
  const folder = mkdtempSync(join(tmpdir(), "coppice-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const tensors = new Map<string, StoredTensor>();
  let state = 1;
  const shapes = [...mt5Shapes(SIZE), ...unusedShapes(SIZE), [HEAD, [SIZE.vocabulary, SIZE.width]] as const];
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
  writeFileSync(join(folder, "config.json"), JSON.stringify(configJson()));
  const rows = Array.from({ length: SEQUENCES }, (_, row) => {
    const key = deriveKey(2, row);
    const length = SHORTEST + integerBelow(key, 0, LONGEST - SHORTEST + 1);
    return Array.from({ length }, (_unused, i) => 2 + integerBelow(key, i + 1, SIZE.vocabulary - 2));
  });
  const sequences = join(folder, "sequences.json");
  writeFileSync(sequences, JSON.stringify(rows));
  return { folder, sequences, tokens: rows.reduce((sum, { length }) => sum + length, 0) };
}

function configJson(): object {
  return {
    architectures: ["MT5ForConditionalGeneration"],
    model_type: "mt5",
    vocab_size: SIZE.vocabulary,
    d_model: SIZE.width,
    d_ff: SIZE.inner,
    d_kv: SIZE.perHead,
    num_heads: SIZE.heads,
    num_layers: SIZE.encoderLayers,
    num_decoder_layers: SIZE.decoderLayers,
    feed_forward_proj: "gated-gelu",
    layer_norm_epsilon: SIZE.epsilon,
    tie_word_embeddings: false,
    pad_token_id: 0,
    eos_token_id: 1,
    decoder_start_token_id: 0,
  };
}
