import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { distanceBuckets, mt5Regression, parseMt5Config } from "../../../src/model/mt5.js";
import { loadMt5Regression } from "../../../src/model/mt5-folder.js";
import { readSafetensors } from "../../../src/model/safetensors.js";
import { VARIANTS, variantNames } from "../../../src/reward/pretrained/metricx/variants.js";
import { openPretrained } from "../../../src/reward/pretrained/open.js";
import type { RewardInput } from "../../../src/reward/reward.js";
import { floatData, floats, integers, Program } from "../../../src/tensor/program.js";
import { Thread } from "../../../src/tensor/thread.js";
import { loadPieceTokenizer } from "../../../src/text/piece-tokenizer.js";
import { FIXTURE, metricxFolder } from "./metricx-folder.js";

interface Fixture {
  inputs: { source: string; hypothesis: string; reference: string }[];
  ids: Record<string, (number[] | null)[]>;
  lengths: Record<string, number[]>;
  scores: Record<string, number[]>;
  buckets: { from: number; of: number[] };
  odd: { text: string; ids: number[]; fast: number[] }[];
}

const fixture = JSON.parse(readFileSync(join(FIXTURE, "scores.json"), "utf8")) as Fixture;
const config = parseMt5Config(JSON.parse(readFileSync(join(FIXTURE, "config.json"), "utf8")), "config.json");
const inputs: RewardInput[] = fixture.inputs.map(({ source, hypothesis, reference }) => ({
  source,
  candidate: hypothesis,
  reference,
}));

let parent: string;
let folder: string;
let thread: Thread;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "metricx-"));
  folder = await metricxFolder(parent, "metricx-23-qe-tiny");
  thread = new Thread();
});
afterAll(async () => {
  await thread.close();
  await rm(parent, { recursive: true });
});

describe("mT5 equals Transformers'", () => {
  test("in the buckets of distances", () => {
    const { from, of } = fixture.buckets;
    const time = 1 - from;
    const buckets = distanceBuckets(time, config);
    // Row 0 has the distances up to 200, the last row those down to −200.
    expect(Array.from(buckets.subarray(0, time))).toEqual(of.slice(-from));
    expect(Array.from(buckets.subarray((time - 1) * time))).toEqual(of.slice(0, time));
  });

  test("in every state of the encoder", async () => {
    const { tensors } = await readSafetensors(join(FIXTURE, "states.safetensors"));
    const { weights } = await loadMt5Regression(folder, 250_089);
    const { graph, states } = mt5Regression(config);
    const program = await Program.compile(graph, { states });
    for (const [place, { shape, data }] of tensors) {
      const ids = fixture.ids["metricx-23-qe"]![Number(place)]!;
      const time = ids.length;
      const outputs = await program.run(
        {
          ...weights,
          ids: integers(ids, [1, time]),
          mask: floats(new Float32Array(time), [1, 1, 1, time]),
          buckets: integers(distanceBuckets(time, config), [time, time]),
        },
        { batch: 1, time },
      );
      const found = floatData(outputs.states);
      expect(found.length).toBe(shape[0]! * shape[1]!);
      expect(largestDifference(found, data as Float32Array)).toBeLessThan(1e-4);
    }
    expect(tensors.size).toBe(8);
    await program.release();
  });
});

describe("text is cut", () => {
  test("as SentencePiece cuts it, by the model file", async () => {
    const tokenizer = await loadPieceTokenizer(join(FIXTURE, "spiece.model"));
    for (const { text, ids } of fixture.odd) expect(tokenizer.encode(text)).toEqual(ids);
  });

  test("as Transformers cuts it, by tokenizer.json", async () => {
    const tokenizer = await loadPieceTokenizer(join(FIXTURE, "tokenizer.json"));
    for (const { text, fast } of fixture.odd) {
      // What is spelt like a special token is text here, and white space alone is nothing.
      if (text.includes("</s>") || text === " ") continue;
      expect(tokenizer.encode(text)).toEqual(fast);
    }
    expect(tokenizer.encode("</s>")).not.toContain(tokenizer.idOf("</s>"));
  });
});

test.each(variantNames)("%s puts its input together and cuts it as predict.py does", async (variant) => {
  const tokenizer = await loadPieceTokenizer(join(FIXTURE, "tokenizer.json"));
  const { text, maxLength } = VARIANTS[variant];
  const found = inputs.map((input) => tokenizer.encode(text(input)).slice(0, maxLength - 1));
  const column = variantNames.indexOf(variant);
  fixture.ids[variant]!.forEach((ids, place) => {
    if (ids) expect(found[place]).toEqual(ids);
    else expect(found[place]!.length).toBe(fixture.lengths[place]![column]);
  });
});

describe("MetricX scores as its authors' program", () => {
  test.each(variantNames)("%s", async (variant) => {
    const named = variant.startsWith("metricx-24") ? await metricxFolder(parent, `${variant}-tiny`) : folder;
    const scorer = await openPretrained(
      thread,
      variant === "metricx-23" ? await metricxFolder(parent, "metricx-23-tiny") : named,
      {
        variant,
        // The program cuts with Transformers' tokenizer, which has no byte pieces.
        tokenizer: join(FIXTURE, "tokenizer.json"),
      },
    );
    const found = await scorer.score(inputs);
    expect(
      largestDifference(
        found.map(({ raw }) => raw),
        fixture.scores[variant]!,
      ),
    ).toBeLessThan(1e-4);
    for (const { raw, reward } of found) expect(reward).toBe(1 - raw / 25);
    // One of its scores is below 0 before it is cut.
    if (variant === "metricx-24-qe") expect(found[4]).toEqual({ raw: 0, reward: 1 });
    await scorer.close();
  });
});

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  // NaN must not be overlooked.
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
