/** chrF against sacreBLEU 2.6.0 (test/fixtures/sacrebleu/make_sentences.py), by hand, and against a naive version. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import {
  chrfFromStatistics,
  chrfScorer,
  chrfSignature,
  chrfStatistics,
  corpusChrf,
  formatChrf,
  sentenceChrf,
} from "../../src/evaluate/chrf.js";
import { readFixture, type SentencesFixture } from "./fixtures.js";

const { cases } = readFixture<SentencesFixture>("sacrebleu/sentences.json");
const WORD_ORDERS = [0, 2] as const;

describe.each(cases)("$name", ({ hypotheses, references, chrf }) => {
  test.each(WORD_ORDERS)("the corpus line with word order %d is sacreBLEU's", (wordOrder) => {
    const { score, signature } = corpusChrf(hypotheses, references, { wordOrder });
    expect(formatChrf(score, signature, { wordOrder })).toBe(chrf[wordOrder].line);
    expect(score).toBeCloseTo(chrf[wordOrder].score, 10);
  });

  test.each(WORD_ORDERS)("statistics and sentence scores with word order %d are sacreBLEU's", (wordOrder) => {
    expect(chrfStatistics(hypotheses, references, { wordOrder })).toEqual(chrf[wordOrder].statistics);
    hypotheses.forEach((hypothesis, i) => {
      const score = sentenceChrf(hypothesis, references[i], { wordOrder });
      expect(score, `sentence ${i}`).toBeCloseTo(chrf[wordOrder].sentences[i], 10);
    });
  });
});

test("one of two characters right and no pair gives 25 by hand", () => {
  // Orders 1 and 2 exist on both sides: P = R = (1/2 + 0/1) / 2 = 1/4, and F of equal P and R is P.
  expect(sentenceChrf("ab", "ac")).toBeCloseTo(25, 12);
});

test("recall counts four times as much as precision", () => {
  // One character of "ab" (R = 1/2, P = 1), order 1 only: 5 · 1 · ½ / (4 · 1 + ½) = 5/9.
  expect(sentenceChrf("a", "ab")).toBeCloseTo((100 * 5) / 9, 12);
});

test("the signature names the settings", () => {
  expect(chrfSignature()).toBe("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0");
  expect(chrfSignature({ wordOrder: 2, references: "var" })).toBe(
    "nrefs:var|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0",
  );
});

test("lists of different length, empty lists and missing references are refused in one sentence", () => {
  expect(() => corpusChrf(["a"], ["a", "b"])).toThrow(UserError);
  expect(() => corpusChrf([], [])).toThrow(UserError);
  expect(() => sentenceChrf("a", [])).toThrow(UserError);
});

/** chrF2 as it is defined, with a Map of strings for every order: slow and plain. */
function naiveStatistics(hypothesis: string, reference: string): number[] {
  const characters = (text: string) => Array.from(text.replace(/\s+/gu, ""));
  const count = (text: string, n: number) => {
    const all = characters(text);
    const counts = new Map<string, number>();
    for (let i = 0; i + n <= all.length; i++) {
      const ngram = all.slice(i, i + n).join("");
      counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    }
    return counts;
  };
  const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
  return [1, 2, 3, 4, 5, 6].flatMap((n) => {
    const ours = count(hypothesis, n);
    const theirs = count(reference, n);
    const matches = sum([...ours].map(([ngram, c]) => Math.min(c, theirs.get(ngram) ?? 0)));
    return [theirs.size === 0 ? 0 : sum(ours.values()), sum(theirs.values()), matches];
  });
}

// Few different characters, so that n-grams repeat; some outside the first plane.
const text = fc.string({
  unit: fc.constantFrom("a", "b", " ", "é", "好", "😀", "👩", "\u{20000}"),
  maxLength: 30,
});

test("numbered n-grams count what strings count, whatever was scored before", () => {
  fc.assert(
    fc.property(text, fc.array(text, { minLength: 1, maxLength: 6 }), (reference, hypotheses) => {
      const scorer = chrfScorer(reference);
      for (const hypothesis of hypotheses)
        expect(scorer.statistics(hypothesis)).toEqual(naiveStatistics(hypothesis, reference));
    }),
    { numRuns: 300 },
  );
});

test("a text of thousands of characters counts as the naive version does", () => {
  const long = Array.from({ length: 4000 }, (_, i) => String.fromCodePoint(97 + ((i * i) % 23))).join("");
  const other = `${long.slice(1000)}xyz${long.slice(0, 700)}`;
  expect(sentenceChrf(other, long)).toBeCloseTo(chrfFromStatistics(naiveStatistics(other, long)), 12);
});

test("chrF lies in [0, 100], and of several references the best counts", () => {
  fc.assert(
    fc.property(text, text, text, (hypothesis, first, second) => {
      for (const wordOrder of WORD_ORDERS) {
        const both = sentenceChrf(hypothesis, [first, second], { wordOrder });
        const each = [first, second].map((reference) => sentenceChrf(hypothesis, reference, { wordOrder }));
        expect(both).toBe(Math.max(...each));
        expect(both).toBeGreaterThanOrEqual(0);
        expect(both).toBeLessThanOrEqual(100 + 1e-9);
      }
    }),
  );
});
