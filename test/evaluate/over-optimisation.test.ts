/** Curves of gain against distance, fitted to points whose curve is known. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitGain, type GainFit, type GainForm, gainAt } from "../../src/evaluate/over-optimisation.js";

const forms: Record<GainForm, (alpha: number, beta: number, d: number) => number> = {
  "best-of-n": (alpha, beta, d) => d * (alpha - beta * d),
  rl: (alpha, beta, d) => d * (alpha - beta * Math.log(d)),
};

function curveOf(fit: GainFit) {
  if ("undecided" in fit) throw new Error(fit.undecided);
  return fit.curve;
}

describe.each(["best-of-n", "rl"] as const)("the form %s", (form) => {
  const of = forms[form];

  test("points on a curve give back its α and β", () => {
    const positive = fc.double({ min: 0.1, max: 20, noNaN: true });
    const distances = fc.uniqueArray(fc.double({ min: 0.2, max: 6, noNaN: true }), {
      minLength: 3,
      maxLength: 8,
      // Far enough apart that rounding does not decide.
      comparator: (a, b) => Math.abs(a - b) < 0.2,
    });
    fc.assert(
      fc.property(positive, positive, distances, (alpha, beta, ds) => {
        const points = ds.map((distance) => ({ distance, gain: of(alpha, beta, distance) }));
        const curve = curveOf(fitGain(points, form));
        expect(curve.alpha / alpha).toBeCloseTo(1, 6);
        expect(curve.beta / beta).toBeCloseTo(1, 6);
        expect(curve.furthest).toBe(Math.max(...ds));
      }),
    );
  });

  test("no distance near the peak has more gain, and the peak lies on the curve", () => {
    const points = [0.5, 1, 2, 3].map((distance) => ({ distance, gain: of(5, 2, distance) }));
    const curve = curveOf(fitGain(points, form));
    const { distance, gain } = curve.peak;
    expect(gainAt(curve, distance)).toBeCloseTo(gain, 9);
    for (const aside of [0.999, 1.001, 0.5, 2])
      expect(gainAt(curve, distance * aside)).toBeLessThan(gain - 1e-9);
  });

  test("of points off every curve, no other α and β leave a smaller sum of squares", () => {
    const points = [
      { distance: 0.4, gain: 1.2 },
      { distance: 0.9, gain: 1.6 },
      { distance: 1.5, gain: 2.3 },
      { distance: 2.6, gain: 1.1 },
    ];
    const curve = curveOf(fitGain(points, form));
    const squares = (alpha: number, beta: number) =>
      points.reduce((sum, { distance, gain }) => sum + (gain - of(alpha, beta, distance)) ** 2, 0);
    const least = squares(curve.alpha, curve.beta);
    for (const [da, db] of [
      [0.01, 0],
      [-0.01, 0],
      [0, 0.01],
      [0, -0.01],
      [0.01, 0.01],
      [-0.01, -0.01],
    ] as const)
      expect(squares(curve.alpha + da, curve.beta + db)).toBeGreaterThan(least);
  });

  test("the start itself, and figures that are no numbers, change nothing", () => {
    const points = [0.5, 1, 2].map((distance) => ({ distance, gain: of(3, 1, distance) }));
    const more = [{ distance: 0, gain: 0 }, ...points, { distance: 1.2, gain: Number.NaN }];
    expect(fitGain(more, form)).toEqual(fitGain(points, form));
  });

  test("two places, or three times one place, decide nothing", () => {
    const at = (distance: number) => ({ distance, gain: of(3, 1, distance) });
    expect(fitGain([at(1), at(2)], form)).toEqual({
      undecided: "2 of at least 3 places away from the start",
    });
    expect(fitGain([at(1), at(1), at(1)], form)).toHaveProperty("undecided");
  });

  test("gains that grow faster and faster do not turn down", () => {
    const points = [0.5, 1, 2, 3].map((distance) => ({ distance, gain: distance ** 3 }));
    expect(fitGain(points, form)).toEqual({ undecided: "the fitted curve does not turn down" });
  });
});

test("by hand: d(4 − d) has its peak at 2 with a gain of 4", () => {
  const points = [1, 2, 3].map((distance) => ({ distance, gain: distance * (4 - distance) }));
  const { alpha, beta, peak } = curveOf(fitGain(points, "best-of-n"));
  expect([alpha, beta, peak.distance, peak.gain].map((value) => value.toFixed(9))).toEqual([
    "4.000000000",
    "1.000000000",
    "2.000000000",
    "4.000000000",
  ]);
});

test("a gain that is a loss from the start, d(−1 − 2d), has no peak", () => {
  const points = [0.5, 1, 2].map((distance) => ({ distance, gain: distance * (-1 - 2 * distance) }));
  expect(fitGain(points, "best-of-n")).toEqual({ undecided: "the fitted curve only falls" });
});

test("by hand: d(1 − ln d) has its peak at 1 with a gain of 1", () => {
  const points = [0.5, 1, Math.E].map((distance) => ({
    distance,
    gain: distance * (1 - Math.log(distance)),
  }));
  const { alpha, beta, peak } = curveOf(fitGain(points, "rl"));
  expect([alpha, beta, peak.distance, peak.gain].map((value) => value.toFixed(9))).toEqual([
    "1.000000000",
    "1.000000000",
    "1.000000000",
    "1.000000000",
  ]);
});
