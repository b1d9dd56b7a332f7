/** What the code relies on in ONNX Runtime, and what it must keep away from: each fact has its test here. */

import { readFileSync } from "node:fs";
import onnxProto from "onnx-proto";
import { describe, expect, it } from "vitest";
import { newConfig } from "../../src/model/config.js";
import { initialise } from "../../src/model/initialise.js";
import type { Group } from "../../src/policy/batches.js";
import { DecoderPrograms } from "../../src/policy/decoder.js";
import { BatchFeeder, encodeGraph, stepGraph, tokenGraph } from "../../src/policy/network.js";
import { gradients } from "../../src/tensor/differentiate.js";
import { Graph, type Value } from "../../src/tensor/graph.js";
import { lower } from "../../src/tensor/lower.js";
import {
  embedding,
  logProb,
  matmul,
  mul,
  neg,
  reshape,
  softmax,
  total,
} from "../../src/tensor/operations.js";
import { Parameters } from "../../src/tensor/parameters.js";
import { floatData, floats, integers, Program, type Tensor } from "../../src/tensor/program.js";
import { deriveKey, integerBelow, normal, uniform } from "../../src/tensor/random.js";
import { addRows, Trainer, type UpdateOptions } from "../../src/tensor/trainer.js";
import { largestDifference } from "../model/marian-fixture.js";

function randoms(length: number, seed: number): Float32Array {
  const key = deriveKey(seed, 31);
  return Float32Array.from({ length }, (_, i) => normal(key, i));
}

const config = newConfig({
  width: 32,
  inner: 64,
  heads: 4,
  encoderLayers: 2,
  decoderLayers: 2,
  vocabulary: 60,
  targetVocabulary: 60,
  shared: true,
  eosId: 0,
  padId: 1,
  dropout: 0.1,
  maxPositions: 128,
});

function randomTokens(length: number, seed: number): number[] {
  const key = deriveKey(seed, 32);
  return Array.from({ length }, (_, i) => (i === length - 1 ? 0 : 2 + integerBelow(key, i, 58)));
}

describe("the gradient of an embedding whose ids repeat as words do", () => {
  const [vocabulary, width, count] = [300, 24, 2048];
  // Zipf: id k about as often as 1/k. The most frequent stand there hundreds of times.
  const key = deriveKey(12);
  const ids = Int32Array.from({ length: count }, (_, i) => Math.floor(vocabulary ** uniform(key, i)) - 1);
  const dOut = randoms(count * width, 1);
  const exact = new Float64Array(vocabulary * width);
  ids.forEach((id, k) => {
    for (let j = 0; j < width; j++) exact[id * width + j]! += dOut[k * width + j]!;
  });

  /** Σ dOut·weights[ids], whose gradient is the sum of rows above. */
  function record(): { graph: Graph; loss: Value; weights: Value } {
    const graph = new Graph();
    const weights = graph.parameter("weights", [vocabulary, width]);
    const rows = embedding(weights, graph.input("ids", ["token"], "int64"));
    return { graph, weights, loss: total(mul(rows, graph.input("dOut", ["token", width]))) };
  }
  const feeds = { ids: integers(ids, [count]), dOut: floats(dOut, [count, width]) };
  const symbols = { token: count };

  it("repeats an id more than a hundred times", () => {
    expect(ids.filter((id) => id === 0).length).toBeGreaterThan(100);
  });

  it("equals the sum in 64 bits, 50 times over, at two threads", async () => {
    const { graph, loss, weights } = record();
    const [gradient] = gradients(loss, [weights]);
    expect(gradient!.dense).toBeUndefined();
    const [row] = gradient!.rows;
    const program = await Program.compile(
      graph,
      { "row.ids": row!.ids, "row.values": row!.rows },
      { threads: 2 },
    );
    const weightFeed = floats(randoms(vocabulary * width, 2), [vocabulary, width]);
    for (let run = 0; run < 50; run++) {
      const outputs = await program.run({ ...feeds, weights: weightFeed }, symbols);
      const sum = new Float32Array(vocabulary * width);
      addRows(sum, outputs["row.ids"]!.data as BigInt64Array, floatData(outputs["row.values"]));
      expect(largestDifference(sum, exact).difference, `run ${run}`).toBeLessThan(1e-4);
    }
    await program.release();
  });

  it("moves the weights as that sum says, and stays the same from update to update", async () => {
    const { graph, loss } = record();
    const specs = [{ name: "weights", shape: [vocabulary, width], decay: true }];
    const parameters = new Parameters(specs, randoms(vocabulary * width, 2));
    const trainer = await Trainer.compile(graph, loss, parameters, {}, { threads: 2 });
    const still: UpdateOptions = {
      learningRate: 0,
      weightDecay: 0,
      clipNorm: Number.POSITIVE_INFINITY,
      averageDecay: 0,
    };
    const norm = Math.sqrt(exact.reduce((sum, x) => sum + x * x, 0));
    const norms = new Set<number>();
    for (let run = 0; run < 20; run++)
      norms.add((await trainer.update([{ feeds, symbols }], still)).gradientNorm);
    expect(norms.size).toBe(1);
    expect(Math.abs([...norms][0]! / norm - 1)).toBeLessThan(1e-6);
    // After 20 equal gradients the running mean is (1 − 0.9²⁰) of one.
    const mean = exact.map((x) => x * (1 - 0.9 ** 20));
    expect(largestDifference(trainer.state.adam.m, mean).difference).toBeLessThan(1e-4);
    await trainer.release();
  });
});

describe("a lowered network", () => {
  const { graph, loss, logProbs } = tokenGraph(config, { smoothing: 0.1, dropout: true });
  const weights = graph.values.filter(({ source }) => source.kind === "parameter");
  const outputs: Record<string, Value> = { loss, logProbs };
  gradients(loss, weights).forEach(({ dense, rows }, i) => {
    if (dense) outputs[`d${i}`] = dense;
    rows.forEach((row, j) => {
      outputs[`rows${i}.${j}`] = row.rows;
    });
  });
  const recorded = [{ graph, outputs }, encodeGraph(config), stepGraph(config)];
  const models = recorded.map(({ graph, outputs }) =>
    onnxProto.onnx.ModelProto.decode(lower(graph, outputs).bytes),
  );

  it("is fed every weight, unless it is compiled with them", () => {
    for (const model of models) {
      const baked = model.graph!.initializer!.map(({ dims }) =>
        dims!.reduce<number>((product, size) => product * Number(size), 1),
      );
      // What is baked in are single numbers and shapes.
      expect(Math.max(...baked)).toBeLessThanOrEqual(4);
    }
    const inputs = new Set(models[0]!.graph!.input!.map(({ name }) => name));
    expect(weights.length).toBeGreaterThan(50);
    for (const { name } of weights) expect(inputs.has(name)).toBe(true);

    const views = initialise(config, 1);
    const own = Object.fromEntries(views.specs.map(({ name }) => [name, views.view(name)]));
    const { graph, outputs } = recorded[2]!;
    const whole = onnxProto.onnx.ModelProto.decode(lower(graph, outputs, own).bytes).graph!;
    const names = new Set(whole.input!.map(({ name }) => name));
    const held = whole.initializer!.filter(({ name }) => views.has(name!));
    // All but the encoder's, and the cross keys and values of two layers: they are made with it.
    expect(held.length).toBe(views.specs.filter(({ name }) => !name.startsWith("model.encoder.")).length - 8);
    for (const { name } of held) expect(names.has(name)).toBe(false);
  });

  it("adds into repeated indices nowhere: ScatterND loses updates there", () => {
    let scatters = 0;
    for (const model of models)
      for (const node of model.graph!.node!) {
        const attribute = (name: string) => node.attribute!.find((attribute) => attribute.name === name);
        if (node.opType === "ScatterND") expect(attribute("reduction"), node.name!).toBeUndefined();
        if (node.opType === "ScatterElements" && attribute("reduction")) {
          scatters++;
          // One entry a row: along the columns no index can repeat.
          expect(node.name).toContain("logProb.grad");
          expect(Number(attribute("axis")!.i)).toBe(1);
        }
      }
    expect(scatters).toBe(1);
  });

  it("quantises nothing: a row would depend on its neighbours", () => {
    for (const model of models)
      for (const { opType } of model.graph!.node!) expect(opType).not.toMatch(/Quant|Integer|NBits/);
  });
});

/** The first row of `left`·rightᵀ for many numbers of rows, the first of them 1. */
async function products(
  graph: Graph,
  outputs: Record<string, Value>,
  out: number,
  feeds: { left: Float32Array; right?: Tensor },
  threadCounts: readonly number[],
  weights: Record<string, Float32Array> = {},
): Promise<Float32Array[]> {
  const { left, ...rest } = feeds;
  const inner = left.length / 200;
  const found: Float32Array[] = [];
  for (const threads of threadCounts) {
    const program = await Program.compile(graph, outputs, { threads, weights });
    for (const rows of [1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 31, 64, 70, 128, 200]) {
      const matrix = floats(left.subarray(0, rows * inner), [rows, inner]);
      const { product } = await program.run({ ...rest, left: matrix }, { rows });
      found.push(floatData(product).slice(0, out));
    }
    await program.release();
  }
  return found;
}

describe("the same bits come out", () => {
  const widths = [
    [64, 256],
    [512, 64],
    [300, 41],
    [1024, 256],
  ] as const;

  it.each(widths)(
    "for a row of a product over %i numbers with a weight of the program, at any size and thread count",
    async (inner, out) => {
      const graph = new Graph();
      const left = graph.input("left", ["rows", inner]);
      const outputs = { product: matmul(left, graph.parameter("right", [out, inner]), { transB: true }) };
      const weights = { right: randoms(out * inner, 4) };
      const data = randoms(200 * inner, 5);
      const found = await products(graph, outputs, out, { left: data }, [1, 2], weights);
      for (const other of found) expect(other).toEqual(found[0]);
    },
  );

  it.each(widths)(
    "for a row of a product over %i numbers with a fed weight, at one thread, but for a single row",
    async (inner, out) => {
      const graph = new Graph();
      const left = graph.input("left", ["rows", inner]);
      const outputs = { product: matmul(left, graph.parameter("right", [out, inner]), { transB: true }) };
      const right = floats(randoms(out * inner, 4), [out, inner]);
      const data = randoms(200 * inner, 5);
      // One row takes another kernel; several threads cut the sums elsewhere (see decoder.ts).
      const found = (await products(graph, outputs, out, { left: data, right }, [1])).slice(1);
      for (const other of found) expect(other).toEqual(found[0]);
    },
  );

  it("for the encoder at one thread and at two, in any company, behind any padding", async () => {
    const wide = { ...config, width: 64, encoderInner: 512 };
    const parameters = initialise(wide, 8);
    const feeder = new BatchFeeder(wide);
    const source = randomTokens(19, 1);
    const companies = [[], [2, 3], [25], [40, 7, 100], [64, 64, 64, 64, 64]];
    const found: Float32Array[] = [];
    for (const threads of [1, 2]) {
      const programs = new DecoderPrograms(wide, parameters, { threads });
      for (const company of companies) {
        const sources = [source, ...company.map((length, i) => randomTokens(length, 50 + i))];
        const { feeds, sourceTime } = feeder.sources(sources);
        const made = await programs.run("encode", feeds, { batch: sources.length, sourceTime });
        // [batch, head, sourceTime, perHead]: the first source's 19 positions of the first head.
        found.push(floatData(made["values.1"]).slice(0, 19 * 16));
      }
      await programs.release();
    }
    for (const other of found) expect(other).toEqual(found[0]);
  });

  it("for a softmax and what it weighs, whatever the number of masked places behind", async () => {
    const graph = new Graph();
    const probabilities = softmax(graph.input("scores", ["rows", "time"]));
    const mixed = matmul(probabilities, graph.input("values", ["time", 24]));
    const program = await Program.compile(graph, { probabilities, mixed });
    const found: Float32Array[] = [];
    for (const time of [37, 38, 48, 64, 96, 128, 200]) {
      const scores = new Float32Array(2 * time).fill(-1e9);
      for (const row of [0, 1]) scores.set(randoms(37, 6 + row), row * time);
      const values = randoms(time * 24, 9);
      const feeds = { scores: floats(scores, [2, time]), values: floats(values, [time, 24]) };
      const outputs = await program.run(feeds, { rows: 2, time });
      expect(
        floatData(outputs.probabilities)
          .subarray(37, time)
          .every((p) => p === 0),
      ).toBe(true);
      found.push(
        Float32Array.of(...floatData(outputs.probabilities).subarray(0, 37), ...floatData(outputs.mixed)),
      );
    }
    await program.release();
    for (const other of found) expect(other).toEqual(found[0]);
  });
});

describe("a program", () => {
  it("writes into the buffer it is given, a part of a larger one too, and reads parts as they are now", async () => {
    const graph = new Graph();
    const x = graph.input("x", ["n"]);
    const program = await Program.compile(graph, { twice: mul(x, 2) });
    const flat = new Float32Array(9);
    const feed = floats(flat.subarray(0, 3), [3]);
    const into = { twice: floats(flat.subarray(5, 8), [3]) };
    flat.set([1, 2, 3]);
    await program.run({ x: feed }, { n: 3 }, into);
    expect([...flat]).toEqual([1, 2, 3, 0, 0, 2, 4, 6, 0]);
    flat[1] = 10;
    await program.run({ x: feed }, { n: 3 }, into);
    expect([...flat]).toEqual([1, 10, 3, 0, 0, 2, 20, 6, 0]);
    await program.release();
  });

  it("serves every value of its symbolic dimensions, and asks for them by name", async () => {
    const graph = new Graph();
    const x = graph.input("x", ["n", "m"]);
    const program = await Program.compile(graph, { flat: reshape(x, ["m*n"]) });
    for (const [n, m] of [
      [2, 3],
      [5, 1],
      [1, 7],
    ] as const) {
      const { flat } = await program.run({ x: floats(new Float32Array(n * m), [n, m]) }, { n, m });
      expect(flat!.dims).toEqual([n * m]);
    }
    await expect(program.run({ x: floats(new Float32Array(2), [2, 1]) }, { n: 2 })).rejects.toThrow(
      "dimension m has no value",
    );
    await program.release();
  });
});

interface SmoothingFixture {
  readonly rows: number;
  readonly vocabulary: number;
  readonly logits: number[];
  readonly classes: number[];
  readonly weight: number[];
  readonly cases: { smoothing: number; losses: number[]; loss: number; gradient: number[] }[];
}

describe("label smoothing is that of PyTorch's cross_entropy", () => {
  const file = new URL("../fixtures/smoothing/smoothing.json", import.meta.url);
  const fixture = JSON.parse(readFileSync(file, "utf8")) as SmoothingFixture;

  it.each(fixture.cases)("at $smoothing: losses, their weighted sum and its gradient", async (expected) => {
    const { rows, vocabulary } = fixture;
    const graph = new Graph();
    const logits = graph.parameter("logits", [rows, vocabulary]);
    const smoothed = logProb(logits, graph.input("classes", [rows], "int64"), expected.smoothing);
    const loss = neg(total(mul(smoothed, graph.input("weight", [rows]))));
    const [gradient] = gradients(loss, [logits]);
    const outputs = { smoothed, loss, gradient: gradient!.dense! };
    const program = await Program.compile(graph, outputs);
    const made = await program.run({
      logits: floats(Float32Array.from(fixture.logits), [rows, vocabulary]),
      classes: integers(fixture.classes, [rows]),
      weight: floats(Float32Array.from(fixture.weight), [rows]),
    });
    await program.release();
    const losses = floatData(made.smoothed).map((x) => -x);
    expect(largestDifference(losses, expected.losses).difference).toBeLessThan(1e-5);
    expect(Math.abs(floatData(made.loss)[0]! - expected.loss)).toBeLessThan(1e-5);
    expect(largestDifference(floatData(made.gradient), expected.gradient).difference).toBeLessThan(1e-6);
  });
});

describe("gradient accumulation", () => {
  const groups: Group[] = Array.from({ length: 8 }, (_, i) => ({
    source: randomTokens(3 + 2 * i, 100 + i),
    targets: [{ tokens: randomTokens(2 + ((5 * i) % 9), 200 + i), weight: 0.5 + i / 8 }],
  }));
  const size = groups.reduce((sum, { targets: [t] }) => sum + t!.weight * t!.tokens.length, 0);
  const options: UpdateOptions = { learningRate: 1e-3, weightDecay: 0.01, clipNorm: 1, averageDecay: 0.99 };

  async function trainerOf(): Promise<Trainer> {
    const { graph, loss, logProbs } = tokenGraph(config, { smoothing: 0.1, dropout: false });
    return Trainer.compile(graph, loss, initialise(config, 8), { logProbs });
  }

  it("of 8 batches of one is one batch of 8, within rounding", async () => {
    const feeder = new BatchFeeder(config);
    const [many, one] = [await trainerOf(), await trainerOf()];
    let passes = 0;
    const apart = await many.update(
      groups.map((group) => feeder.batch([group], 1 / size)),
      options,
      (outputs) => {
        expect(outputs.logProbs!.dims).toEqual([groups[passes++]!.targets[0]!.tokens.length]);
      },
    );
    const together = await one.update([feeder.batch(groups, 1 / size)], options);
    expect(passes).toBe(8);
    expect(apart.loss).toBeCloseTo(together.loss, 5);
    expect(apart.gradientNorm / together.gradientNorm).toBeCloseTo(1, 5);
    // After the first update the running mean is a tenth of the clipped gradient.
    const [a, b] = [many.state.adam.m, one.state.adam.m];
    expect(Math.sqrt(b.reduce((sum, x) => sum + x * x, 0))).toBeCloseTo(0.1, 5);
    expect(largestDifference(a, b).difference).toBeLessThan(1e-7);
    // An update divides each gradient by its size, so rounding alone moves weights whose gradient is nearly nothing.
    const clear = b.map((x) => (Math.abs(x) > 1e-6 ? 1 : 0));
    const moved = ({ parameters }: Trainer) => parameters.data.map((x, i) => x * clear[i]!);
    expect(clear.reduce((sum, x) => sum + x, 0)).toBeGreaterThan(0.8 * clear.length);
    expect(largestDifference(moved(many), moved(one)).difference).toBeLessThan(1e-4);
    await many.release();
    await one.release();
  });

  it("changes every weight; a batch without weight is told as divergence is: never by silence", async () => {
    const feeder = new BatchFeeder(config);
    const trainer = await trainerOf();
    const before = trainer.parameters.data.slice();
    await trainer.update([feeder.batch(groups, 1 / size)], options);
    for (const { name } of trainer.parameters.specs) {
      const start = before.subarray(trainer.parameters.view(name).byteOffset / 4);
      const changed = trainer.parameters.view(name).some((x, i) => x !== start[i]);
      expect(changed, name).toBe(true);
    }
    await expect(trainer.update([feeder.batch(groups, Number.NaN)], options)).rejects.toThrow(
      "training diverged: loss NaN",
    );
    await trainer.release();
  });

  it("leaves all as it was when training diverges", async () => {
    const feeder = new BatchFeeder(config);
    const trainer = await trainerOf();
    await trainer.update([feeder.batch(groups, 1 / size)], options);
    const { adam, average } = trainer.state;
    const before = [trainer.parameters.data, adam.m, adam.v, average!].map((buffer) => buffer.slice());
    await trainer.update([feeder.batch(groups, Number.POSITIVE_INFINITY)], options).catch(() => {});
    expect([trainer.parameters.data, adam.m, adam.v, average!]).toEqual(before);
    expect(adam.step).toBe(1);
    await trainer.release();
  });
});
