/** Expected values: Transformers, version in the fixture, made by test/fixtures/optimizer/make.py. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { learningRateAt, type Schedule } from "../../src/tensor/schedule.js";

const fixture: { schedules: { schedule: Schedule; rates: number[] }[] } = JSON.parse(
  readFileSync(new URL("../fixtures/optimizer/optimizer.json", import.meta.url), "utf8"),
);

describe("learning rate", () => {
  for (const { schedule, rates } of fixture.schedules) {
    it(`${schedule.kind} with ${schedule.warmup} warm-up steps equals Transformers' at every step`, () => {
      expect(rates.length).toBeGreaterThan(50);
      for (const [step, rate] of rates.entries()) {
        const off = Math.abs(learningRateAt(schedule, step) - rate);
        expect(off, `step ${step}`).toBeLessThan(1e-12 * schedule.peak);
      }
    });
  }

  it("is 0 after the last step of linear and cosine", () => {
    for (const kind of ["linear", "cosine"] as const) {
      for (const step of [50, 51, 1000]) {
        expect(learningRateAt({ kind, peak: 1, warmup: 8, steps: 50 }, step)).toBe(0);
      }
    }
  });

  it("is the peak at the end of the warm-up, whatever the kind", () => {
    for (const kind of ["constant", "linear", "cosine", "inverse-square-root"] as const) {
      expect(learningRateAt({ kind, peak: 0.5, warmup: 10, steps: 100 }, 10)).toBe(0.5);
    }
  });

  it("falls by half from step w to step 4w with the inverse square root", () => {
    expect(learningRateAt({ kind: "inverse-square-root", peak: 1, warmup: 100 }, 400)).toBe(0.5);
  });
});
