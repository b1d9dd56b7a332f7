import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.js";
import { protobufFields } from "../../../src/protobuf.js";
import { bleurt } from "../../../src/reward/pretrained/bleurt/bleurt.js";
import { readBleurtFolder } from "../../../src/reward/pretrained/bleurt/folder.js";
import { loadPairEncoder } from "../../../src/reward/pretrained/bleurt/pair-encoder.js";
import { geluOf } from "../../../src/reward/pretrained/bleurt/saved-graph.js";
import type { PretrainedOptions } from "../../../src/reward/pretrained/family.js";
import { familyOf, openPretrained } from "../../../src/reward/pretrained/open.js";
import { Thread } from "../../../src/tensor/thread.js";
import { mutations } from "../../mutations.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/bleurt/", import.meta.url));

interface Expected {
  readonly reference: string;
  readonly candidate: string;
  readonly ids: number[];
  readonly segments: number[];
  /** Raw scores in the two layouts. */
  readonly published: number;
  readonly port: number;
}
const expected = JSON.parse(readFileSync(join(FIXTURES, "scores.json"), "utf8")) as Expected[];
const inputs = expected.map(({ reference, candidate }) => ({ source: "", reference, candidate }));

type Layout = "published" | "port";
const LAYOUTS: readonly Layout[] = ["published", "port"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-bleurt-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

let thread: Thread;
beforeAll(() => {
  thread = new Thread();
});
afterAll(() => thread.close());

/** A copy of a fixture, whole. */
function unpack(layout: Layout): string {
  cpSync(join(FIXTURES, layout), folder, { recursive: true });
  if (layout === "published")
    writeFileSync(
      join(folder, "saved_model.pb"),
      gunzipSync(readFileSync(join(folder, "saved_model.pb.gz"))),
    );
  return folder;
}

/** Changes keys of a JSON file in the copy; undefined takes a key away. */
function change(file: string, keys: Record<string, unknown>): void {
  const path = join(folder, file);
  const json = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...json, ...keys }));
}

async function failure(options: PretrainedOptions = {}): Promise<string> {
  const error: unknown = await openPretrained(thread, folder, options).then(
    (scorer) => scorer.close(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).not.toContain("\n");
  return message.replaceAll(folder, "FOLDER");
}

describe.each(LAYOUTS)("BLEURT's %s layout", (layout) => {
  it("scores as BLEURT's own code and Transformers do, in batches and alone", async () => {
    const scorer = await openPretrained(thread, unpack(layout));
    try {
      expect(scorer).toMatchObject({
        variant: "bleurt",
        needsReference: true,
        needsSource: false,
        licence: "Apache-2.0",
      });
      const scores = await scorer.score(inputs);
      // The two kinds of GELU differ by more than this.
      scores.forEach(({ raw, reward }, i) => {
        expect(Math.abs(raw - expected[i]![layout])).toBeLessThan(2e-5);
        expect(reward).toBe(Math.min(1, Math.max(0, raw)));
      });
      for (const [i, input] of inputs.entries()) {
        const [alone] = await scorer.score([input]);
        expect(Math.abs(alone!.raw - expected[i]![layout])).toBeLessThan(2e-5);
      }
      expect(await scorer.score([])).toEqual([]);
    } finally {
      await scorer.close();
    }
  });
});

describe("a pair", () => {
  it("has the ids and segments that BLEURT's own code gives it", async () => {
    const encoder = await loadPairEncoder(join(FIXTURES, "port", "spm.model"), 40);
    for (const { reference, candidate, ids, segments } of expected) {
      const encoded = encoder.encode(reference, candidate);
      expect(encoded.ids).toEqual(ids);
      expect(encoded.first).toBe(segments.filter((segment) => segment === 0).length);
    }
  });
});

describe("a folder", () => {
  it("of BLEURT is known by its configuration, whatever its layout and year", async () => {
    for (const layout of LAYOUTS) expect((await familyOf(join(FIXTURES, layout))).name).toBe("bleurt");
    writeFileSync(join(folder, "config.json"), '{"model_type": "bert"}');
    await expect(familyOf(folder)).rejects.toThrow(/does not look like a checkpoint of .*bleurt/);
    writeFileSync(join(folder, "bleurt_config.json"), "{");
    expect((await familyOf(folder)).name).toBe("bleurt");
  });

  it("names every file that scores follow from", async () => {
    const files = async (layout: Layout) => {
      const found = await (await familyOf(unpack(layout))).files(folder, {});
      return found.map((file) => file.slice(folder.length + 1));
    };
    expect(await files("published")).toEqual([
      "bleurt_config.json",
      "bert_config.json",
      "saved_model.pb",
      join("variables", "variables.index"),
      join("variables", "variables.data-00000-of-00001"),
      "sent_piece.model",
    ]);
    rmSync(folder, { recursive: true });
    expect(await files("port")).toEqual(["config.json", "model.safetensors", "spm.model"]);
  });

  it("of 2020, with a WordPiece vocabulary, is told what is read in its place", async () => {
    const message =
      "this is a BLEURT of 2020, with a WordPiece vocabulary (BLEURT-Tiny, -Base or -Large, English alone). BLEURT-20, BLEURT-20-D12, BLEURT-20-D6 and BLEURT-20-D3 are read here: download one of them.";
    unpack("published");
    change("bleurt_config.json", { sp_model: undefined, vocab_file: "vocab.txt", do_lower_case: true });
    expect(await failure()).toBe(`FOLDER/bleurt_config.json: ${message}`);
    rmSync(folder, { recursive: true });
    rmSync(join(unpack("port"), "spm.model"));
    writeFileSync(join(folder, "vocab.txt"), "[PAD]\n");
    expect(await failure()).toBe(`FOLDER/config.json: ${message}`);
  });

  it.each<[string, Layout, string, Record<string, unknown>, string]>([
    [
      "a layer more than the weights",
      "published",
      "bert_config.json",
      { num_hidden_layers: 3 },
      'FOLDER/variables/variables.index: tensor "bert/encoder/layer_2/attention/self/query/kernel" of shape [24,24] is missing. Copy the model folder again, with all of its weights.',
    ],
    [
      "a layer fewer than the weights",
      "port",
      "config.json",
      { num_hidden_layers: 1 },
      'FOLDER/model.safetensors: tensor "bleurt.encoder.layer.1.attention.output.LayerNorm.bias" has no place in the network that the configuration describes. Only BLEURT-20 and its distillations are read here.',
    ],
    [
      "another width than the weights",
      "published",
      "bert_config.json",
      { intermediate_size: 44 },
      'FOLDER/variables/variables.index: tensor "bert/encoder/layer_0/intermediate/dense/kernel" has shape [24,40], but [24,44] was expected. The weights and the configuration belong to different models.',
    ],
    [
      "heads that do not share the width",
      "port",
      "config.json",
      { num_attention_heads: 5 },
      "FOLDER/config.json: hidden_size is not as BLEURT-20 has it (must be a multiple of num_attention_heads). Copy the checkpoint's folder again.",
    ],
    [
      "a key less",
      "published",
      "bert_config.json",
      { hidden_size: undefined },
      "FOLDER/bert_config.json: hidden_size is not as BLEURT-20 has it (Invalid input: expected number, received undefined). Copy the checkpoint's folder again.",
    ],
    [
      "an activation that BLEURT has not",
      "port",
      "config.json",
      { hidden_act: "silu" },
      'FOLDER/config.json: hidden_act is not as BLEURT-20 has it (Invalid option: expected one of "gelu"|"gelu_new"|"gelu_pytorch_tanh"|"relu"). Copy the checkpoint\'s folder again.',
    ],
    [
      "longer pairs than it has positions",
      "published",
      "bleurt_config.json",
      { max_seq_length: 512 },
      "FOLDER/bleurt_config.json: max_seq_length is 512, but bert_config.json has 40 positions. Copy the checkpoint's folder again.",
    ],
    [
      "a tokenizer of another folder",
      "published",
      "bleurt_config.json",
      { sp_model: "../sent_piece" },
      "FOLDER/bleurt_config.json: sp_model is not as BLEURT-20 has it (must be a file of this folder). Copy the checkpoint's folder again.",
    ],
    [
      "fewer tokens than pieces",
      "port",
      "config.json",
      { vocab_size: 20 },
      `FOLDER/spm.model: has ${pieceCount()} pieces, but the checkpoint knows 20 tokens. Use the SentencePiece model of its own folder.`,
    ],
  ])("with %s is refused", async (_, layout, file, keys, message) => {
    unpack(layout);
    change(file, keys);
    expect(await failure()).toBe(message);
  });

  it.each<[Layout, string, string]>([
    [
      "published",
      "bert_config.json",
      "FOLDER/bert_config.json: there is no such file. Copy the checkpoint's folder again.",
    ],
    [
      "published",
      "saved_model.pb",
      "FOLDER/saved_model.pb: there is no such file. Copy the checkpoint's folder again, whole.",
    ],
    [
      "published",
      "sent_piece.model",
      "FOLDER: there is no tokenizer here: sent_piece.model was expected. Name its file or folder with tokenizer (--tokenizer).",
    ],
    [
      "published",
      "variables",
      "FOLDER/variables/variables.index: there is no such file. Copy the checkpoint's folder again, whole.",
    ],
    [
      "port",
      "model.safetensors",
      "FOLDER/model.safetensors: there is no such file. Copy the model folder again, with its weights.",
    ],
  ])("of the %s layout without %s is refused", async (layout, file, message) => {
    rmSync(join(unpack(layout), file), { recursive: true });
    expect(await failure()).toBe(message);
  });

  it("is refused as another variant, and with another model's tokenizer", async () => {
    unpack("port");
    expect(await failure({ variant: "bleurt-20-d12" })).toBe(
      "FOLDER: its sizes (2 layers, 180 tokens) are those of bleurt, not of bleurt-20-d12. Leave the variant out.",
    );
    const tokenizer = fileURLToPath(new URL("../../fixtures/opus/unigram/source.spm", import.meta.url));
    expect(await failure({ tokenizer })).toBe(
      `${tokenizer}: has no piece [CLS], which BLEURT puts between the texts. This is not the model of its checkpoint.`,
    );
  });

  it("scores nothing without a reference", async () => {
    const scorer = await openPretrained(thread, unpack("port"));
    const scored = scorer.score([{ source: "a\nb", candidate: "c" }]);
    await expect(scored).rejects.toThrow(
      'BLEURT compares with a reference, and source "a\\nb" has none; give it one.',
    );
    await scorer.close();
  });

  it("has published scores of variants that there are", () => {
    expect(bleurt.known.map(({ variant }) => bleurt.variants.includes(variant))).toEqual([true]);
  });

  it("is read, or refused in one sentence, whatever is changed in its configuration", async () => {
    unpack("published");
    let refused = 0;
    for (const file of ["bleurt_config.json", "bert_config.json"]) {
      const whole = readFileSync(join(folder, file));
      for (const damaged of mutations(whole, 250, 6)) {
        writeFileSync(join(folder, file), damaged);
        try {
          await readBleurtFolder(folder);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message).not.toContain("\n");
          refused++;
        }
      }
      writeFileSync(join(folder, file), whole);
    }
    expect(refused).toBeGreaterThan(200);
  });
});

describe("the graph of a SavedModel", () => {
  const bytes = gunzipSync(readFileSync(join(FIXTURES, "published", "saved_model.pb.gz")));
  const varint = (value: number): number[] =>
    value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
  /** A message with one field, which holds `content`. */
  const field = (number: number, content: Uint8Array) =>
    Buffer.concat([Uint8Array.of(number * 8 + 2, ...varint(content.length)), content]);
  const node = (operation: string) => field(2, Buffer.from(operation));
  const savedModel = (graph: Uint8Array) => field(2, field(2, graph));

  it("tells GELU's approximation from the exact one, also where functions hold the nodes", () => {
    expect(geluOf(bytes, "x")).toBe("gelu-tanh");
    const tanh = field(1, node("Tanh"));
    expect(geluOf(savedModel(tanh), "x")).toBe("gelu-tanh");
    expect(geluOf(savedModel(Buffer.concat([tanh, field(1, node("Erf"))])), "x")).toBe("gelu");
    const definition = field(1, field(3, node("Erf")));
    expect(geluOf(savedModel(Buffer.concat([tanh, field(2, definition)])), "x")).toBe("gelu");
  });

  it("is refused in one sentence where it is none", () => {
    expect(() => geluOf(new Uint8Array(), "saved_model.pb")).toThrow(
      new UserError("holds no graph: this is not a SavedModel. Copy the checkpoint's folder again.", {
        file: "saved_model.pb",
      }),
    );
    expect(() => geluOf(bytes.subarray(0, 1000), "x")).toThrow(/^x: is cut short: this is not a SavedModel/);
  });

  it("is read, or refused in one sentence, whatever is changed in it", () => {
    // The real one's first nodes: all of it would take long.
    const nodes = [...fieldsWithin(bytes, [2, 2, 1])].slice(0, 20).map((each) => field(1, each));
    const small = savedModel(Buffer.concat(nodes));
    let refused = 0;
    for (const damaged of mutations(small, 10_000, 8))
      try {
        geluOf(damaged, "x");
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message).not.toContain("\n");
        refused++;
      }
    expect(refused).toBeGreaterThan(1000);
  });
});

/** The messages at a path of field numbers. */
function* fieldsWithin(message: Uint8Array, [wanted, ...rest]: readonly number[]): Generator<Uint8Array> {
  for (const { number, value } of protobufFields(message)) {
    if (number !== wanted || typeof value === "number") continue;
    if (rest.length === 0) yield value;
    else yield* fieldsWithin(value, rest);
  }
}

/** How many pieces the fixtures' model has. */
function pieceCount(): number {
  return [...fieldsWithin(readFileSync(join(FIXTURES, "port", "spm.model")), [1])].length;
}
