/** What is said of checkpoints of COMET that are incomplete, of another kind, or named wrongly. */

import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.js";
import { type StoredTensor, writeSafetensors } from "../../../src/model/safetensors.js";
import { openTrainingCheckpoint } from "../../../src/model/torch-file.js";
import { comet } from "../../../src/reward/pretrained/comet/comet.js";
import { encoderConfig } from "../../../src/reward/pretrained/comet/encoder.js";
import type { PretrainedOptions } from "../../../src/reward/pretrained/family.js";
import { Thread } from "../../../src/tensor/thread.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/comet/", import.meta.url));
const TOKENIZER = join(FIXTURES, "tokenizer");

let thread: Thread;
beforeAll(() => {
  thread = new Thread();
});
afterAll(() => thread.close());

let root: string;
/** A copy of the `qe` checkpoint, to be spoilt. */
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "coppice-comet-"));
  folder = join(root, "wmt20-comet-qe-da");
  cpSync(join(FIXTURES, "qe"), folder, { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function refusal(options: PretrainedOptions = {}, place = folder): Promise<string> {
  const error: unknown = await comet.open(thread, place, { tokenizer: TOKENIZER, ...options }).then(
    (scorer) => scorer.close(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).toMatch(/^[^\n]+\.$/);
  return message;
}

function edit(name: string, change: (text: string) => string): void {
  const file = join(folder, name);
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

/** Puts a safetensors file with changed weights in the checkpoint's place; the settings are then those of hparams.yaml. */
async function convert(
  change: (tensors: Map<string, StoredTensor>) => void = () => undefined,
): Promise<void> {
  const file = join(folder, "checkpoints", "model.ckpt");
  const reader = await openTrainingCheckpoint(file);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shape] of reader.shapes) tensors.set(name, { shape, data: await reader.read(name) });
  await reader.close();
  change(tensors);
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  rmSync(file);
}

it("reads a checkpoint that was converted to safetensors, with the same scores", async () => {
  const inputs = [{ source: "die Datei", candidate: "the file" }];
  const before = await comet.open(thread, folder, { tokenizer: TOKENIZER });
  const expected = await before.score(inputs);
  await before.close();
  await convert();
  const after = await comet.open(thread, folder, { tokenizer: TOKENIZER });
  expect(await after.score(inputs)).toEqual(expected);
  await after.close();
});

it("knows a model by the folders of the Hub's cache", async () => {
  const cached = join(root, "models--Unbabel--wmt20-comet-qe-da", "snapshots", "2e7ffc8");
  cpSync(folder, cached, { recursive: true });
  const scorer = await comet.open(thread, cached, { tokenizer: TOKENIZER });
  expect(scorer).toMatchObject({
    variant: "wmt20-comet-qe-da",
    licence: "Apache-2.0",
    needsReference: false,
    needsSource: true,
  });
  await scorer.close();
});

it("mixes COMETKiwi's layers by a softmax, also where an older copy of its files says sparsemax", async () => {
  const inputs = [{ source: "die Datei", candidate: "the file" }];
  const scores = async (place: string) => {
    const scorer = await comet.open(thread, place, { variant: "wmt22-cometkiwi-da" });
    const found = await scorer.score(inputs);
    await scorer.close();
    return found;
  };
  const older = join(root, "older");
  cpSync(join(FIXTURES, "kiwi"), older, { recursive: true });
  const file = join(older, "hparams.yaml");
  const text = readFileSync(file, "utf8");
  expect(text).toContain("sparsemax_patch");
  writeFileSync(file, text.replace("sparsemax_patch", "sparsemax"));
  expect(await scores(older)).toEqual(await scores(join(FIXTURES, "kiwi")));
});

it("lists the files that scores follow from", async () => {
  const inside = (...parts: string[]) => join(folder, ...parts);
  expect(await comet.files(folder, { tokenizer: TOKENIZER })).toEqual([
    inside("hparams.yaml"),
    inside("checkpoints", "model.ckpt"),
    join(TOKENIZER, "config.json"),
    join(TOKENIZER, "sentencepiece.bpe.model"),
  ]);
});

it("asks for the reference that a regression needs", async () => {
  const scorer = await comet.open(thread, join(FIXTURES, "da"), {
    tokenizer: TOKENIZER,
    variant: "wmt22-comet-da",
  });
  expect(scorer.needsReference).toBe(true);
  await expect(scorer.score([{ source: "die Datei", candidate: "the file" }])).rejects.toThrow(
    'wmt22-comet-da compares with a reference, and source "die Datei" has none',
  );
  await scorer.close();
});

describe("a variant", () => {
  it("must be known by the folder's name or given", async () => {
    const nameless = join(root, "mine");
    renameSync(folder, nameless);
    expect(await refusal({}, nameless)).toContain("the folder's name says no COMET model");
  });

  it("must be one of COMET's", async () => {
    expect(await refusal({ variant: "metricx-23-qe" })).toContain('"metricx-23-qe" is no variant of COMET');
  });

  it("must not contradict the folder's name", async () => {
    expect(await refusal({ variant: "wmt22-comet-da" })).toContain(
      "the folder's name says wmt20-comet-qe-da, but the variant asked for is wmt22-comet-da",
    );
  });

  it("must be of the checkpoint's class", async () => {
    const other = join(root, "wmt22-comet-da");
    renameSync(folder, other);
    expect(await refusal({}, other)).toContain(
      "the checkpoint is a ReferencelessRegression, but wmt22-comet-da is a RegressionMetric",
    );
  });
});

describe("a tokenizer", () => {
  it("that is missing is named, with where to get it", async () => {
    const message = await refusal({ tokenizer: root });
    expect(message).toContain("sentencepiece.bpe.model of its encoder, tokenizer, from the Hugging Face Hub");
  });

  it("is found in the checkpoint's folder and in one that is called as the encoder is", async () => {
    cpSync(TOKENIZER, join(folder, "tokenizer"), { recursive: true });
    expect((await comet.files(folder, {})).at(-1)).toBe(join(folder, "tokenizer", "sentencepiece.bpe.model"));
  });

  it.each([
    ["spiece.model", "is no model of XLM-R: its first pieces are not <unk>, <s> and </s>"],
    ["tokenizer.json", "is no tokenizer of XLM-R, whose first tokens are <s> <pad> </s> <unk>"],
  ])("of another model, %s of mT5, is refused", async (name, expected) => {
    const other = fileURLToPath(new URL(`../../fixtures/metricx/${name}`, import.meta.url));
    cpSync(join(TOKENIZER, "config.json"), join(root, "config.json"));
    cpSync(other, join(root, name));
    expect(await refusal({ tokenizer: join(root, name) })).toContain(expected);
  });

  it("of another size is refused", async () => {
    cpSync(TOKENIZER, join(root, "tokenizer"), { recursive: true });
    const file = join(root, "tokenizer", "config.json");
    writeFileSync(file, readFileSync(file, "utf8").replace(/"vocab_size": \d+/, '"vocab_size": 250002'));
    expect(await refusal({ tokenizer: join(root, "tokenizer") })).toContain(
      "but the encoder knows 250002. Take the tokenizer of",
    );
  });
});

describe("a folder", () => {
  it.each([
    ["no hparams.yaml", () => rmSync(join(folder, "hparams.yaml")), "hparams.yaml: there is no such file"],
    [
      "no weights",
      () => rmSync(join(folder, "checkpoints"), { recursive: true }),
      "model.ckpt: there is no such file",
    ],
    ["an hparams.yaml that is not YAML", () => edit("hparams.yaml", () => "a: [b"), "is not YAML"],
    [
      "another class of COMET",
      () =>
        edit("hparams.yaml", (text) =>
          text.replace(/class_identifier: .*/, "class_identifier: ranking_metric"),
        ),
      'class_identifier is "ranking_metric", but only unified_metric',
    ],
    [
      "weights that are cut short",
      () => {
        const file = join(folder, "checkpoints", "model.ckpt");
        writeFileSync(file, readFileSync(file).subarray(0, 30_000));
      },
      "it is cut short",
    ],
  ])("with %s is refused", async (_name, spoil, expected) => {
    spoil();
    expect(await refusal()).toContain(expected);
  });

  it.each([
    ["encoder_model: XLM-RoBERTa", "encoder_model: XLM-RoBERTa-XL", 'the encoder is "XLM-RoBERTa-XL"'],
    ["pool: avg", "pool: max", "pool: "],
    ["activations: Tanh", "activations: ReLU", "activations: "],
    ["layer: mix", "layer: 7", "layer 7 of the encoder is asked for, which has 3"],
  ])("whose hparams.yaml has other than %s is refused", async (from, to, expected) => {
    await convert((tensors) => {
      if (from === "layer: mix")
        for (const name of tensors.keys()) if (name.startsWith("layerwise")) tensors.delete(name);
    });
    edit("hparams.yaml", (text) => text.replace(from, to));
    expect(await refusal()).toContain(expected);
  });

  it.each([
    [
      "XCOMET-XL",
      /class_identifier: .*/,
      "class_identifier: xcomet_metric",
      "this is an XCOMET, which is not",
    ],
    [
      "wmt23-cometkiwi-da-xl",
      "encoder_model: XLM-RoBERTa",
      "encoder_model: XLM-RoBERTa-XL",
      "the encoder is",
    ],
  ])("of %s is refused before a variant or a tokenizer is asked for", async (name, from, to, expected) => {
    edit("hparams.yaml", (text) => text.replace(from, to));
    const other = join(root, name);
    renameSync(folder, other);
    for (const options of [{}, { variant: "wmt22-cometkiwi-da" }, { tokenizer: root }]) {
      const message = await refusal(options, other);
      expect(message).toContain(`${join(other, "hparams.yaml")}: ${expected}`);
      expect(message).toContain("Read are COMETKiwi (wmt22-cometkiwi-da)");
    }
  });

  it("whose encoder's sizes stand nowhere is refused", async () => {
    cpSync(join(TOKENIZER, "sentencepiece.bpe.model"), join(root, "sentencepiece.bpe.model"));
    expect(await refusal({ tokenizer: join(root, "sentencepiece.bpe.model") })).toContain(
      'there is no config.json of the encoder "tokenizer", which says its sizes',
    );
    await expect(encoderConfig([root], "constructor")).rejects.toThrow(
      'there is no config.json of the encoder "constructor"',
    );
  });
});

describe("weights", () => {
  it.each([
    [
      "without a tensor",
      (tensors: Map<string, StoredTensor>) => tensors.delete("estimator.ff.3.weight"),
      'tensor "estimator.ff.3.weight" of shape [6,10] is missing',
    ],
    [
      "with a tensor too many",
      (tensors: Map<string, StoredTensor>) =>
        tensors.set("estimator.ff.9.weight", tensors.get("estimator.ff.6.weight")!),
      'tensor "estimator.ff.9.weight" has no place in the model',
    ],
    [
      "that mark words, in a model that does not",
      (tensors: Map<string, StoredTensor>) =>
        tensors.set("hidden2tag.bias", { shape: [3], data: new Float32Array(3) }),
      'tensor "hidden2tag.bias" has no place in the model',
    ],
    [
      "of another shape",
      (tensors: Map<string, StoredTensor>) =>
        tensors.set("layerwise_attention.gamma", { shape: [2], data: new Float32Array(2) }),
      'tensor "layerwise_attention.gamma" has shape [2], but [1] was expected',
    ],
    [
      "of whole numbers",
      (tensors: Map<string, StoredTensor>) =>
        tensors.set("layerwise_attention.gamma", { shape: [1], data: new BigInt64Array(1) }),
      'tensor "layerwise_attention.gamma" holds whole numbers',
    ],
  ])("%s are refused", async (_name, change, expected) => {
    await convert((tensors) => {
      change(tensors);
    });
    expect(await refusal()).toContain(expected);
  });

  it("that older Transformers stored beside are passed over", async () => {
    await convert((tensors) => {
      tensors.set("encoder.model.embeddings.position_ids", { shape: [1, 60], data: new BigInt64Array(60) });
      tensors.set("encoder.model.pooler.dense.bias", { shape: [12], data: new Float32Array(12) });
    });
    await (await comet.open(thread, folder, { tokenizer: TOKENIZER })).close();
  });
});
