/** The exported models' operators, and weights in 8 bits by hand; what they compute is held in test/policy/transformers-js. */

import onnxProto from "onnx-proto";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { newConfig } from "../../src/model/config.js";
import { initialise } from "../../src/model/initialise.js";
import { decoderModel } from "../../src/model/onnx-export/decoder.js";
import { encoderModel } from "../../src/model/onnx-export/encoder.js";
import { Int8Weights, quantise } from "../../src/model/onnx-export/int8-weights.js";
import { FloatWeights } from "../../src/model/onnx-export/weights.js";

const config = newConfig({
  width: 64,
  inner: 128,
  heads: 4,
  encoderLayers: 2,
  decoderLayers: 2,
  vocabulary: 900,
  targetVocabulary: 900,
  shared: true,
  eosId: 0,
  padId: 1,
  dropout: 0,
  maxPositions: 16,
});
const parameters = initialise(config, 1);

it("puts each row of a matrix into 8 bits by its own largest weight", () => {
  // 2.54/127 = 0.02 a step; the row of zeros has a scale that divides.
  const { bytes, scales } = quantise(Float32Array.of(2.54, -1, 0.031, 0, 0, 0, -1e-3, 5e-4, 1e-3), 3, 3);
  expect([...bytes]).toEqual([255, 78, 130, 128, 128, 128, 1, 192, 255]);
  expect(scales[0]).toBeCloseTo(0.02, 8);
  expect(scales[1]).toBe(1);
  expect(scales[2]).toBeCloseTo(1e-3 / 127, 10);
});

it.each([
  ["32", new FloatWeights(parameters)],
  ["8", new Int8Weights(parameters)],
])("are made of standard operators of opset 17 with %s-bit weights, with one If", (_, weights) => {
  for (const [bytes, branches] of [
    [encoderModel(config, weights), 0],
    [decoderModel(config, weights), 1],
  ] as const) {
    const model = onnxProto.onnx.ModelProto.decode(bytes);
    expect(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([["", 17]]);
    const nodes = model.graph!.node!;
    expect(nodes.filter(({ opType }) => opType === "If")).toHaveLength(branches);
    const inner = nodes.flatMap(({ attribute }) => attribute!.flatMap(({ g }) => g?.node ?? []));
    for (const { domain } of [...nodes, ...inner]) expect(domain ?? "").toBe("");
  }
});

it("8-bit weights take little more than a quarter of the room", () => {
  const size = (weights: FloatWeights | Int8Weights) =>
    encoderModel(config, weights).length + decoderModel(config, weights).length;
  expect(size(new Int8Weights(parameters)) / size(new FloatWeights(parameters))).toBeLessThan(0.35);
});

it("looks at no past where no cache is to be used, not even at its shape", async () => {
  const decoder = await InferenceSession.create(decoderModel(config, new FloatWeights(parameters)));
  const [batch, sourceTime, heads, perHead] = [2, 3, 4, 16];
  const given = (past: number, rows: number) => ({
    input_ids: new Tensor("int64", BigInt64Array.of(1n, 5n, 1n, 9n), [batch, 2]),
    encoder_attention_mask: new Tensor("int64", new BigInt64Array(6).fill(1n), [batch, sourceTime]),
    encoder_hidden_states: new Tensor(
      "float32",
      Float32Array.from({ length: 6 * 64 }, (_, i) => Math.sin(i)),
      [batch, sourceTime, 64],
    ),
    use_cache_branch: new Tensor("bool", [false], [1]),
    ...Object.fromEntries(
      decoder.inputNames
        .filter((name) => name.startsWith("past"))
        .map((name) => [
          name,
          new Tensor("float32", new Float32Array(rows * heads * past * perHead).fill(7), [
            rows,
            heads,
            past,
            perHead,
          ]),
        ]),
    ),
  });
  const plain = await decoder.run(given(0, batch));
  // Earlier versions of Transformers.js give an empty past of one row, Optimum one of a place that is not there.
  for (const [past, rows] of [
    [0, 1],
    [1, batch],
  ] as const) {
    const other = await decoder.run(given(past, rows));
    expect(other.logits!.data).toEqual(plain.logits!.data);
    expect(other["present.1.decoder.key"]!.dims).toEqual([batch, heads, 2, perHead]);
  }
  await decoder.release();
});
