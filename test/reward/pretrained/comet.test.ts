import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readModel } from "../../../src/reward/pretrained/comet/checkpoint.js";
import { comet } from "../../../src/reward/pretrained/comet/comet.js";
import { loadTokenizer, sequencesOf } from "../../../src/reward/pretrained/comet/text.js";
import type { PretrainedScorer } from "../../../src/reward/pretrained/family.js";
import { packSequences } from "../../../src/reward/pretrained/packed.js";
import type { RewardInput } from "../../../src/reward/reward.js";
import { Thread } from "../../../src/tensor/thread.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/comet/", import.meta.url));
const TOKENIZER = join(FIXTURES, "tokenizer");

interface Fixture {
  readonly inputs: { readonly src: string; readonly mt: string; readonly ref?: string }[];
  readonly results: {
    readonly ids: Readonly<Record<string, number[]>>;
    readonly vectors: Readonly<Record<string, number[]>>;
    readonly score: number;
  }[];
}

/** The sequences of an input in the order in which they are made here. */
const ORDER = ["sequence0", "sequence1", "sequence2", "mt", "src", "ref"];

const MODELS = [
  { name: "kiwi", variant: "wmt22-cometkiwi-da", place: undefined },
  { name: "qe", variant: "wmt20-comet-qe-da", place: TOKENIZER },
  { name: "da", variant: "wmt22-comet-da", place: join(TOKENIZER, "tokenizer.json") },
  { name: "unite", variant: "comet-unit", place: TOKENIZER },
  { name: "layer", variant: "comet-z", place: TOKENIZER },
];

let thread: Thread;
beforeAll(() => {
  thread = new Thread();
});
afterAll(() => thread.close());

describe.each(MODELS)("the $name checkpoint that COMET 2.2.7 wrote", ({ name, variant, place }) => {
  const folder = join(FIXTURES, name);
  const { inputs, results } = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), "utf8")) as Fixture;
  const batch = inputs.map(
    ({ src, mt, ref }): RewardInput => ({
      source: src,
      candidate: mt,
      ...(ref !== undefined && { reference: ref }),
    }),
  );
  const tokenizer = place ?? join(folder, "sentencepiece.bpe.model");
  const tokenizerFile = tokenizer === TOKENIZER ? join(TOKENIZER, "sentencepiece.bpe.model") : tokenizer;
  let scorer: PretrainedScorer;

  beforeAll(async () => {
    scorer = await comet.open(thread, folder, { variant, ...(place !== undefined && { tokenizer: place }) });
  });
  afterAll(() => scorer.close());

  it("is recognised", async () => {
    expect(await comet.recognises(folder)).toBe(true);
    expect(await comet.recognises(TOKENIZER)).toBe(false);
  });

  it("has the same token ids", async () => {
    const { settings, config } = await readModel(folder, tokenizerFile);
    const sequences = sequencesOf(await loadTokenizer(tokenizerFile), settings, config.positions);
    batch.forEach((input, i) => {
      const { ids } = results[i]!;
      expect(sequences(input)).toEqual(ORDER.filter((key) => key in ids).map((key) => ids[key]));
    });
  });

  it("has the same vectors of sentences", async () => {
    const model = await readModel(folder, tokenizerFile);
    const remote = await thread.open(
      new URL("../../../src/reward/pretrained/comet/worker.ts", import.meta.url),
      model,
    );
    for (const { ids, vectors } of results) {
      const keys = Object.keys(ids);
      const found = (await remote.call(
        "vectors",
        packSequences(keys.map((key) => ids[key]!)),
      )) as Float32Array;
      const expected = keys.flatMap((key) => vectors[key]!);
      expect(found).toHaveLength(expected.length);
      for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-4);
    }
    await remote.release();
  });

  it("has the same raw scores, in any batch", async () => {
    const together = await scorer.score(batch);
    for (const [i, { score }] of results.entries())
      expect(Math.abs(together[i]!.raw - score)).toBeLessThan(1e-4);
    for (const i of [0, 3, 9]) {
      const [alone] = await scorer.score([batch[i]!]);
      expect(Math.abs(alone!.raw - together[i]!.raw)).toBeLessThan(1e-5);
    }
  });

  it("gives a reward in [0, 1] that keeps the order", async () => {
    const scores = await scorer.score(batch);
    const ranked = [...scores].sort((a, b) => a.raw - b.raw);
    ranked.forEach(({ reward }, i) => {
      expect(reward).toBeGreaterThanOrEqual(i === 0 ? 0 : ranked[i - 1]!.reward);
      expect(reward).toBeLessThanOrEqual(1);
    });
  });
});
