/** Marian's own layout, written by Transformers' and NumPy's tools: test/fixtures/marian-npz/make.py. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { loadModelFolder } from "../../src/model/folder.js";
import { readNpz } from "../../src/model/npz.js";
import { loadTextCodec } from "../../src/text/text-codec.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/marian-npz/", import.meta.url));

interface Made {
  readonly config: Record<string, number>;
  readonly source: [text: string, ids: number[]][];
  readonly target: [text: string, ids: number[]][];
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-npz-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each(["shared", "separate"])(
  "the %s model has the settings and tokens of Transformers' converter",
  async (name) => {
    const made = JSON.parse(readFileSync(`${FIXTURES}${name}.json`, "utf8")) as Made;
    const { config } = await loadModelFolder(FIXTURES + name);
    expect({
      vocab_size: config.vocabulary,
      pad_token_id: config.padId,
      eos_token_id: config.eosId,
      decoder_start_token_id: config.decoderStartId,
      forced_eos_token_id: config.generation.forceEnd ? config.eosId : null,
      num_beams: config.generation.beams,
    }).toEqual(made.config);
    const { source, target } = await loadTextCodec(FIXTURES + name);
    for (const [text, ids] of made.source) expect(source.encode(text)).toEqual(ids);
    for (const [text, ids] of made.target) expect(target.encode(text)).toEqual(ids);
  },
);

describe("one sentence refuses", () => {
  const refusal = async (): Promise<string> => {
    const error: unknown = await loadModelFolder(folder).then(
      () =>
        loadTextCodec(folder).then(
          () => undefined,
          (thrown: unknown) => thrown,
        ),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  };
  const weights = () => join(folder, readdirSync(folder).find((name) => name.endsWith(".npz"))!);
  const replace = (file: string, from: string, to: string) => {
    const text = readFileSync(file, "latin1");
    expect(text).toContain(from);
    writeFileSync(file, text.replace(from, to), "latin1");
  };
  beforeEach(() => cpSync(`${FIXTURES}shared`, folder, { recursive: true }));

  // Each as long as what it replaces, since the archive says how long the settings are.
  test.each([
    ["type: transformer\n", "type: transformez\n", 'type: Invalid input: expected "transformer"'],
    [
      "postprocess: dan",
      "postprocess: dna",
      'transformer-postprocess is "dna", but only "dan" is computed here.',
    ],
    ["preprocess: ''", "preprocess: n ", 'transformer-preprocess is "n", but only "" is computed here.'],
    ["ffn-activation: swish", "ffn-activation: gelu ", "transformer-ffn-activation"],
    ["right-left: false", "right-left: true ", "right-left is true, but only false is computed here."],
    ["ffn-depth: 2", "ffn-depth: 3", "transformer-ffn-depth is 3, but only 2 is computed here."],
    ["embeddings-all: true", "embeddings-all: null", "tied-embeddings-all"],
    [
      "embeddings-all: true",
      "embeddings-alx: true",
      "neither tied-embeddings-all nor tied-embeddings is true",
    ],
    ["autoreg: self-attention", "autoreg: rnn           ", 'transformer-decoder-autoreg is "rnn"'],
    ["tied-layers: []", "tied-layers: [1", "this is not YAML"],
    [
      "tied-layers: []",
      "tied-layers: 11",
      "transformer-tied-layers is 11, but only an empty list is computed here.",
    ],
    [
      "position-embeddings: false",
      "position-embeddings: true ",
      "transformer-train-position-embeddings is true",
    ],
    ["dec-depth: 2", "dec-depth: 6", "dec-depth is 6, but the file has 2 layers of the decoder."],
    ["dim-emb: 32", "dim-emb: 64", 'dim-emb is 64, but array "Wemb" has shape'],
    ["transformer-heads: 4", "transformer-heads: 5", "dim-emb 32 does not divide into 5 attention heads."],
  ])("%j as %j", async (from, to, what) => {
    replace(weights(), from, to);
    const said = await refusal();
    expect(said).toContain(what);
    expect(said).toContain("special:model.yml");
  });

  test("an array that no layer has, and one that is missing", async () => {
    const file = weights();
    replace(file, "decoder_l2_self_Wq.npy", "decoder_l2_self_Wz.npy");
    // The directory at the end has the name that counts.
    const text = readFileSync(file, "latin1");
    const at = text.lastIndexOf("decoder_l1_self_Wo.npy");
    writeFileSync(file, `${text.slice(0, at)}decoder_l1_self_Wy.npy${text.slice(at + 22)}`, "latin1");
    expect(await refusal()).toContain('array "decoder_l1_self_Wo" is missing');
  });

  test("two models, unless decoder.yml names one", async () => {
    cpSync(weights(), join(folder, "a.npz"));
    expect((await loadModelFolder(folder)).config.width).toBe(32);
    replace(join(folder, "decoder.yml"), "opus.spm32k-spm32k.transformer", "other");
    expect(await refusal()).toContain("has 2 .npz files, of which decoder.yml names none.");
  });

  test("a search with a penalty for words", async () => {
    replace(join(folder, "decoder.yml"), "word-penalty: 0", "word-penalty: 1");
    expect(await refusal()).toContain("decoder.yml: word-penalty: Invalid input: expected 0");
  });

  test("vocabularies of which either could be meant, or with a token or an id twice, or with <pad>", async () => {
    const [name] = readdirSync(folder).filter((file) => file.endsWith(".vocab.yml"));
    const file = join(folder, name!);
    cpSync(file, join(folder, "b.vocab.yml"));
    expect(await refusal()).toContain(
      "has the vocabularies b.vocab.yml, opus.spm32k-spm32k.vocab.yml, expected one",
    );
    rmSync(join(folder, "b.vocab.yml"));
    const text = readFileSync(file, "utf8");
    writeFileSync(file, `${text}</s>: 0\n`);
    expect(await refusal()).toMatch(/vocab\.yml:\d+: has the token "<\/s>" twice/);
    for (const id of [3, 115]) {
      writeFileSync(file, text.replace(/110\n$/, `${id}\n`));
      expect(await refusal()).toMatch(/vocab\.yml: no token of the 111 has id 110;/);
    }
    writeFileSync(file, text.replace("<unk>", "<pad>"));
    expect(await refusal()).toContain("has a token <pad>");
    renameSync(file, join(folder, "vocab"));
    expect(await refusal()).toContain("there is no such file. A Marian folder has source.spm");
  });
});

test.each(["small", "deflated"])(
  "%s.npz has the numbers that NumPy wrote, whatever their type",
  async (name) => {
    const arrays = Object.fromEntries(await readNpz(`${FIXTURES}${name}.npz`));
    expect(arrays).toEqual({
      floats: { shape: [2, 3], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25) },
      halves: { shape: [3], data: Float32Array.of(1.5, -2, 65504) },
      bytes: { shape: [5], data: Uint8Array.from(Buffer.from("a: 1\0")) },
      empty: { shape: [0, 2], data: new Float32Array(0) },
      one: { shape: [], data: Float32Array.of(7) },
    });
  },
);

/** A zip archive of one array that is stored as it is, by the zip format's and NumPy's documents. */
function npzOf(header: string, content: Buffer): Buffer {
  const padded = `${header.padEnd(117)}\n`;
  const npy = Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Buffer.from(Uint16Array.of(padded.length).buffer),
    Buffer.from(padded, "latin1"),
    content,
  ]);
  const name = Buffer.from("x.npy");
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  for (const [at, header] of [
    [18, local],
    [20, entry],
  ] as const) {
    header.writeUInt32LE(npy.length, at);
    header.writeUInt32LE(npy.length, at + 4);
    header.writeUInt16LE(name.length, at + 8);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + npy.length, 16);
  return Buffer.concat([local, name, npy, entry, name, end]);
}

test.each([
  ["'<f4', 'fortran_order': True, 'shape': (2, 2), ", 'array "x" is stored column by column'],
  [
    "'>f4', 'fortran_order': False, 'shape': (2, 2), ",
    'array "x" is of type >f4, expected <f4, <f2 or bytes.',
  ],
  ["'<f8', 'fortran_order': False, 'shape': (2,), ", 'array "x" is of type <f8'],
  ["'<f4', 'fortran_order': False, 'shape': (2, 3), ", "has 16 bytes, but shape [2,3] of f4 takes 24"],
  ["'<f4', 'fortran_order': False, 'shape': (-2, -2), ", "has a header that is not NumPy's"],
  ["[('a', '<f4')], 'fortran_order': False, 'shape': (4,), ", 'array "x" is of type of several parts'],
  ["'<f4', 'shape': (2, 2), ", "has a header that is not NumPy's"],
])("an array of %s is refused", async (rest, sentence) => {
  const file = join(folder, "x.npz");
  const floats = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
  writeFileSync(file, npzOf("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", floats));
  expect((await readNpz(file)).get("x")).toEqual({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
  writeFileSync(file, npzOf(`{'descr': ${rest}}`, floats));
  await expect(readNpz(file)).rejects.toThrow(sentence);
});

test("an array of Python objects is refused by name", async () => {
  await expect(readNpz(`${FIXTURES}objects.npz`)).rejects.toThrow(
    'array "Wemb" holds Python objects, a program that Coppice does not run. Save it as numbers.',
  );
});
