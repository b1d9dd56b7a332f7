import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  loadPieceTokenizer,
  parseUnigramJson,
  pieceTokenizer,
  tokenizerFile,
} from "../../src/text/piece-tokenizer.js";

const fixture = fileURLToPath(new URL("../fixtures/metricx/", import.meta.url));
const json = JSON.parse(readFileSync(`${fixture}tokenizer.json`, "utf8"));
const parse = (change: object) =>
  parseUnigramJson(JSON.stringify({ ...json, ...change }), { file: "t.json" });

describe("a tokenizer.json", () => {
  test("without white space to cut at the end keeps one space, with it none", () => {
    const [precompiled, replace] = json.normalizer.normalizers;
    const strip = { type: "Strip", strip_left: false, strip_right: true };
    const normalizer = { type: "Sequence", normalizers: [precompiled, strip, replace] };
    const kept = pieceTokenizer(parse({}));
    const cut = pieceTokenizer(parse({ normalizer }));
    expect(cut.encode("file  ")).toEqual(cut.encode("file"));
    expect(kept.encode("file  ")).toEqual([...kept.encode("file"), kept.idOf("▁")]);
  });

  test("that puts no mark in front of a text does without", () => {
    const bare = pieceTokenizer(
      parse({ pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "never" } }),
    );
    expect(bare.encode("a")).toEqual([bare.idOf("a")]);
  });

  test("may split at white space first, as that of XLM-R does", () => {
    const steps = [
      { type: "WhitespaceSplit" },
      { type: "Metaspace", replacement: "▁", add_prefix_space: true },
    ];
    const split = pieceTokenizer(parse({ pre_tokenizer: { type: "Sequence", pretokenizers: steps } }));
    expect(split.encode("the  file ")).toEqual(pieceTokenizer(parse({})).encode("the file"));
  });

  test("with byte pieces spells unknown characters in bytes", () => {
    const spelt = pieceTokenizer(parse({ model: { ...json.model, byte_fallback: true } }));
    expect(spelt.encode("字")).toEqual(["▁", "<0xE5>", "<0xAD>", "<0x97>"].map((piece) => spelt.idOf(piece)));
  });

  test.each([
    ["is cut short", '{"model": {', "is not JSON"],
    ["is of another kind", JSON.stringify({ ...json, model: { type: "BPE" } }), "model.type"],
    ["has another normaliser", JSON.stringify({ ...json, normalizer: { type: "Lowercase" } }), '"Lowercase"'],
    [
      "replaces other text",
      JSON.stringify({ ...json, normalizer: { type: "Replace", pattern: { String: "a" } } }),
      '"Replace"',
    ],
    [
      "cuts words otherwise",
      JSON.stringify({ ...json, pre_tokenizer: { type: "ByteLevel" } }),
      '"ByteLevel"',
    ],
    ["cuts no words", JSON.stringify({ ...json, pre_tokenizer: null }), "pre_tokenizer is empty"],
    [
      "has no unknown piece",
      JSON.stringify({ ...json, model: { ...json.model, unk_id: 9999 } }),
      "unk_id is 9999",
    ],
    [
      "has a damaged map",
      JSON.stringify({ ...json, normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } }),
      "cut short",
    ],
  ])("that %s is refused in a sentence that names it", (_, text, sentence) => {
    expect(() => parseUnigramJson(text, { file: "t.json" })).toThrow(sentence);
    expect(() => parseUnigramJson(text, { file: "t.json" })).toThrow(/^t\.json: /);
  });
});

test("the file is found in its folder, in another one, or by its own name", async () => {
  const names = ["spiece.model", "tokenizer.json"];
  expect(await tokenizerFile(fixture, undefined, names)).toBe(`${fixture}spiece.model`);
  expect(await tokenizerFile("/nowhere", fixture, names)).toBe(`${fixture}spiece.model`);
  expect(await tokenizerFile("/nowhere", `${fixture}tokenizer.json`, names)).toBe(`${fixture}tokenizer.json`);
  await expect(tokenizerFile(`${fixture}sharded-torch`, undefined, names)).rejects.toThrow(
    "spiece.model or tokenizer.json was expected",
  );
});

test("no text spells a special token", async () => {
  for (const name of ["spiece.model", "tokenizer.json"]) {
    const tokenizer = await loadPieceTokenizer(`${fixture}${name}`);
    for (const special of ["<pad>", "</s>", "<unk>"]) {
      expect(tokenizer.idOf(special)).toBeLessThan(3);
      for (const id of tokenizer.encode(special)) if (name === "spiece.model") expect(id).toBeGreaterThan(2);
    }
  }
});
