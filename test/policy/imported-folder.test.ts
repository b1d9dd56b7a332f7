/**
 * Marian folders of others compute and translate here as they do in Transformers: Hugging Face's layout (test/fixtures/opus/make.py,
 * 5.23.0) and Marian's own, which Transformers' script converts (test/fixtures/marian-npz/make.py, 4.44.2).
 */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { loadModelFolder } from "../../src/model/folder.js";
import { Marian } from "../../src/model/marian.js";
import { NativePolicy } from "../../src/policy/native.js";
import { BatchFeeder, recordTeacherForcing } from "../../src/policy/network.js";
import { Graph } from "../../src/tensor/graph.js";
import { floatData, Program } from "../../src/tensor/program.js";
import { Thread } from "../../src/tensor/thread.js";
import { loadTextCodec } from "../../src/text/text-codec.js";
import { largestDifference } from "../model/marian-fixture.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/", import.meta.url));

interface Generated {
  readonly settings: { num_beams?: number; max_length?: number };
  readonly tokens: number[][];
  readonly texts: string[];
  /** Mean log-probability of each, where a beam search was done. */
  readonly scores: number[] | null;
}
interface Made {
  readonly asked: string[];
  readonly pair: [source: string, target: string];
  /** [time, vocabulary], the first places of the pair. */
  readonly logits: number[][];
  readonly generations: Generated[];
}

let thread: Thread;
let folder: string;
beforeAll(() => {
  thread = new Thread();
  folder = mkdtempSync(join(tmpdir(), "coppice-imported-"));
});
afterAll(async () => {
  await thread.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(["opus/unigram", "opus/bpe", "opus/random", "marian-npz/shared", "marian-npz/separate"])(
  "the %s folder",
  (name) => {
    const made = JSON.parse(readFileSync(`${FIXTURES}${name}.json`, "utf8")) as Made;
    let policy: NativePolicy;
    beforeAll(async () => {
      policy = await NativePolicy.load(thread, FIXTURES + name);
    });
    afterAll(() => policy.release());

    it("gives the same logits within 1e-4", async () => {
      const { config, parameters } = await loadModelFolder(FIXTURES + name);
      const { source, target } = await loadTextCodec(FIXTURES + name);
      const graph = new Graph();
      const marian = new Marian(graph, config);
      const program = await Program.compile(graph, { logits: marian.logits(recordTeacherForcing(marian)) });
      const targets = [{ tokens: target.encode(made.pair[1]), weight: 1 }];
      const { feeds, symbols } = new BatchFeeder(config).batch(
        [{ source: source.encode(made.pair[0]), targets }],
        1,
      );
      const outputs = await program.run({ ...parameters.feeds(), ...feeds }, symbols);
      await program.release();
      const theirs = made.logits.flat();
      const ours = floatData(outputs.logits).subarray(0, theirs.length);
      expect(largestDifference(ours, theirs).difference).toBeLessThan(1e-4);
    });

    it.each(made.generations)(
      "translates the same with $settings",
      async ({ settings, tokens, texts, scores }) => {
        const found = await policy.translate(
          made.asked.map((text, sourceId) => ({ sourceId, text })),
          {
            beams: settings.num_beams ?? policy.config.generation.beams,
            maxTokens: (settings.max_length ?? 1000) - 1,
          },
        );
        expect(found.map((one) => one.tokens)).toEqual(tokens);
        expect(found.map((one) => one.text)).toEqual(texts);
        const means = found.map(({ logProbs }) => logProbs.reduce((a, b) => a + b, 0) / logProbs.length);
        if (scores) expect(largestDifference(means, scores).difference).toBeLessThan(1e-4);
        expect(new Set(texts).size).toBeGreaterThan(3);
      },
    );

    it("translates the same when it has been saved and loaded", async () => {
      const saved = join(folder, name);
      await policy.save(saved);
      const again = await NativePolicy.load(thread, saved);
      expect(again.config).toEqual(policy.config);
      const { texts, settings } = made.generations[0]!;
      const found = await again.translate(
        made.asked.map((text, sourceId) => ({ sourceId, text })),
        { beams: policy.config.generation.beams, maxTokens: (settings.max_length ?? 1000) - 1 },
      );
      await again.release();
      expect(found.map(({ text }) => text)).toEqual(texts);
    });
  },
);

it("settings of a search are read from config.json where there is no generation_config.json, as of old", async () => {
  const old = join(folder, "old");
  cpSync(`${FIXTURES}opus/unigram`, old, { recursive: true });
  const settings = readFileSync(join(old, "generation_config.json"), "utf8");
  const config = readFileSync(join(old, "config.json"), "utf8");
  rmSync(join(old, "generation_config.json"));
  writeFileSync(join(old, "config.json"), JSON.stringify({ ...JSON.parse(config), ...JSON.parse(settings) }));
  const expected = await loadModelFolder(`${FIXTURES}opus/unigram`);
  expect((await loadModelFolder(old)).config).toEqual(expected.config);
  expect(expected.config.generation).toMatchObject({
    beams: 4,
    maxLength: 24,
    forceEnd: true,
    renormalise: true,
  });
});

describe("one sentence says what is wrong with", () => {
  const broken = async (file: string, change: (json: Record<string, unknown>) => void): Promise<string> => {
    const copy = join(folder, "broken");
    rmSync(copy, { recursive: true, force: true });
    cpSync(`${FIXTURES}opus/unigram`, copy, { recursive: true });
    const json = JSON.parse(readFileSync(join(copy, file), "utf8")) as Record<string, unknown>;
    change(json);
    writeFileSync(join(copy, file), JSON.stringify(json));
    const error: unknown = await NativePolicy.load(thread, copy).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  };
  const settings = "generation_config.json";

  it("a tokenizer of another model", async () => {
    const change = (json: Record<string, unknown>) => {
      json.extra = Object.keys(json).length;
    };
    expect(await broken("vocab.json", change)).toMatch(
      /the tokenizer has a vocabulary of \d+, but the model has \d+\./,
    );
  });

  it.each([
    [{ no_repeat_ngram_size: 3 }, "no_repeat_ngram_size is 3, which Coppice's search does not do"],
    [{ early_stopping: true }, "early_stopping is true, which Coppice's search does not do"],
    [{ bad_words_ids: [[1, 2]] }, "bad_words_ids.0"],
    [{ bad_words_ids: [[0]] }, "bad_words_ids forbids token 0"],
    [{ forced_eos_token_id: 5 }, "forced_eos_token_id is 5, expected the eos_token_id 0"],
  ])("a search with %j", async (change, what) => {
    expect(await broken(settings, (json) => Object.assign(json, change))).toContain(what);
  });
});
