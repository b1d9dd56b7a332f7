/** The paired permutation test against every choice of signs in exact fractions (test/fixtures/rating/make.py). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { signFlipTest } from "../../src/evaluate/sign-flip.js";
import { deriveKey, normal } from "../../src/tensor/random.js";
import { type RatingsFixture, readFixture } from "./fixtures.js";

const { signFlip: cases } = readFixture<RatingsFixture>("rating/ratings.json");

describe.each(cases)("$name", ({ differences, p }) => {
  test("p is the share of signs that give as large a mean", () => {
    const drawn = differences.filter((difference) => difference !== 0).length > 16;
    // Drawn 20,000 times: three standard errors of a share of 0.08 are 0.006.
    expect(signFlipTest(differences)).toBeCloseTo(p, drawn ? 2 : 12);
  });
});

test("five differences of one sign can come out no rarer than 2 in 32", () => {
  expect(signFlipTest([1, 1, 1, 1, 1])).toBe(2 / 32);
});

test("where nothing differs p is 1", () => {
  expect(signFlipTest([])).toBe(1);
  expect(signFlipTest([0, 0, 0])).toBe(1);
  expect(signFlipTest(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 1 : -1)))).toBe(1);
});

test("p does not depend on which system is called the baseline, and ties change nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -6, max: 6 }), { maxLength: 12 }), (differences) => {
      const p = signFlipTest(differences);
      expect(signFlipTest(differences.map((difference) => -difference))).toBe(p);
      expect(signFlipTest([...differences, 0, 0])).toBe(p);
    }),
  );
});

test("systems that do not differ fall below 0.05 in about one comparison of twenty", () => {
  const key = deriveKey(11);
  let below = 0;
  const rounds = 400;
  for (let round = 0; round < rounds; round++) {
    const differences = Array.from({ length: 12 }, (_, i) => normal(key, 12 * round + i));
    if (signFlipTest(differences) < 0.05) below++;
  }
  // Binomial with p = 0.05: three standard deviations are 0.033.
  expect(Math.abs(below / rounds - 0.05)).toBeLessThan(0.033);
});

test("thirty clear differences are beyond chance, drawn as they are", () => {
  expect(signFlipTest(Array.from({ length: 30 }, () => 1))).toBeLessThan(0.0002);
});
