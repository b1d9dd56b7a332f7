/**
 * What 8-bit weights save on this machine: products by themselves, and translation by the exported models. One thread, by
 * the processor's time: what else runs on the machine matters little then.
 */

import { InferenceSession, Tensor } from "onnxruntime-node";
import { presets } from "../src/model/config.js";
import { initialise } from "../src/model/initialise.js";
import { OnnxBuilder } from "../src/model/onnx-export/builder.js";
import { decoderModel } from "../src/model/onnx-export/decoder.js";
import { encoderModel } from "../src/model/onnx-export/encoder.js";
import { Int8Weights } from "../src/model/onnx-export/int8-weights.js";
import { FloatWeights, type Weights } from "../src/model/onnx-export/weights.js";
import { Parameters } from "../src/tensor/parameters.js";
import { int8Loss } from "./int8-loss.js";
import { presetConfig } from "./preset-config.js";
import { compare, machine } from "./rounds.js";

const ROUNDS = 5;
const VOCABULARY = 8000;
const SOURCE_TOKENS = 20;
const NEW_TOKENS = 24;
/** Rows of a product: one candidate, a decoding step of many, a batch of whole sentences. */
const ROWS = [1, 64, 1280];
const SIZES = ["small", "iwslt"] as const;

type Run = () => Promise<unknown>;

/** @param choices a model folder and a file of pairs: what is lost in quality, in place of what is won in time. */
export async function int8Bench(choices: readonly string[]): Promise<object> {
  const [model, pairs] = choices;
  if (model !== undefined && pairs !== undefined) return int8Loss(model, pairs);
  const products = [];
  const translations = [];
  for (const size of SIZES) {
    const { width, inner } = presets[size];
    for (const [from, out] of [
      [width, inner],
      [width, VOCABULARY],
    ] as const)
      for (const rows of ROWS) {
        const repeats = Math.max(3, Math.ceil(4e8 / (rows * from * out)));
        products.push({
          size,
          rows,
          from,
          out,
          ...(await measured((int8) => product(int8, rows, from, out), repeats)),
        });
      }
    for (const batch of [1, 64])
      translations.push({
        size,
        batch,
        ...(await measured((int8) => translation(int8, size, batch), batch === 1 ? 4 : 1)),
      });
  }
  const unit = "8-bit rate over 32-bit rate; above 1 is faster";
  return { unit, products, translations, ...machine() };
}

/** Calls of both in a second of the processor, by turns in one process. */
async function measured(make: (int8: boolean) => Promise<Run>, repeats: number) {
  const [small, full] = [await make(true), await make(false)];
  const rate = async (run: Run): Promise<number> => {
    await run();
    const start = process.cpuUsage();
    for (let i = 0; i < repeats; i++) await run();
    const { user, system } = process.cpuUsage(start);
    return (1e6 * repeats) / (user + system);
  };
  const { ratio, low, high, ours, theirs } = await compare(
    ROUNDS,
    () => rate(small),
    () => rate(full),
  );
  return { ratio, low, high, int8PerSecond: ours, fp32PerSecond: theirs };
}

const open = (bytes: Uint8Array) =>
  InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const weightsOf = (int8: boolean, parameters: Parameters): Weights =>
  int8 ? new Int8Weights(parameters) : new FloatWeights(parameters);
/** Numbers in [−1, 1) that look like none in particular. */
const noise = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 7919) % 2000) / 1000 - 1);

async function product(int8: boolean, rows: number, from: number, out: number): Promise<Run> {
  const parameters = new Parameters([
    { name: "layer.weight", shape: [out, from], decay: false },
    { name: "layer.bias", shape: [out], decay: false },
  ]);
  parameters.data.set(noise(parameters.data.length));
  const graph = new OnnxBuilder();
  const x = graph.input("x", "float", [1, "rows", from]);
  graph.output("y", weightsOf(int8, parameters).linear(graph, x, "layer"), "float", [1, "rows", out]);
  const session = await open(graph.finish("product"));
  const feeds = { x: new Tensor("float32", noise(rows * from), [1, rows, from]) };
  return () => session.run(feeds);
}

/** The arithmetic of greedy translation, each step from the keys and values of the one before; its tokens are given. */
async function translation(int8: boolean, size: (typeof SIZES)[number], batch: number): Promise<Run> {
  const config = presetConfig(size, VOCABULARY, { dropout: 0, maxPositions: 64 });
  const { heads, width } = presets[size];
  const weights = weightsOf(int8, initialise(config, 1));
  const encoder = await open(encoderModel(config, weights));
  const decoder = await open(decoderModel(config, weights));
  const ids = (time: number) =>
    new Tensor(
      "int64",
      BigInt64Array.from({ length: batch * time }, (_, i) => BigInt(2 + ((i * 7919) % 7000))),
      [batch, time],
    );
  const mask = new Tensor("int64", new BigInt64Array(batch * SOURCE_TOKENS).fill(1n), [batch, SOURCE_TOKENS]);
  const [source, token] = [ids(SOURCE_TOKENS), ids(1)];
  const empty = () => new Tensor("float32", new Float32Array(), [batch, heads, 0, width / heads]);
  const cached = decoder.inputNames.filter((name) => name.startsWith("past_key_values"));
  return async () => {
    const { last_hidden_state: encoded } = await encoder.run({ input_ids: source, attention_mask: mask });
    let past: Record<string, Tensor> = Object.fromEntries(cached.map((name) => [name, empty()]));
    for (let step = 0; step < NEW_TOKENS; step++) {
      const outputs = await decoder.run({
        ...past,
        input_ids: token,
        encoder_attention_mask: mask,
        encoder_hidden_states: encoded!,
        use_cache_branch: new Tensor("bool", [step > 0], [1]),
      });
      past = Object.fromEntries(
        cached.map((name) => [name, outputs[name.replace("past_key_values", "present")]!] as const),
      );
    }
  };
}
