import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { BYTE_SYMBOLS } from "../../src/text/byte-symbols.js";
import { splitWords } from "../../src/text/split.js";
import { trainVocabulary } from "../../src/text/train-vocabulary.js";

const FIXTURE = new URL("../fixtures/tokenizer/", import.meta.url);
const LINES = readFileSync(new URL("text.txt", FIXTURE), "utf8").trimEnd().split("\n");

/** BPE by its definition, nothing remembered between merges: the reference for the fast one. */
function naiveMerges(texts: string[], size: number, minFrequency: number): [string, string][] {
  const bytesBySymbol = [...BYTE_SYMBOLS].sort();
  const ids = new Map(["</s>", "<pad>", ...bytesBySymbol].map((token, id) => [token, id]));
  const words = texts
    .flatMap(splitWords)
    .map((word) => Array.from(new TextEncoder().encode(word), (byte) => BYTE_SYMBOLS[byte]));
  const merges: [string, string][] = [];
  while (ids.size < size) {
    const counts = new Map<string, number>();
    for (const word of words)
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]} ${word[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    const best = [...counts]
      .map(([pair, count]) => ({ pair: pair.split(" ") as [string, string], count }))
      .sort(
        (a, b) =>
          b.count - a.count ||
          ids.get(a.pair[0])! - ids.get(b.pair[0])! ||
          ids.get(a.pair[1])! - ids.get(b.pair[1])!,
      )[0];
    if (best === undefined || best.count < minFrequency) break;
    const [left, right] = best.pair;
    merges.push(best.pair);
    if (!ids.has(left + right)) ids.set(left + right, ids.size);
    for (const word of words)
      for (let i = 0; i + 1 < word.length; i++)
        if (word[i] === left && word[i + 1] === right) word.splice(i, 2, left + right);
  }
  return merges;
}

describe("a vocabulary", () => {
  test("has the merges and ids that Hugging Face's BpeTrainer learns from the same words", () => {
    const theirs = JSON.parse(readFileSync(new URL("trained.json", FIXTURE), "utf8"));
    const { model } = trainVocabulary(LINES, { size: 500 });
    expect(model.merges).toEqual(theirs.merges);
    expect(model.vocab).toEqual(theirs.vocab);
  });

  test("has the merges of BPE counted anew after each merge, runs of one letter included", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 3 }),
        (words, minFrequency) => {
          const { merges } = trainVocabulary(words, { size: 290, minFrequency }).model;
          expect(merges).toEqual(naiveMerges(words, 290, minFrequency));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("takes the more frequent pair first and the lower ids among equals", () => {
    // " xy" three times, " ab" twice: Ġ has a higher character than letters, so "xy" comes before "Ġx".
    const { merges } = trainVocabulary(["xy xy xy ab ab"], { size: 262 }).model;
    expect(merges).toEqual([
      ["x", "y"],
      ["Ġ", "xy"],
      ["a", "b"],
      ["Ġ", "ab"],
    ]);
  });

  test("does not depend on the order of the texts", () => {
    const forward = trainVocabulary(LINES, { size: 450 });
    expect(trainVocabulary([...LINES].reverse(), { size: 450 })).toEqual(forward);
  });

  test("begins with </s> 0, <pad> 1, the caller's special tokens, then 256 bytes", () => {
    const { vocab } = trainVocabulary(["a"], { size: 300, specialTokens: ["<mask>"] }).model;
    expect(vocab).toMatchObject({ "</s>": 0, "<pad>": 1, "<mask>": 2, "!": 3 });
    expect(Object.keys(vocab)).toHaveLength(259);
  });

  test("has the size asked for, and stops short where no pair is frequent enough", () => {
    const size = (wanted: number, minFrequency: number) =>
      Object.keys(trainVocabulary(["ab ab ab cd"], { size: wanted, minFrequency }).model.vocab).length;
    expect(size(259, 1)).toBe(259);
    expect(size(400, 3)).toBe(260); // "ab", "Ġab"
    expect(size(400, 1)).toBe(262); // and "cd", "Ġcd"
  });

  test("never merges text into a special token", () => {
    const { model } = trainVocabulary(["ab ab ab"], { size: 300, specialTokens: ["ab"] });
    expect(model.merges).not.toContainEqual(["a", "b"]);
    expect(model.vocab.ab).toBe(2);
  });

  test.each([
    [{ size: 257 }, "258 or more"],
    [{ size: 300.5 }, "whole number"],
    [{ size: 300, minFrequency: 0 }, "1 or more"],
    [{ size: 300, specialTokens: ["<pad>"] }, "given twice"],
    [{ size: 300, specialTokens: ["x"] }, "shorter than two"],
  ])("options %j are refused", (options, words) => {
    const train = () => trainVocabulary(["a"], options);
    expect(train).toThrow(UserError);
    expect(train).toThrow(words);
  });

  test("of no text is refused", () => {
    expect(() => trainVocabulary(["", ""], { size: 300 })).toThrow(UserError);
  });
});

describe("cutting text into words", () => {
  test.each([
    ["The mill", [" The", " mill"]],
    ["don't, they're 'tis", [" don", "'t", ",", " they", "'re", " '", "tis"]],
    ["31.12. {0}", [" 3", "1", ".", "1", "2", ".", " {", "0", "}"]],
    ["a  b\n c", [" a", " ", " b", "\n", " c"]],
    [" a", [" ", " a"]],
    ["नदी है।", [" नदी", " है", "।"]],
    ["❤️❤️", [" ❤️❤️"]],
    ["", []],
  ])("%j", (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  test("loses nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        expect(splitWords(text).join("")).toBe(` ${text}`);
      }),
    );
  });
});
