/** Krippendorff's α against his own example and against an enumeration of pairs (test/fixtures/rating/make.py). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ordinalAlpha } from "../../src/evaluate/krippendorff.js";
import { type RatingsFixture, readFixture } from "./fixtures.js";

const { alpha: cases } = readFixture<RatingsFixture>("rating/ratings.json");

describe.each(cases)("$name", ({ units, alpha }) => {
  test("α is that of taking every pair of values", () => {
    expect(ordinalAlpha(units).alpha).toBeCloseTo(alpha, 12);
  });
});

test("the published example has the published α of 0.815", () => {
  const example = cases[0]!;
  expect(example.name).toContain("Krippendorff (2011)");
  const { alpha, units, values } = ordinalAlpha(example.units);
  expect(alpha.toFixed(3)).toBe("0.815");
  // The last observation of one observer alone does not count.
  expect([units, values]).toEqual([11, 40]);
});

const unitsOf = fc.array(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 }), { maxLength: 20 });

test("α sees only the order of the values, and neither the order of raters nor of units", () => {
  fc.assert(
    fc.property(unitsOf, (units) => {
      const { alpha } = ordinalAlpha(units);
      const stretched = units.map((unit) => unit.map((value) => Math.exp(value) - 3));
      const turned = units.map((unit) => unit.toReversed()).toReversed();
      for (const other of [stretched, turned])
        if (Number.isNaN(alpha)) expect(ordinalAlpha(other).alpha).toBeNaN();
        else expect(ordinalAlpha(other).alpha).toBeCloseTo(alpha, 10);
    }),
  );
});

test("raters who always agree have α = 1, and equal values alone have none", () => {
  expect(ordinalAlpha([[1, 1], [4, 4, 4], [6, 6], [2]])).toEqual({ alpha: 1, units: 3, values: 7 });
  expect(
    ordinalAlpha([
      [3, 3],
      [3, 3],
    ]).alpha,
  ).toBeNaN();
  expect(ordinalAlpha([[3], [4]])).toEqual({ alpha: Number.NaN, units: 0, values: 0 });
});
