/** Diversity and degeneration figures, by hand and against their definitions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { sentenceBleu } from "../../src/evaluate/bleu.js";
import {
  copyRate,
  distinctN,
  distinctNPerSource,
  lengthRatio,
  repetitionRate,
  selfBleu,
  tokenEntropy,
  uniqueShare,
} from "../../src/evaluate/diversity.js";

test("distinct-n is different n-grams over all n-grams", () => {
  // Words a b a b c; pairs ab ba ab, and bc of the second sample: a, b, c of 6 words, ab, ba, bc of 4 pairs.
  expect(distinctN(["a b a b", "b c"], 1)).toBeCloseTo(3 / 6, 12);
  expect(distinctN(["a b a b", "b c"], 2)).toBeCloseTo(3 / 4, 12);
  expect(distinctN(["a", "b"], 2)).toBeNaN();
});

test("distinct-n by source does not count what two sources share as repeated", () => {
  expect(distinctNPerSource([["a b"], ["a b"], ["c", "c"], [""]], 1)).toBeCloseTo((1 + 1 + 0.5) / 3, 12);
  expect(distinctN(["a b", "a b"], 1)).toBeCloseTo(0.5, 12);
});

test("Chinese is counted by character when asked", () => {
  expect(distinctN(["好好学习"], 1, { tokenize: "zh" })).toBeCloseTo(3 / 4, 12);
});

const sentence = fc
  .array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 9 })
  .map((words) => words.join(" "));

test("self-BLEU is the mean sentence BLEU of each sample against its siblings", () => {
  fc.assert(
    fc.property(fc.array(sentence, { minLength: 2, maxLength: 6 }), (samples) => {
      const scores = samples.map((sample, i) => sentenceBleu(sample, samples.toSpliced(i, 1)).score);
      expect(selfBleu([samples])).toBeCloseTo(scores.reduce((a, b) => a + b, 0) / samples.length, 9);
    }),
    { numRuns: 300 },
  );
});

test("self-BLEU averages sources, leaves out lone samples, and is 100 for copies", () => {
  expect(selfBleu([["a b c d", "a b c d"], ["x"], ["e f", "g h"]])).toBeCloseTo(50, 9);
  expect(selfBleu([["x"]])).toBeNaN();
});

test("unique share is different samples over samples, source by source", () => {
  expect(uniqueShare([["a", "a", "b", "c"], ["a"]])).toBeCloseTo((3 / 4 + 1) / 2, 12);
});

test("tokens of probability 1/8 have an entropy of log 8", () => {
  expect(tokenEntropy([[Math.log(1 / 8), Math.log(1 / 8)], [Math.log(1 / 8)]])).toBeCloseTo(Math.log(8), 12);
});

test("length ratio counts characters, not UTF-16 units", () => {
  expect(lengthRatio(["😀😀", "ab"], ["abcd", "abcd"])).toBeCloseTo(0.5, 12);
  expect(() => lengthRatio(["a"], [])).toThrow(RangeError);
});

test.each([
  ["the cat sat", 0, 3],
  ["the the the the", 3, 4],
  ["the cat the cat sat sat", 3, 6],
  ["a b a b a b", 4, 6],
  ["a b a", 0, 3], // half a pair is no repetition
  ["", 0, 1],
])("%j repeats %d of %d words", (text, repeated, words) => {
  expect(repetitionRate([text])).toBeCloseTo(repeated / words, 12);
});

test("a candidate with half its words from the source is a copy; numbers and punctuation do not make one", () => {
  const sources = ["ein Mann und ein Hund .", "ein Mann und ein Hund", "Preis : 12 , 50 %", "a"];
  const candidates = ["ein Mann and a dog .", "a Mann and his dog", "12 , 50 %", ""];
  // 2 of 5 words, 1 of 5, no word at all, nothing.
  expect(copyRate(candidates, sources)).toBe(0);
  expect(copyRate(["ein Mann and dog", ...sources.slice(1)], sources)).toBeCloseTo(1, 12);
  expect(() => copyRate(["a"], [])).toThrow(RangeError);
});
