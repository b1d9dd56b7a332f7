import { expect, it } from "vitest";
import { newConfig } from "../../src/model/config.js";
import { initialise } from "../../src/model/initialise.js";

const config = newConfig({
  width: 32,
  inner: 64,
  heads: 4,
  encoderLayers: 1,
  decoderLayers: 1,
  vocabulary: 500,
  targetVocabulary: 300,
  shared: false,
  eosId: 0,
  padId: 1,
  dropout: 0.1,
  maxPositions: 16,
});

function variance(values: Float32Array): number {
  return values.reduce((sum, x) => sum + x * x, 0) / values.length;
}

it("weights are a function of the seed", () => {
  expect(initialise(config, 3).data).toEqual(initialise(config, 3).data);
  expect(initialise(config, 4).data).not.toEqual(initialise(config, 3).data);
});

it("no two matrices start alike", () => {
  const weights = initialise(config, 3);
  const query = weights.view("model.encoder.layers.0.self_attn.q_proj.weight");
  expect(weights.view("model.encoder.layers.0.self_attn.k_proj.weight")).not.toEqual(query);
});

it("normalisations start at 1 and 0, biases at 0", () => {
  const weights = initialise(config, 3);
  for (const { name } of weights.specs.filter((spec) => !spec.decay))
    expect(new Set(weights.view(name)), name).toEqual(new Set([name.endsWith("norm.weight") ? 1 : 0]));
});

it("scaled embeddings have variance 1, so that tied logits have that of a hidden state's mean square", () => {
  const weights = initialise(config, 3);
  // 9,600 numbers or more: the sample variance's own deviation is √(2/9600) = 1.4%.
  for (const name of ["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"])
    expect(variance(weights.view(name)) * config.width, name).toBeCloseTo(1, 1);
});

it("matrices are Glorot-uniform: variance 2/(in + out)", () => {
  const view = initialise(config, 3).view("model.decoder.layers.0.fc1.weight");
  const bound = Math.sqrt(6 / (32 + 64));
  expect(Math.max(...view.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
  expect(variance(view) / (2 / (32 + 64))).toBeCloseTo(1, 1);
});
