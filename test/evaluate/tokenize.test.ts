/** The tokenizers against sacreBLEU 2.6.0, line by line (test/fixtures/sacrebleu/make_sentences.py). */
import { describe, expect, test } from "vitest";
import { BLEU_TOKENIZERS, tokenizeForBleu } from "../../src/evaluate/tokenize/tokenizers.js";
import { readFixture, type SentencesFixture } from "./fixtures.js";

const { lines } = readFixture<SentencesFixture>("sacrebleu/sentences.json");

describe.each(BLEU_TOKENIZERS)("tokenizer %s", (name) => {
  test.each(lines.map(({ text, tokens }) => [text, tokens[name]] as const))(
    "splits %j as sacreBLEU",
    (text, tokens) => {
      expect(tokenizeForBleu(text, name)).toEqual(tokens);
    },
  );
});

test("13a splits what is written by hand here", () => {
  expect(tokenizeForBleu("It's 3,000.5 dollars-and (U.S.) 5-year").join(" ")).toBe(
    "It's 3,000.5 dollars-and ( U . S . ) 5 - year",
  );
});

test("zh splits U+2001 to U+2A6D and leaves ideographs past U+FFFF whole, as sacreBLEU does", () => {
  expect(tokenizeForBleu("x—y€z②𠀀𠮷", "zh")).toEqual(["x", "—", "y", "€", "z", "②", "𠀀𠮷"]);
});
