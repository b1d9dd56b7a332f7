import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Interrupted } from "../../../src/errors.js";
import {
  distanceBuckets,
  mt5Regression,
  mt5Shapes,
  parseMt5Config,
  unusedShapes,
} from "../../../src/model/mt5.js";
import { loadMt5Regression } from "../../../src/model/mt5-folder.js";
import { readSafetensors, type StoredTensor } from "../../../src/model/safetensors.js";
import type { PretrainedScorer } from "../../../src/reward/pretrained/family.js";
import { VARIANTS, variantNames, variantOf } from "../../../src/reward/pretrained/metricx/variants.js";
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

test("a network of MetricX's large size has as many weights as the published file", () => {
  const sizes = { d_model: 1024, d_ff: 2816, d_kv: 64, num_heads: 16, num_layers: 24 };
  const large = parseMt5Config({ model_type: "mt5", vocab_size: 250_112, ...sizes }, "config.json");
  const shapes = [...mt5Shapes(large).values(), ...unusedShapes(large).values(), [250_112, 1024]];
  const weights = shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0);
  expect(weights).toBe(1_229_581_312);
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

describe("what stands beside an input in a batch", () => {
  test("changes no more than rounding", async () => {
    const alone = await openPretrained(thread, folder, { batchTokens: 1 });
    const together = await openPretrained(thread, folder, { batchTokens: 100_000 });
    const short = inputs.slice(0, 8);
    const raws = async (scorer: PretrainedScorer, batch: RewardInput[]) =>
      (await scorer.score(batch)).map(({ raw }) => raw);
    const single = await raws(alone, short);
    expect(largestDifference(await raws(together, short), single)).toBeLessThan(1e-4);
    const reversed = await raws(together, [...short].reverse());
    expect(largestDifference(reversed.reverse(), single)).toBeLessThan(1e-4);
    // The test could not fail if every score were alike.
    expect(new Set(single.map((raw) => raw.toFixed(3))).size).toBe(8);
    await alone.close();
    await together.close();
  });

  test("is told as it is done, and can be stopped", async () => {
    const scorer = await openPretrained(thread, folder, { batchTokens: 1 });
    const done: number[] = [];
    await scorer.score(inputs.slice(0, 3), { onProgress: (count) => done.push(count) });
    expect(done).toEqual([1, 2, 3]);
    expect(await scorer.score([])).toEqual([]);
    const stopped = scorer.score(inputs, { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toBeInstanceOf(Interrupted);
    await scorer.close();
  });
});

describe("a checkpoint is refused in a sentence", () => {
  const open = (of: string, options = {}) => openPretrained(thread, of, options);
  let count = 0;
  const made: string[] = [];
  /** A folder whose tensors are changed. */
  const changed = async (change: (tensors: Map<string, StoredTensor>) => void) => {
    made.push(await metricxFolder(parent, `metricx-23-qe-changed-${count++}`, change));
    return made.at(-1)!;
  };
  // Each has 32 MB.
  afterEach(() => {
    for (const one of made.splice(0)) rmSync(one, { recursive: true });
  });

  test("that is no folder, or none of a metric", async () => {
    await expect(open(join(parent, "none"))).rejects.toThrow("there is no such folder");
    await expect(open(parent)).rejects.toThrow("does not look like a checkpoint of metricx");
  });

  test("whose variant is unknown, is another, or is not said", async () => {
    await expect(open(folder, { variant: "metricx-99" })).rejects.toThrow(
      '"metricx-99" is no variant of a pretrained reward; it must be one of metricx-23, metricx-23-qe',
    );
    await expect(open(folder, { variant: "metricx-24" })).rejects.toThrow(
      "the folder's name says metricx-23-qe, but the variant asked for is metricx-24",
    );
    const nameless = await metricxFolder(parent, "my-metric");
    await expect(open(nameless)).rejects.toThrow("the folder's name does not say which MetricX this is");
    const scorer = await open(nameless, { variant: "metricx-23" });
    expect(scorer).toMatchObject({ variant: "metricx-23", needsReference: true, needsSource: false });
    await expect(scorer.score([{ source: "a", candidate: "b" }])).rejects.toThrow(
      'metricx-23 compares with a reference, and source "a" has none',
    );
    await scorer.close();
  });

  test("that lacks a tensor: the head, an embedding, a layer, or one that is not even used", async () => {
    for (const name of [
      "lm_head.weight",
      "shared.weight",
      "encoder.block.2.layer.1.DenseReluDense.wi_1.weight",
      "decoder.block.1.layer.0.SelfAttention.q.weight",
    ])
      await expect(open(await changed((tensors) => tensors.delete(name)))).rejects.toThrow(
        new RegExp(`model\\.safetensors: tensor "${name}" of shape \\[.*\\] is missing`),
      );
  });

  test("that has one too many, or of another shape", async () => {
    const more = { shape: [1], data: new Float32Array(1) };
    await expect(open(await changed((tensors) => tensors.set("score.weight", more)))).rejects.toThrow(
      'tensor "score.weight" has no place in the mT5 that config.json describes',
    );
    await expect(
      open(await changed((tensors) => tensors.set("encoder.final_layer_norm.weight", more))),
    ).rejects.toThrow('tensor "encoder.final_layer_norm.weight" has shape [1], but [16] was expected');
  });

  test("whose second embedding is another matrix; the same one is welcome", async () => {
    const finite = (tensors: Map<string, StoredTensor>) => {
      (tensors.get("shared.weight")!.data as Float32Array).fill(0.5);
      tensors.set("encoder.embed_tokens.weight", tensors.get("shared.weight")!);
    };
    await (await open(await changed(finite))).close();
    const other = await changed((tensors) => {
      finite(tensors);
      const { shape, data } = tensors.get("shared.weight")!;
      const copy = (data as Float32Array).slice();
      copy[copy.length - 1] = 0;
      tensors.set("encoder.embed_tokens.weight", { shape, data: copy });
    });
    await expect(open(other)).rejects.toThrow('"shared.weight" and "encoder.embed_tokens.weight" differ');
  });

  test("whose configuration is of another network", async () => {
    const of = async (change: object) => {
      const made = await changed(() => {});
      const file = join(made, "config.json");
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...change }));
      return made;
    };
    await expect(open(await of({ model_type: "t5" }))).rejects.toThrow("does not look like a checkpoint");
    await expect(open(await of({ feed_forward_proj: "relu" }))).rejects.toThrow("feed_forward_proj");
    await expect(open(await of({ tie_word_embeddings: true }))).rejects.toThrow("tie_word_embeddings");
    await expect(open(await of({ vocab_size: 32_000 }))).rejects.toThrow("read from token 250089");
    await expect(open(await of({ num_layers: 4 }))).rejects.toThrow('"encoder.block.3.');
    await expect(open(await of({ num_layers: 2 }))).rejects.toThrow('"encoder.block.2.');
  });

  test("without its tokenizer", async () => {
    const bare = await changed(() => {});
    rmSync(join(bare, "spiece.model"));
    await expect(open(bare)).rejects.toThrow("spiece.model or tokenizer.json was expected");
    await (await open(bare, { tokenizer: FIXTURE })).close();
  });
});

test("folders as Hugging Face's cache names them say their variant", () => {
  expect(variantOf("/cache/models--google--metricx-23-qe-xl-v2p0/snapshots/0a1b", undefined)).toBe(
    "metricx-23-qe",
  );
  expect(variantOf("/m/metricx-23-xxl-v2p0", undefined)).toBe("metricx-23");
  expect(variantOf("/m/metricx-24-hybrid-large-v2p6-bfloat16", undefined)).toBe("metricx-24-qe");
  expect(variantOf("/m/metricx-24-hybrid-large-v2p6", "metricx-24")).toBe("metricx-24");
  expect(variantOf("/metricx-23-qe-large-v2p0/metricx-24-hybrid-xl-v2p6", undefined)).toBe("metricx-24-qe");
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
