import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type BertEncoderConfig,
  bertEncoder,
  bertEncoderSpecs,
  transformersName,
} from "../../src/model/bert-encoder.js";
import { MASKED } from "../../src/model/marian.js";
import { readSafetensors } from "../../src/model/safetensors.js";
import { Graph } from "../../src/tensor/graph.js";
import { floatData, floats, integers, Program, type Tensor } from "../../src/tensor/program.js";

const FOLDER = new URL("../fixtures/encoder/", import.meta.url).pathname;

interface Fixture {
  readonly config: BertEncoderConfig;
  readonly firstPosition: number;
  readonly lengths: number[];
  readonly ids: number[][];
  readonly types: number[][];
  /** [state, batch, time, width] */
  readonly states: number[][][][];
}

/** The encoder of test/fixtures/encoder with one name for all its hidden states. */
async function compile(name: string) {
  const fixture = JSON.parse(readFileSync(`${FOLDER}${name}.json`, "utf8")) as Fixture;
  const { tensors } = await readSafetensors(`${FOLDER}${name}.safetensors`);
  const graph = new Graph();
  const shape = ["batch", "time"];
  const states = bertEncoder(
    graph,
    fixture.config,
    {
      ids: graph.input("ids", shape, "int64"),
      positions: graph.input("positions", ["time"], "int64"),
      types: graph.input("types", shape, "int64"),
      mask: graph.input("mask", ["batch", 1, 1, "time"]),
    },
    "encoder.",
  );
  const program = await Program.compile(graph, Object.fromEntries(states.map((state, i) => [`${i}`, state])));
  const weights: Record<string, Tensor> = {};
  for (const { name: weight, shape: expected } of bertEncoderSpecs(fixture.config)) {
    const { shape: found, data } = tensors.get(transformersName(weight))!;
    expect(found).toEqual(expected);
    weights[`encoder.${weight}`] = floats(data as Float32Array, found);
  }
  expect(Object.keys(weights)).toHaveLength(tensors.size);
  const run = async (rows: readonly number[]): Promise<Float32Array[]> => {
    const time = Math.max(...rows.map((row) => fixture.lengths[row]!));
    const lengths = rows.map((row) => fixture.lengths[row]!);
    const grid = (from: readonly (readonly number[])[]) =>
      integers(
        rows.flatMap((row) => from[row]!.slice(0, time)),
        [rows.length, time],
      );
    const mask = lengths.flatMap((length) =>
      Array.from({ length: time }, (_, t) => (t < length ? 0 : MASKED)),
    );
    const feeds = {
      ...weights,
      ids: grid(fixture.ids),
      types: grid(fixture.types),
      positions: integers(
        Array.from({ length: time }, (_, t) => fixture.firstPosition + t),
        [time],
      ),
      mask: floats(Float32Array.from(mask), [rows.length, 1, 1, time]),
    };
    const outputs = await program.run(feeds, { batch: rows.length, time });
    return states.map((_, i) => floatData(outputs[`${i}`]));
  };
  return { fixture, run, program };
}

describe.each(["bert", "xlmr", "rembert"])("the %s encoder of Transformers 5.23.0", (name) => {
  it("has the same hidden states, in a batch and alone", async () => {
    const { fixture, run, program } = await compile(name);
    const { lengths, states, config } = fixture;
    expect(states).toHaveLength(config.layers + 1);
    for (const rows of [[0, 1, 2], [1], [2]]) {
      const found = await run(rows);
      const time = Math.max(...rows.map((row) => lengths[row]!));
      states.forEach((state, s) => {
        rows.forEach((row, r) => {
          for (let t = 0; t < lengths[row]!; t++)
            for (let i = 0; i < config.width; i++)
              expect(found[s]![(r * time + t) * config.width + i]).toBeCloseTo(state[row]![t]![i]!, 4);
        });
      });
    }
    await program.release();
  });
});

it("names no weight that an encoder does not have", () => {
  expect(() => transformersName("layers.0.pooler.weight")).toThrow("no weight layers.0.pooler.weight");
  expect(() => transformersName("embeddings.inner.weight")).toThrow("no weight");
});
