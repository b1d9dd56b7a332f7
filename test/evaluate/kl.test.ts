/** The KL estimators against distributions whose divergence is known. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bestOfNKl,
  isCrediblyNegative,
  prefixKl,
  type SampledLogProbabilities,
  sequenceKl,
} from "../../src/evaluate/kl.js";
import { deriveKey, uniform } from "../../src/tensor/random.js";

const POLICY = [0.5, 0.3, 0.2];
const REFERENCE = [0.3, 0.3, 0.4];
const TOKEN_KL = POLICY.reduce((sum, p, i) => sum + p * Math.log(p / REFERENCE[i]), 0);

/** Sequences of independent tokens drawn from `drawn`, scored under `policy` and `reference`. */
function sample(count: number, tokens: number, drawn: number[], policy: number[], reference: number[]) {
  return Array.from({ length: count }, (_, s): SampledLogProbabilities => {
    const key = deriveKey(9, s);
    const ids = Array.from({ length: tokens }, (_, t) => {
      const u = uniform(key, t);
      return u < drawn[0] ? 0 : u < drawn[0] + drawn[1] ? 1 : 2;
    });
    return {
      policy: ids.map((id) => Math.log(policy[id])),
      reference: ids.map((id) => Math.log(reference[id])),
    };
  });
}

test("k1 and k3 agree with the exact divergence within four standard errors, and k3 spreads less", () => {
  const { k1, k3 } = sequenceKl(sample(4000, 10, POLICY, POLICY, REFERENCE));
  for (const { mean, standardError, n, meanTokens } of [k1, k3]) {
    expect(Math.abs(mean - 10 * TOKEN_KL)).toBeLessThan(4 * standardError);
    expect([n, meanTokens]).toEqual([4000, 10]);
  }
  expect(k3.standardError).toBeLessThan(0.7 * k1.standardError);
});

test("the average over all outcomes, weighted by their probability, is the divergence exactly", () => {
  const exact = (pick: "k1" | "k3") =>
    POLICY.reduce((sum, p, i) => {
      const one = sequenceKl([{ policy: [Math.log(p)], reference: [Math.log(REFERENCE[i])] }]);
      return sum + p * one[pick].mean;
    }, 0);
  expect(exact("k1")).toBeCloseTo(TOKEN_KL, 12);
  expect(exact("k3")).toBeCloseTo(TOKEN_KL, 12);
});

test("k3 is never negative and is zero only for equal policies", () => {
  const logs = fc.array(fc.double({ min: -20, max: 0, noNaN: true }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(logs, logs, (a, b) => {
      const length = Math.min(a.length, b.length);
      const { k3 } = sequenceKl([{ policy: a.slice(0, length), reference: b.slice(0, length) }]);
      expect(k3.mean).toBeGreaterThanOrEqual(0);
      expect(sequenceKl([{ policy: a, reference: a }]).k3.mean).toBe(0);
    }),
  );
});

test("the standard error is that of a mean, by hand", () => {
  // k1 of 1, 2, 3, 4: variance 5/3, standard error √(5/12).
  const samples = [1, 2, 3, 4].map((k1) => ({ policy: [-1], reference: [-1 - k1] }));
  const { k1 } = sequenceKl(samples);
  expect(k1.mean).toBeCloseTo(2.5, 12);
  expect(k1.standardError).toBeCloseTo(Math.sqrt(5 / 12), 12);
});

test("copies of a sample in its group leave the standard error as it is", () => {
  const once = sample(50, 5, POLICY, POLICY, REFERENCE);
  const copied = once.flatMap((each, group) => [each, each, each].map((copy) => ({ ...copy, group })));
  expect(sequenceKl(copied).k1.standardError).toBeCloseTo(sequenceKl(once).k1.standardError, 12);
});

test("the alarm is silent on honest samples and rings when samples come from another policy", () => {
  expect(isCrediblyNegative(sequenceKl(sample(500, 10, POLICY, POLICY, REFERENCE)).k1)).toBe(false);
  expect(isCrediblyNegative(sequenceKl(sample(500, 10, REFERENCE, POLICY, REFERENCE)).k1)).toBe(true);
});

test("the alarm is silent on one sample, and on rounding", () => {
  expect(isCrediblyNegative(sequenceKl([{ policy: [-5], reference: [-1] }]).k1)).toBe(false);
  const rounding = Array.from({ length: 100 }, () => ({ policy: [-1, -2], reference: [-0.99995, -1.99995] }));
  expect(isCrediblyNegative(sequenceKl(rounding).k1)).toBe(false);
  expect(isCrediblyNegative(sequenceKl(rounding).k1, { tokenTolerance: 1e-5 })).toBe(true);
});

test("the divergence of a chain is the mean over its prefixes of their next token's, by hand", () => {
  // Two steps; what the second is drawn from depends on the first. π: 0 with 0.5, then 0 with 0.9 after 0, 0.2 after 1.
  const second = [0.9, 0.2];
  const bits = (p: number, q: number) => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
  // π₀ is uniform. Over the four sequences: Σ π(y)·log(π(y)/0.25).
  const joint = [0.5 * 0.9, 0.5 * 0.1, 0.5 * 0.2, 0.5 * 0.8].reduce(
    (sum, p) => sum + p * Math.log(p / 0.25),
    0,
  );
  const samples = second.map((p, first) => ({ divergences: [bits(0.5, 0.5), bits(p, 0.5)], group: first }));
  const { mean, n, meanTokens } = prefixKl(samples);
  expect(mean).toBeCloseTo(joint, 12);
  expect([n, meanTokens]).toEqual([2, 2]);
  expect(() => prefixKl([])).toThrow(RangeError);
});

test("lists of different length and no samples are refused", () => {
  expect(() => sequenceKl([{ policy: [-1], reference: [-1, -2] }])).toThrow(RangeError);
  expect(() => sequenceKl([])).toThrow(RangeError);
});

test("best of n moves log n − (n − 1)/n nats: 0 for one, 0.636 for four, 1.835 for sixteen", () => {
  expect(bestOfNKl(1)).toBe(0);
  expect(bestOfNKl(4)).toBeCloseTo(0.6363, 4);
  expect(bestOfNKl(16)).toBeCloseTo(1.8351, 4);
});
