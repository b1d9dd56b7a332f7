/** Expected values: PyTorch, versions in the fixture, made by test/fixtures/optimizer/make.py. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  clipScale,
  createAdamWState,
  globalNorm,
  updateAdamW,
  updateAverage,
} from "../../src/tensor/optimizer.js";

interface Snapshot {
  parameters: number[];
  m: number[];
  v: number[];
  average: number[];
}

interface Fixture {
  adamw: {
    beta1: number;
    beta2: number;
    epsilon: number;
    weightDecay: number;
    decayed: number;
    maxNorm: number;
    averageDecay: number;
    initial: number[];
    learningRates: number[];
    gradients: number[][];
    norms: number[];
    snapshots: Record<string, Snapshot>;
  };
  /** The same run in 64 bits. */
  exact: Record<string, Snapshot>;
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL("../fixtures/optimizer/optimizer.json", import.meta.url), "utf8"),
);
const reference = fixture.adamw;
const length = reference.initial.length;
const options = {
  beta1: reference.beta1,
  beta2: reference.beta2,
  epsilon: reference.epsilon,
  weightDecay: reference.weightDecay,
  ranges: [
    { start: 0, end: reference.decayed, decay: true },
    { start: reference.decayed, end: length, decay: false },
  ],
};

/**
 * Every number must lie within `bound` of the expected one, relative to `sizes` (by default: relative to itself). The
 * failure names the place of the largest difference.
 */
function expectClose(
  what: string,
  actual: Float32Array,
  expected: readonly number[],
  bound: number,
  sizes: readonly number[] = expected,
): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  let place = 0;
  for (const [i, x] of expected.entries()) {
    const difference = Math.abs(actual[i]! - x) / Math.abs(sizes[i]!);
    if (difference <= worst) continue;
    worst = difference;
    place = i;
  }
  expect(worst, `${what}[${place}]`).toBeLessThan(bound);
}

describe("AdamW", () => {
  it("follows torch.optim.AdamW, with clip_grad_norm_ and AveragedModel, over 100 steps", () => {
    const parameters = Float32Array.from(reference.initial);
    const average = parameters.slice();
    const state = createAdamWState(length);
    const compared: number[] = [];
    for (const [i, numbers] of reference.gradients.entries()) {
      const gradients = Float32Array.from(numbers);
      const norm = globalNorm(gradients);
      expectClose(`norm of step ${i + 1}`, Float32Array.of(norm), [reference.norms[i]!], 1e-6);
      updateAdamW(parameters, gradients, state, {
        ...options,
        learningRate: reference.learningRates[i]!,
        gradientScale: clipScale(norm, reference.maxNorm),
      });
      updateAverage(average, parameters, reference.averageDecay);
      const torch = reference.snapshots[state.step];
      const exact = fixture.exact[state.step];
      if (torch === undefined || exact === undefined) continue;
      compared.push(state.step);
      const at = `step ${state.step}`;
      // m may be what is left of a cancellation; what counts is its share of √v.
      const sizes = exact.v.map(Math.sqrt);
      expectClose(`${at}: parameters`, parameters, exact.parameters, 1e-6);
      expectClose(`${at}: m`, state.m, exact.m, 1e-6, sizes);
      expectClose(`${at}: v`, state.v, exact.v, 1e-6);
      expectClose(`${at}: average`, average, exact.average, 1e-6);
      // PyTorch's own 32-bit run ends up to 1.9e-6 away from its 64-bit one.
      expectClose(`${at}: parameters`, parameters, torch.parameters, 2.5e-6);
      expectClose(`${at}: m`, state.m, torch.m, 1e-6, sizes);
      expectClose(`${at}: v`, state.v, torch.v, 2.5e-6);
      expectClose(`${at}: average`, average, torch.average, 2.5e-6);
    }
    expect(compared).toEqual([1, 2, 10, 100]);
  });

  it("moves a weight by the learning rate on its first step, whatever the size of the gradient", () => {
    // m̂ / √v̂ = g / |g| where ε is small beside it.
    const parameters = Float32Array.of(1, 1, 1);
    updateAdamW(parameters, Float32Array.of(1e-3, -5, 1e4), createAdamWState(3), {
      learningRate: 0.25,
      weightDecay: 0,
      epsilon: 0,
    });
    expect([...parameters]).toEqual([0.75, 1.25, 0.75]);
  });

  it("decays only the ranges that say so and leaves what is in no range alone", () => {
    const parameters = new Float32Array(6).fill(8);
    updateAdamW(parameters, new Float32Array(6), createAdamWState(6), {
      learningRate: 0.5,
      weightDecay: 0.5,
      ranges: [
        { start: 0, end: 2, decay: true },
        { start: 2, end: 3, decay: false },
        { start: 5, end: 6, decay: true },
      ],
    });
    expect([...parameters]).toEqual([6, 6, 8, 8, 8, 6]);

    const state = createAdamWState(3);
    updateAdamW(parameters.subarray(0, 3), Float32Array.of(1, 1, 1), state, {
      learningRate: 0.5,
      ranges: [{ start: 1, end: 2, decay: false }],
    });
    expect([...parameters.subarray(0, 3)].map((x, i) => x !== [6, 6, 8][i])).toEqual([false, true, false]);
    expect([...state.m].map((x) => x !== 0)).toEqual([false, true, false]);
  });

  it("takes k accumulated gradients with scale 1/k as it takes their mean", () => {
    const means = reference.gradients.slice(0, 20).map((numbers) => Float32Array.from(numbers));
    const run = (k: number) => {
      const parameters = Float32Array.from(reference.initial);
      const state = createAdamWState(length);
      for (const mean of means) {
        // A power of two scales without rounding, so that the results are the same bits.
        const sum = mean.map((x) => x * k);
        updateAdamW(parameters, sum, state, { ...options, learningRate: 0.01, gradientScale: 1 / k });
      }
      return [...parameters];
    };
    expect(run(8)).toEqual(run(1));
  });

  it("goes on from a copied state with the same bits", () => {
    const gradients = reference.gradients.map((numbers) => Float32Array.from(numbers));
    const straight = Float32Array.from(reference.initial);
    const straightState = createAdamWState(length);
    for (const g of gradients) updateAdamW(straight, g, straightState, { ...options, learningRate: 0.01 });

    let parameters = Float32Array.from(reference.initial);
    let state = createAdamWState(length);
    for (const [i, g] of gradients.entries()) {
      if (i % 9 === 0) {
        // What a file keeps: 32-bit numbers and a count.
        const { m, v, step } = state;
        parameters = Float32Array.from(parameters);
        state = { step, m: Float32Array.from(m), v: Float32Array.from(v) };
      }
      updateAdamW(parameters, g, state, { ...options, learningRate: 0.01 });
    }
    expect(parameters).toEqual(straight);
    expect(state).toEqual(straightState);
  });

  it("does not depend on how the parameters are cut into ranges", () => {
    const run = (ranges: { start: number; end: number; decay: boolean }[]) => {
      const parameters = Float32Array.from(reference.initial);
      const state = createAdamWState(length);
      for (const numbers of reference.gradients.slice(0, 5)) {
        updateAdamW(parameters, Float32Array.from(numbers), state, { learningRate: 0.01, ranges });
      }
      return [...parameters, ...state.m, ...state.v];
    };
    const single = Array.from({ length }, (_, i) => ({ start: i, end: i + 1, decay: true }));
    expect(run(single)).toEqual(run([{ start: 0, end: length, decay: true }]));
  });

  it("refuses buffers of different lengths and ranges that overlap or lie outside", () => {
    const two = () => new Float32Array(2);
    const update = (ranges: { start: number; end: number; decay: boolean }[]) => {
      const state = createAdamWState(2);
      const attempt = () => updateAdamW(two(), two(), state, { learningRate: 1, ranges });
      return { attempt, state };
    };
    expect(() => updateAdamW(two(), new Float32Array(3), createAdamWState(2), { learningRate: 1 })).toThrow(
      "parameters 2, gradients 3",
    );
    expect(() => updateAdamW(two(), two(), createAdamWState(1), { learningRate: 1 })).toThrow("m 1");
    for (const ranges of [
      [{ start: 0, end: 3, decay: true }],
      [{ start: -1, end: 1, decay: true }],
      [
        { start: 0, end: 2, decay: true },
        { start: 1, end: 2, decay: true },
      ],
    ]) {
      const { attempt, state } = update(ranges);
      expect(attempt).toThrow(RangeError);
      expect(state.step).toBe(0);
    }
  });
});

describe("clipping", () => {
  it("measures the Euclidean norm, for any length", () => {
    expect(globalNorm(Float32Array.of(3, 4))).toBe(5);
    expect(globalNorm(Float32Array.of(1, 1, 1, 1, 1, 2, 4))).toBe(5);
    expect(globalNorm(new Float32Array(0))).toBe(0);
    // Squares of these overflow 32 bits.
    expect(globalNorm(Float32Array.of(3, 4).map((x) => x * 2 ** 100))).toBe(5 * 2 ** 100);
  });

  it("shows a gradient that is not a number", () => {
    expect(globalNorm(Float32Array.of(0, 1, Number.NaN, 0, 0))).toBeNaN();
    expect(globalNorm(Float32Array.of(0, 0, 0, 0, Number.NEGATIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY);
  });

  it("leaves a small norm alone and brings a large one to the maximum", () => {
    expect(clipScale(0, 1)).toBe(1);
    expect(clipScale(0.5, 1)).toBe(1);
    expect(clipScale(50, 5) * 50).toBeCloseTo(5, 6);
  });
});

describe("moving average", () => {
  it("keeps the share `decay` of what it was", () => {
    const average = Float32Array.of(4, 8);
    updateAverage(average, Float32Array.of(0, 16), 0.75);
    expect([...average]).toEqual([3, 10]);
    expect(() => updateAverage(average, new Float32Array(3), 0.5)).toThrow("2 numbers, parameters 3");
  });
});
