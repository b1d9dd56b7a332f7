import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pair } from "../../src/data/pair.js";
import { type Split, splitPairs } from "../../src/data/split.js";
import { UserError } from "../../src/errors.js";

function numbered(count: number): Pair[] {
  return Array.from({ length: count }, (_, index) => ({
    source: `Satz ${index}`,
    target: `sentence ${index}`,
  }));
}

function parts(split: Split): [string, Pair[]][] {
  return Object.entries(split);
}

test("counts are met exactly when no sentence repeats, and no pair is lost", () => {
  const pairs = numbered(1000);
  const split = splitPairs(pairs, { validation: 50, test: 100, reward: 250, seed: 1 });
  expect(parts(split).map(([name, part]) => [name, part.length])).toEqual([
    ["train", 600],
    ["reward", 250],
    ["validation", 50],
    ["test", 100],
  ]);
  expect(new Set(parts(split).flatMap(([, part]) => part))).toEqual(new Set(pairs));
});

test("a share is that part of the pairs", () => {
  const split = splitPairs(numbered(200), { validation: 0.05, test: 0.1, reward: 0, seed: 1 });
  expect(parts(split).map(([, part]) => part.length)).toEqual([170, 0, 10, 20]);
});

test("no sentence of one part, on either side, stands in another", () => {
  const words = fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz");
  const pair = fc.record({ source: fc.tuple(words, words), target: fc.tuple(words, words) });
  fc.assert(
    fc.property(fc.array(pair, { minLength: 60, maxLength: 120 }), fc.nat(), (raw, seed) => {
      const pairs = raw.map(({ source, target }) => ({ source: source.join(" "), target: target.join(" ") }));
      const split = splitPairs(pairs, { validation: 3, test: 3, reward: 4, seed });
      expect(parts(split).reduce((sum, [, part]) => sum + part.length, 0)).toBe(pairs.length);
      for (const side of ["source", "target"] as const) {
        const home = new Map<string, string>();
        for (const [name, part] of parts(split)) {
          for (const text of part.map((each) => each[side])) {
            expect(home.get(text) ?? name, `${side} "${text}"`).toBe(name);
            home.set(text, name);
          }
        }
      }
    }),
    { numRuns: 50 },
  );
});

test("letter case, spaces and final punctuation do not make another sentence", () => {
  const variants = ["Save as…", "save  as", "SAVE AS."].map((target, index) => ({
    source: `Variante ${index}`,
    target,
  }));
  for (let seed = 0; seed < 30; seed++) {
    const split = splitPairs([...variants, ...numbered(12)], { validation: 0, test: 6, reward: 0, seed });
    const inTest = split.test.filter(({ source }) => source.startsWith("Variante")).length;
    expect([0, 3]).toContain(inTest);
  }
});

test("pairs linked by a third one stay together", () => {
  const chain = [
    { source: "ja", target: "yes" },
    { source: "ja", target: "indeed" },
    { source: "tatsächlich", target: "indeed" },
  ];
  for (let seed = 0; seed < 30; seed++) {
    const split = splitPairs([...chain, ...numbered(12)], { validation: 0, test: 6, reward: 0, seed });
    expect([0, 3]).toContain(split.test.filter((pair) => chain.includes(pair)).length);
  }
});

test("a group of paraphrases that would fill a part stays in training", () => {
  const paraphrases = Array.from({ length: 80 }, (_, index) => ({
    source: `Grüß ${index}`,
    target: "Hello",
  }));
  const split = splitPairs([...paraphrases, ...numbered(100)], {
    validation: 20,
    test: 20,
    reward: 20,
    seed: 1,
  });
  expect(split.train.filter(({ target }) => target === "Hello")).toHaveLength(80);
});

test("the same seed gives the same split, whatever the order of the lines", () => {
  const sizes = { validation: 20, test: 30, reward: 40, seed: 7 };
  const pairs = numbered(300);
  const forward = splitPairs(pairs, sizes);
  const backward = splitPairs(pairs.toReversed(), sizes);
  for (const [name, part] of parts(forward)) {
    expect(new Set(backward[name as keyof Split]), name).toEqual(new Set(part));
  }
  expect(splitPairs(pairs, { ...sizes, seed: 8 }).test).not.toEqual(forward.test);
});

test("within a part pairs keep the order of the corpus", () => {
  const pairs = numbered(100);
  const { train } = splitPairs(pairs, { validation: 10, test: 10, reward: 10, seed: 1 });
  expect(train).toEqual(pairs.filter((pair) => train.includes(pair)));
});

test("lines appended to the corpus bring no line that was trained on into test or validation", () => {
  const sizes = { validation: 20, test: 30, reward: 40, seed: 7 };
  const before = new Set(splitPairs(numbered(300), sizes).train.map(({ source }) => source));
  const after = splitPairs(numbered(400), sizes);
  for (const { source } of [...after.test, ...after.validation])
    expect(before.has(source), source).toBe(false);
});

describe("a corpus too small is an error", () => {
  const sizes = { validation: 0.05, test: 0.05, reward: 0.2, seed: 1 };
  test("one pair", () => {
    expect(() => splitPairs(numbered(1), sizes)).toThrow(
      new UserError(
        "the corpus has 1 pair, too few to leave 1 for validation beside the other parts; give more pairs or ask for smaller parts.",
      ),
    );
  });
  test("one sentence a hundred times", () => {
    const same = numbered(100).map(({ source }) => ({ source, target: "Same." }));
    expect(() => splitPairs(same, sizes)).toThrow(
      "the corpus has 100 pairs in 1 groups that share a sentence, too few to leave 5 for test",
    );
  });
  test("nothing left to train on", () => {
    expect(() => splitPairs(numbered(10), { validation: 3, test: 3, reward: 4, seed: 1 })).toThrow(
      "too few to leave 1 for train",
    );
  });
  test("a size that is no size", () => {
    for (const test of [-1, 1.5, Number.NaN]) {
      expect(() => splitPairs(numbered(10), { ...sizes, test })).toThrow(
        `the size of the test part is ${test}, expected a share below 1 or a whole number of pairs.`,
      );
    }
  });
});
