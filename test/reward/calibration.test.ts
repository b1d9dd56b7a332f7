import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { calibrate, fitCalibration, fitIsotonic, readCalibration } from "../../src/reward/calibration.js";
import { deriveKey, normal, uniform } from "../../src/tensor/random.js";

const key = deriveKey(20, 1);
const normals = Array.from({ length: 4000 }, (_, i) => 3 + 0.01 * normal(key, i));
/** Float32, as networks give them, of any size. */
const score = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
/** A place counted in ranges of the fitted scores; neighbouring numbers are as near as float32 makes them at 1. */
const ranges = fc.oneof(
  fc.integer({ min: -1000 * 2 ** 14, max: 1000 * 2 ** 14 }).map((n) => n / 2 ** 14),
  fc.integer({ min: 0, max: 2 ** 24 }).map((n) => n / 2 ** 24),
);

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("calibration", () => {
  it("the mean reward of the fitted samples is one half, whatever their scale and shape", () => {
    const shapes = {
      normal: normals,
      skewed: Array.from({ length: 4000 }, (_, i) => -1000 * Math.log(uniform(key, i))),
      "two humps": Array.from({ length: 4000 }, (_, i) => (i % 3 === 0 ? -5 : 5) + normal(key, i)),
      "nearly all equal": Array.from({ length: 4000 }, (_, i) => (i % 50 === 0 ? uniform(key, i) : 0.5)),
      "six values": Array.from({ length: 4000 }, (_, i) => Math.floor(6 * uniform(key, i) ** 2) / 5),
    };
    for (const [name, scores] of Object.entries(shapes)) {
      const calibration = fitCalibration(scores);
      expect(Math.abs(mean(scores.map((each) => calibrate(calibration, each))) - 0.5), name).toBeLessThan(
        0.02,
      );
    }
  });

  it("on the held-out sample's own law, the reward is the share of samples below", () => {
    const fresh = Array.from({ length: 4000 }, (_, i) => 3 + 0.01 * normal(deriveKey(20, 2), i));
    const calibration = fitCalibration(normals);
    const rewards = fresh.map((each) => calibrate(calibration, each));
    for (const threshold of [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99]) {
      const kept = rewards.filter((reward) => reward > threshold).length / rewards.length;
      // Three standard errors of two samples of 4,000 and the straight lines between knots.
      expect(Math.abs(kept - (1 - threshold)), `above ${threshold}`).toBeLessThan(0.035);
    }
  });

  it("a higher score is a higher reward, strictly, within and far beyond the fitted range", () => {
    fc.assert(
      fc.property(fc.array(score, { minLength: 1, maxLength: 300 }), ranges, ranges, (scores, a, b) => {
        fc.pre(a !== b);
        const calibration = fitCalibration(scores);
        const lowest = Math.min(...scores);
        const range = Math.max(...scores) - lowest || 1;
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(calibrate(calibration, lowest + high * range)).toBeGreaterThan(
          calibrate(calibration, lowest + low * range),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("many scores crowded at the top leave room for higher ones", () => {
    const crowded = Array.from({ length: 2000 }, (_, i) =>
      i % 10 === 0 ? 1 - 1e-5 * uniform(key, i) : uniform(key, i),
    );
    const calibration = fitCalibration(crowded);
    expect(calibrate(calibration, 1000.0001)).toBeGreaterThan(calibrate(calibration, 1000));
  });

  it("scores turned upside down turn the rewards upside down", () => {
    const scores = [0, 1, 2, 3, 3, 5, 8, 13, 13.5, 40];
    const upright = fitCalibration(scores);
    const turned = fitCalibration(scores.map((each) => -each));
    for (const each of [-20, 0, 0.3, 2.5, 3, 4, 13.2, 40, 100]) {
      expect(calibrate(turned, -each)).toBeCloseTo(1 - calibrate(upright, each), 12);
    }
  });

  it("no two different scores of the fitted samples tie", () => {
    const calibration = fitCalibration(normals);
    const distinct = new Set(normals);
    expect(new Set(normals.map((each) => calibrate(calibration, each))).size).toBe(distinct.size);
  });

  it("rewards stay in (0, 1] for any finite float32 score", () => {
    fc.assert(
      fc.property(fc.array(score, { minLength: 1, maxLength: 50 }), score, (scores, each) => {
        const reward = calibrate(fitCalibration(scores), each);
        expect(reward).toBeGreaterThan(0);
        expect(reward).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("a score that is not finite stays not a number, for the contract to report", () => {
    const calibration = fitCalibration([1, 2, 3]);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(calibrate(calibration, bad)).toBeNaN();
    }
  });

  it("samples that all score alike get one half, and others still differ from them", () => {
    const calibration = fitCalibration([0.25, 0.25, 0.25]);
    expect(calibrate(calibration, 0.25)).toBe(0.5);
    expect(calibrate(calibration, 0.24)).toBeLessThan(0.5);
    expect(calibrate(calibration, 0.26)).toBeGreaterThan(0.5);
  });

  it("JSON carries it without a change", () => {
    const calibration = fitCalibration(normals);
    const read = readCalibration(JSON.parse(JSON.stringify(calibration)), "reward/calibration.json");
    expect(read).toEqual(calibration);
  });

  it.each([
    null,
    {},
    { kind: "quantile", raw: [], reward: [] },
    { kind: "quantile", raw: [1, 1], reward: [0.2, 0.4] },
    { kind: "quantile", raw: [1, 2], reward: [0.4, 0.2] },
    { kind: "quantile", raw: [1, 2], reward: [0.2, 1] },
    { kind: "quantile", raw: [1, 2, 3], reward: [0.2, 0.4] },
    { kind: "quantile", raw: [1, "2"], reward: [0.2, 0.4] },
    { kind: "logistic", raw: [1], reward: [0.5] },
  ])("%j is no calibration, and the error names the file", (value) => {
    expect(() => readCalibration(value, "reward/calibration.json")).toThrow(
      /^reward\/calibration\.json: this is not the calibration of a reward/u,
    );
  });

  it("nothing to fit on, or a score that is not finite, is an error", () => {
    expect(() => fitCalibration([])).toThrow(UserError);
    expect(() => fitCalibration([1, Number.NaN])).toThrow(
      "the learned reward gave NaN for a held-out sample",
    );
  });
});

describe("the map to people's scores", () => {
  /** Ten texts alike at each of the rewards. */
  const tens = (values: readonly number[]) =>
    values.flatMap((value) => Array.from({ length: 10 }, () => value));

  it("pools neighbours that people order the other way, worked by hand", () => {
    // Means 0.2, 0.6, 0.4, 0.8: the two in the middle become 0.5 at the middle of their rewards.
    const map = fitIsotonic(tens([0.1, 0.3, 0.5, 0.9]), tens([0.2, 0.6, 0.4, 0.8]));
    expect(map.kind).toBe("isotonic");
    expect(map.raw.map((value) => Number(value.toFixed(9)))).toEqual([0.1, 0.4, 0.9]);
    expect(map.reward.map((value) => Number(value.toFixed(9)))).toEqual([0.2, 0.5, 0.8]);
    expect(calibrate(map, 0.25)).toBeCloseTo(0.35, 9);
    // Beyond the ends it goes on, and reaches neither 0 nor 1.
    expect(calibrate(map, 0)).toBeLessThan(0.2);
    expect(calibrate(map, -1e9)).toBeGreaterThan(0);
    expect(calibrate(map, 1e9)).toBeLessThan(1);
  });

  it("keeps the order of all rewards, whatever people say, and is read again as it was written", () => {
    const texts = fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      {
        minLength: 1,
        maxLength: 80,
      },
    );
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 999 }), (rated, at) => {
        const map = fitIsotonic(
          rated.map(([reward]) => reward),
          rated.map(([, people]) => people),
        );
        const below = calibrate(map, at / 1000);
        const above = calibrate(map, (at + 1) / 1000);
        expect(below).toBeLessThan(above);
        expect(below > 0 && above < 1).toBe(true);
        expect(readCalibration(JSON.parse(JSON.stringify(map)), "map.json")).toEqual(map);
      }),
    );
  });

  it("is one slope where people see nothing in the reward, and is refused without ratings", () => {
    const flat = fitIsotonic(tens([0.1, 0.5, 0.9]), tens([0.7, 0.5, 0.3]));
    expect(flat.reward).toHaveLength(1);
    expect(flat.reward[0]).toBeCloseTo(0.5, 9);
    expect(calibrate(flat, 0.2)).toBeLessThan(calibrate(flat, 0.8));
    expect(() => fitIsotonic([], [])).toThrow(UserError);
    expect(() => fitIsotonic([0.5], [Number.NaN])).toThrow(/finite number/);
  });
});
