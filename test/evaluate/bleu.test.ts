/** BLEU against sacreBLEU 2.6.0 (test/fixtures/sacrebleu/make_sentences.py), by hand, and its laws. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import {
  bleuFromStatistics,
  bleuScorer,
  bleuSignature,
  bleuStatistics,
  corpusBleu,
  formatBleu,
  sentenceBleu,
} from "../../src/evaluate/bleu.js";
import { sumStatistics } from "../../src/evaluate/references.js";
import { BLEU_TOKENIZERS } from "../../src/evaluate/tokenize/tokenizers.js";
import { readFixture, type SentencesFixture } from "./fixtures.js";

const { cases } = readFixture<SentencesFixture>("sacrebleu/sentences.json");

describe.each(cases)("$name", ({ hypotheses, references, bleu }) => {
  test.each(BLEU_TOKENIZERS)("the corpus line with tokenizer %s is sacreBLEU's", (tokenize) => {
    const score = corpusBleu(hypotheses, references, { tokenize });
    expect(formatBleu(score, score.signature)).toBe(bleu[tokenize].line);
    expect(score.score).toBeCloseTo(bleu[tokenize].score, 10);
  });

  test.each(BLEU_TOKENIZERS)(
    "statistics and sentence scores with tokenizer %s are sacreBLEU's",
    (tokenize) => {
      expect(bleuStatistics(hypotheses, references, { tokenize })).toEqual(bleu[tokenize].statistics);
      hypotheses.forEach((hypothesis, i) => {
        const { score } = sentenceBleu(hypothesis, references[i], { tokenize });
        expect(score, `sentence ${i}`).toBeCloseTo(bleu[tokenize].sentences[i], 10);
      });
    },
  );
});

test("six unigrams of eight, three bigrams of six, … give 50 by hand", () => {
  const score = corpusBleu(
    ["the cat sat on the mat", "hello there"],
    ["the cat sat on a mat", "hello world"],
  );
  // (6/8 · 3/6 · 2/4 · 1/3)^¼ = (1/16)^¼ = 1/2, and no brevity penalty.
  expect(score.matches).toEqual([6, 3, 2, 1]);
  expect(score.totals).toEqual([8, 6, 4, 3]);
  expect(score.score).toBeCloseTo(50, 10);
});

test("a hypothesis half as long as its reference is multiplied by exp(1 − 2)", () => {
  const { score, brevityPenalty } = corpusBleu(["a b c d"], ["a b c d e f g h"]);
  expect(brevityPenalty).toBeCloseTo(Math.exp(-1), 12);
  expect(score).toBeCloseTo(100 * Math.exp(-1), 10);
});

test("the signature names the settings", () => {
  expect(bleuSignature()).toBe("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
  expect(bleuSignature({ tokenize: "zh", references: "2", effectiveOrder: true })).toBe(
    "nrefs:2|case:mixed|eff:yes|tok:zh|smooth:exp|version:2.6.0",
  );
});

test("lists of different length, empty lists and missing references are refused in one sentence", () => {
  expect(() => corpusBleu(["a", "b"], ["a"])).toThrow(UserError);
  expect(() => corpusBleu(["a", "b"], ["a"])).toThrow(/2 translations but 1 references/);
  expect(() => corpusBleu([], [])).toThrow(UserError);
  expect(() => sentenceBleu("a", [])).toThrow(UserError);
});

const words = fc.array(fc.constantFrom("a", "b", "c", "d", "e."), { minLength: 1, maxLength: 12 });
const sentence = words.map((list) => list.join(" "));
const corpus = fc.array(fc.tuple(sentence, sentence), { minLength: 1, maxLength: 8 });

test("a reference scores 100 against itself, and no hypothesis above", () => {
  fc.assert(
    fc.property(sentence, sentence, (hypothesis, reference) => {
      expect(sentenceBleu(reference, reference).score).toBeCloseTo(100, 9);
      const { score } = sentenceBleu(hypothesis, reference);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(100 + 1e-9);
    }),
  );
});

test("a corpus scores what the sum of its sentences' statistics scores, in any order of sentences", () => {
  fc.assert(
    fc.property(corpus, (pairs) => {
      const [hypotheses, references] = [pairs.map(([h]) => h), pairs.map(([, r]) => r)];
      const { score } = corpusBleu(hypotheses, references);
      const rows = bleuStatistics(hypotheses, references);
      expect(bleuFromStatistics(sumStatistics(rows)).score).toBe(score);
      expect(corpusBleu(hypotheses.toReversed(), references.toReversed()).score).toBe(score);
    }),
  );
});

test("a prepared reference scores the tenth hypothesis as it scores it first", () => {
  fc.assert(
    fc.property(sentence, fc.array(sentence, { minLength: 2, maxLength: 10 }), (reference, hypotheses) => {
      const scorer = bleuScorer(reference);
      const scores = hypotheses.map((hypothesis) => scorer.score(hypothesis));
      expect(scores).toEqual(hypotheses.map((hypothesis) => sentenceBleu(hypothesis, reference).score));
    }),
  );
});
