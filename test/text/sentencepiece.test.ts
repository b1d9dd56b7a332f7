import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { piecesOf } from "../../src/text/sentencepiece.js";
import { parseSentencePieceModel } from "../../src/text/sentencepiece-model.js";
import { loadTextCodec, saveFastTokenizers, saveTextCodec } from "../../src/text/text-codec.js";
import { mutations } from "../mutations.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/opus/", import.meta.url));

/** The id of `<unk>` in the unigram folder. */
const UNKNOWN = 1;

/** What Transformers and SentencePiece made (see make.py there). */
interface Made {
  readonly source: readonly [text: string, ids: number[]][];
  readonly target: readonly [text: string, ids: number[]][];
  readonly decoded: readonly [ids: number[], text: string][];
}
const made = (name: string): Made => JSON.parse(readFileSync(`${FIXTURES}${name}.json`, "utf8"));
const compressed = () => gunzipSync(readFileSync(`${FIXTURES}nfkc/model.spm.gz`));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-pieces-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a folder with a unigram tokenizer.json alone gives the ids and texts of its SentencePiece models", async () => {
  const models = await loadTextCodec(`${FIXTURES}unigram`);
  await saveFastTokenizers(models, folder, 64);
  expect(readdirSync(folder).sort()).toEqual(["tokenizer.json", "tokenizer_config.json"]);
  const alone = await loadTextCodec(folder);
  const { source, decoded } = made("unigram");
  // Runs of characters that the model does not know are one piece to a SentencePiece model with its own list of ids.
  const others = source.filter(([text, ids]) => `${alone.source.encode(text)}` !== `${ids}`);
  expect([others.length, source.length]).toEqual([16, 122]);
  expect(others.every(([, ids]) => ids.includes(UNKNOWN))).toBe(true);
  for (const [ids, text] of decoded) expect(alone.target.decode(ids)).toBe(text);
  expect(alone.source.encode("öffnen")).toEqual(models.source.encode("öffnen"));
  expect([alone.source.eosId, alone.source.padId]).toEqual([models.source.eosId, models.source.padId]);

  const again = join(folder, "again");
  mkdirSync(again);
  await saveTextCodec(alone, again);
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    expect(readFileSync(join(again, name)).equals(readFileSync(join(folder, name)))).toBe(true);
});

describe.each(["unigram", "bpe"])("the %s folder of Transformers 5.23.0", (name) => {
  it("gives the same ids for sources and targets", async () => {
    const { source, target } = await loadTextCodec(FIXTURES + name);
    const results = made(name);
    expect(results.source.map(([text]) => [text, source.encode(text)])).toEqual(results.source);
    expect(results.target.map(([text]) => [text, target.encode(text)])).toEqual(results.target);
  });

  it("gives the same text for ids", async () => {
    const { target } = await loadTextCodec(FIXTURES + name);
    const results = made(name);
    expect(results.decoded.map(([ids]) => [ids, target.decode(ids)])).toEqual(results.decoded);
  });

  it("is written with the bytes that were read, and reads the same", async () => {
    await saveTextCodec(await loadTextCodec(FIXTURES + name), folder);
    for (const file of ["source.spm", "target.spm", "vocab.json", "tokenizer_config.json"])
      expect(readFileSync(join(folder, file)).equals(readFileSync(join(FIXTURES, name, file)))).toBe(true);
    const [text, ids] = made(name).source.at(-1)!;
    expect((await loadTextCodec(folder)).source.encode(text)).toEqual(ids);
  });

  it("encodes what looks like a special token as text", async () => {
    const { source } = await loadTextCodec(FIXTURES + name);
    expect(source.encode("a </s> <pad>").indexOf(source.eosId)).toBe(
      source.encode("a </s> <pad>").length - 1,
    );
    expect(source.encode("a </s> <pad>")).not.toContain(source.padId);
  });
});

/** A thousand sentences in 24 languages and what Transformers and SentencePiece make of them (many.py). */
describe("a thousand sentences in many scripts have", () => {
  type Tokenizer = "unigram" | "bpe" | "bytes";
  const many = JSON.parse(gunzipSync(readFileSync(`${FIXTURES}many.json.gz`)).toString("utf8")) as {
    texts: string[];
    nfkc: string[][];
  } & Record<Tokenizer, number[][]>;

  it.each<[Tokenizer, string]>([
    ["unigram", "many/unigram"],
    ["bpe", "many/bpe"],
    ["bytes", "../tokenizer/folder"],
  ])("the same ids: %s", async (name, at) => {
    const { source } = await loadTextCodec(FIXTURES + at);
    expect(new Set(many.texts).size).toBe(1000);
    const others = many.texts.filter((text, i) => `${source.encode(text)}` !== `${many[name][i]}`);
    expect(others).toEqual([]);
  });

  it("the same pieces, by SentencePiece's usual map of characters", () => {
    const pieces = piecesOf(parseSentencePieceModel(compressed(), {}));
    expect(many.texts.map(pieces)).toEqual(many.nfkc);
  });

  it("letters of 19 scripts, more than 200 of each", () => {
    const scripts =
      "Arabic Armenian Bengali Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Han Hangul Hebrew Katakana Khmer Latin Myanmar Tamil Telugu Thai";
    const text = many.texts.join("");
    for (const script of scripts.split(" "))
      expect(text.match(new RegExp(`\\p{Script=${script}}`, "gu"))?.length, script).toBeGreaterThan(200);
  });
});

test("SentencePiece's usual map of characters gives the same pieces", () => {
  const pieces = piecesOf(parseSentencePieceModel(compressed(), {}));
  const expected = JSON.parse(readFileSync(`${FIXTURES}nfkc.json`, "utf8")) as [string, string[]][];
  expect(expected.map(([text]) => [text, pieces(text)])).toEqual(expected);
});

describe("one sentence says what is wrong with", () => {
  const broken = async (change: () => void): Promise<string> => {
    cpSync(join(FIXTURES, "unigram"), folder, { recursive: true });
    change();
    const error: unknown = await loadTextCodec(folder).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    return String(error);
  };

  it("a folder that lacks a file", async () => {
    expect(await broken(() => rmSync(join(folder, "target.spm")))).toContain(
      "target.spm: there is no such file. A Marian folder has source.spm, target.spm and vocab.json",
    );
  });

  it("a vocabulary with a gap", async () => {
    const change = () =>
      writeFileSync(join(folder, "vocab.json"), JSON.stringify({ "</s>": 0, "<unk>": 1, "<pad>": 3 }));
    expect(await broken(change)).toContain("vocab.json: no token of the 3 has id 2");
  });

  it("a vocabulary without <unk>", async () => {
    const change = () => writeFileSync(join(folder, "vocab.json"), JSON.stringify({ "</s>": 0, "<pad>": 1 }));
    expect(await broken(change)).toContain('vocab.json: "<unk>" is missing');
  });

  it("a model of words", async () => {
    const change = () =>
      writeFileSync(join(folder, "source.spm"), Buffer.from("0a0a0a053c756e6b3e1802120218030a", "hex"));
    expect(await broken(change)).toContain("source.spm");
  });

  it("no model at all", async () => {
    expect(await broken(() => writeFileSync(join(folder, "source.spm"), "<html>"))).toMatch(
      /source\.spm: .* this is not a SentencePiece model/,
    );
  });
});

test("a mutated model is refused in one sentence, or cuts text", () => {
  let refused = 0;
  const models = ["unigram/source.spm", "bpe/source.spm"].map((name) => readFileSync(FIXTURES + name));
  for (const model of [...models, compressed()])
    for (const bytes of mutations(model, model.length > 10_000 ? 300 : 2000, 5)) {
      try {
        const pieces = piecesOf(parseSentencePieceModel(bytes, { file: "x.spm" }));
        expect(pieces("open the ﬁle 漢字 🙂").length).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message).toMatch(/^x\.spm: [^\n]+\.$/);
        refused++;
      }
    }
  expect(refused).toBeGreaterThan(500);
}, 60_000);
