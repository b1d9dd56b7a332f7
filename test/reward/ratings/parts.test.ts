/** The parts of a rating model, each against a case worked by hand or another way to the same number. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Lexicon } from "../../../src/reward/ratings/lexicon.js";
import { NgramModel } from "../../../src/reward/ratings/ngram-model.js";
import { fitPreferences } from "../../../src/reward/ratings/preferences.js";
import { fitRidge, fitSparseRidge, predictRidge, predictSparse } from "../../../src/reward/ratings/ridge.js";
import { growTrees, predictTrees, type TreeOptions } from "../../../src/reward/ratings/trees.js";
import { wordsOf } from "../../../src/reward/ratings/words.js";

const words = (text: string) => text.split(" ");

describe("the n-gram model", () => {
  test("gives the probabilities of Witten and Bell, worked by hand", () => {
    const model = NgramModel.of([words("a b"), words("a c")], 2);
    // Items: a a b c and two ends: six of four kinds, so P(a) = (2 + 4/5) / 10 and P(b) = (1 + 4/5) / 10.
    const [a, b, end] = model.logProbabilities(words("a b"));
    expect(Math.exp(a!)).toBeCloseTo(0.28, 12);
    // a was followed twice, by two kinds: (1 + 2 · 0.18) / 4.
    expect(Math.exp(b!)).toBeCloseTo(0.34, 12);
    // b was followed once, by the end, which has P = (2 + 4/5) / 10: (1 + 1 · 0.28) / 2.
    expect(Math.exp(end!)).toBeCloseTo(0.64, 12);
    // An unknown word has 4/5 of a tenth; after a, 2/4 of that.
    expect(Math.exp(model.logProbabilities(words("x"))[0]!)).toBeCloseTo(0.08, 12);
    expect(Math.exp(model.logProbabilities(words("a x"))[1]!)).toBeCloseTo(0.04, 12);
    expect([model.knows("b"), model.knows("x")]).toEqual([true, false]);
  });

  test("sums to one over all words, after any history", () => {
    const model = NgramModel.of([words("a b c"), words("b b a"), words("c")], 3);
    const next = (history: string[], word: string) =>
      Math.exp(model.logProbabilities([...history, word])[history.length]!);
    const ends = (history: string[]) => Math.exp(model.logProbabilities(history)[history.length]!);
    for (const history of [[], ["a"], ["a", "b"], ["b", "b"], ["x", "a"]]) {
      const known = ["a", "b", "c"].reduce((sum, word) => sum + next(history, word), 0);
      expect(known + ends(history) + next(history, "x")).toBeCloseTo(1, 12);
    }
  });

  test("forgets a sentence as if it had never been there", () => {
    const sentence = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(sentence, { maxLength: 5 }), sentence, sentence, (others, one, asked) => {
        const model = NgramModel.of([...others, one], 3);
        model.remove(one);
        expect(model.logProbabilities(asked)).toEqual(NgramModel.of(others, 3).logProbabilities(asked));
        expect(NgramModel.load(model.stored()).logProbabilities(asked)).toEqual(
          model.logProbabilities(asked),
        );
      }),
    );
  });

  test("loses rare longer n-grams when pruned, and no words", () => {
    const model = NgramModel.of([words("a b"), words("a b"), words("a c")], 2).pruned(2);
    expect(
      model
        .stored()
        .counts.map(([key]) => key.replace("\u0001", "+"))
        .sort(),
    ).toEqual(["</s>", "a", "a+b", "b", "b+</s>", "c"].sort());
  });
});

describe("IBM model 1", () => {
  const pairs = [
    { from: words("das Haus"), to: words("the house") },
    { from: words("das Buch"), to: words("the book") },
  ];

  test("gives the shares of its first round, worked by hand", () => {
    const lexicon = Lexicon.learn(pairs, { rounds: 1, least: 0 });
    // Each English word is shared by three (das, the noun, the empty word): das has 2/3 of the, 1/3 of each noun.
    expect(lexicon.probability("the", "das")).toBeCloseTo(0.5, 12);
    expect(lexicon.probability("house", "das")).toBeCloseTo(0.25, 12);
    expect(lexicon.probability("the", "Haus")).toBeCloseTo(0.5, 12);
    expect(lexicon.probability("the", null)).toBeCloseTo(0.5, 12);
    expect(lexicon.probability("book", "Haus")).toBe(0);
  });

  test("gives those of the second, and finds in the end which word is which", () => {
    const second = Lexicon.learn(pairs, { rounds: 2, least: 0 });
    // the: das, Haus and NULL have t = 1/2 each: 1/3 each, 2/3 over both pairs. house: 1/4, 1/2, 1/4 of a sum of 1.
    expect(second.probability("the", "das")).toBeCloseTo(2 / 3 / (2 / 3 + 1 / 4 + 1 / 4), 12);
    expect(second.probability("house", "Haus")).toBeCloseTo(1 / 2 / (1 / 2 + 1 / 3), 12);
    const late = Lexicon.learn(pairs, { rounds: 30 });
    expect(late.probability("house", "Haus")).toBeGreaterThan(0.95);
    expect(late.probability("the", "das")).toBeGreaterThan(0.95);
    const again = Lexicon.load(late.stored());
    expect(again.probability("house", "Haus")).toBe(late.probability("house", "Haus"));
    expect([again.knows("Haus"), again.knows("Auto")]).toEqual([true, false]);
  });
});

describe("linear regression", () => {
  test("with a penalty is worked by hand for one feature", () => {
    // Standardised x is −1 and 1: the weight is Σ x·y / (Σ x² + penalty · rows) = (−1 · −2 + 1 · 2) / (2 + 2).
    const ridge = fitRidge([[10], [30]], [3, 7], 1);
    expect(ridge).toMatchObject({ centres: [20], scales: [10], intercept: 5 });
    expect(ridge.weights[0]).toBeCloseTo(1, 12);
    expect(predictRidge(ridge, [40])).toBeCloseTo(7, 12);
  });

  test("finds a plane without penalty, and leaves a constant feature alone", () => {
    const rows = [
      [1, 0, 4],
      [0, 1, 4],
      [2, 3, 4],
      [5, 1, 4],
    ];
    const ridge = fitRidge(
      rows,
      rows.map(([a, b]) => 2 * a! - 3 * b! + 1),
      0,
    );
    for (const [a, b] of [
      [0, 0],
      [7, -2],
    ])
      expect(predictRidge(ridge, [a!, b!, 4])).toBeCloseTo(2 * a! - 3 * b! + 1, 5);
    expect(ridge.weights[2]).toBe(0);
  });

  test("of sparse rows solves the same equations", () => {
    const rows = [
      { places: Int32Array.of(0, 2), values: Float64Array.of(0.6, 0.8) },
      { places: Int32Array.of(1), values: Float64Array.of(1) },
      { places: Int32Array.of(0, 1), values: Float64Array.of(0.8, 0.6) },
    ];
    const targets = [3, -1, 1];
    const ridge = fitSparseRidge(rows, targets, 4, 0.5);
    // At the least error, penalty · weight = Σ value · (target − prediction) in each place.
    for (let place = 0; place < 4; place++) {
      const pull = rows.reduce((sum, row, i) => {
        const at = row.places.indexOf(place);
        return at < 0 ? sum : sum + row.values[at]! * (targets[i]! - predictSparse(ridge, row));
      }, 0);
      expect(0.5 * ridge.weights[place]!).toBeCloseTo(pull, 6);
    }
  });
});

describe("boosted trees", () => {
  const options: TreeOptions = {
    trees: 1,
    depth: 1,
    learningRate: 1,
    leafRows: 1,
    rowShare: 1,
    featureShare: 1,
    shrinkage: 0,
    seed: 1,
  };

  test("cut where the squared error falls most, worked by hand", () => {
    const rows = [
      [1, 5],
      [2, 1],
      [3, 5],
      [4, 1],
    ];
    const targets = [0, 0, 10, 10];
    const { base, trees } = growTrees(rows, targets, options);
    expect(base).toBe(5);
    expect(trees[0]).toEqual({ feature: [0, 0, 0], cut: [2.5, 0, 0], left: [1, 0, 0], value: [0, -5, 5] });
    // Each leaf has two rows: a shrinkage of 2 halves them, a learning rate of a half again.
    const shrunk = growTrees(rows, targets, { ...options, shrinkage: 2, learningRate: 0.5 });
    expect(predictTrees(shrunk, [1, 5])).toBeCloseTo(5 - 5 / 4, 12);
  });

  test("hold as many rows in a leaf as asked", () => {
    const { trees } = growTrees([[1], [2], [3], [4]], [9, 0, 0, 0], { ...options, leafRows: 2 });
    expect(trees[0]!.cut[0]).toBe(2.5);
    expect(growTrees([[1], [2], [3]], [9, 0, 0], { ...options, leafRows: 2 }).trees[0]!.left).toEqual([0]);
  });

  test("learn what no line fits, stop by the validation part, and are the same for the same seed", () => {
    const rows = Array.from({ length: 400 }, (_, i) => [
      (i % 20) / 20,
      Math.floor(i / 20) / 20,
      (i * 37) % 11,
    ]);
    const xor = ([a, b]: readonly number[]) => (a! < 0.5 === b! < 0.5 ? 1 : 0);
    const targets = rows.map(xor);
    const boosted = {
      ...options,
      trees: 300,
      depth: 2,
      learningRate: 0.2,
      leafRows: 5,
      rowShare: 0.6,
      featureShare: 0.7,
    };
    const validation = { rows: rows.map(([a, b]) => [a! + 0.01, b! + 0.01, 3]), targets };
    const grown = growTrees(rows, targets, boosted, validation);
    expect(predictTrees(grown, [0.2, 0.3, 0])).toBeGreaterThan(0.9);
    expect(predictTrees(grown, [0.2, 0.8, 0])).toBeLessThan(0.1);
    expect(growTrees(rows, targets, boosted, validation)).toEqual(grown);
    expect(growTrees(rows, targets, { ...boosted, seed: 2 }, validation)).not.toEqual(grown);
    // Targets of pure noise in validation: the mean alone is best.
    const noise = { rows, targets: rows.map((_, i) => (targets[i]! > 0 ? 0 : 1)) };
    expect(growTrees(rows, targets, boosted, noise).trees).toEqual([]);
  });
});

test("preferences are learned where the gradient is nought", () => {
  // One feature; better minus worse is 2, 2 and −2 after standardisation to ±1.
  const ridge = fitPreferences([[1], [0], [1], [0], [0], [1]], 0.1);
  const weight = ridge.weights[0]!;
  const wrong = (difference: number) => 1 / (1 + Math.exp(weight * difference));
  expect(4 * wrong(2) - 2 * wrong(-2)).toBeCloseTo(0.1 * 3 * weight, 9);
  // Without a penalty the chance of the pair is the share that was preferred, two in three.
  const free = fitPreferences([[1], [0], [1], [0], [0], [1]], 0);
  expect(1 / (1 + Math.exp(-2 * free.weights[0]!))).toBeCloseTo(2 / 3, 4);
});

test("words are words, single characters of unspaced scripts, numbers and marks", () => {
  expect(wordsOf("Der Preis: 1.000,50 €!")).toEqual(["der", "preis", ":", "1.000,50", "€", "!"]);
  expect(wordsOf("最后的war。")).toEqual(["最", "后", "的", "war", "。"]);
  expect(wordsOf("  ")).toEqual([]);
});
