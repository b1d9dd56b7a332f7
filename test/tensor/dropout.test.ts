import { describe, expect, it } from "vitest";
import { fillDropoutMask } from "../../src/tensor/dropout.js";
import { deriveKey, type Key } from "../../src/tensor/random.js";

function maskOf(length: number, rate: number, key: Key): Float32Array {
  const mask = new Float32Array(length);
  fillDropoutMask(mask, rate, key);
  return mask;
}

const key = deriveKey(1, 2, 3);
const N = 200_000;

describe("a dropout mask", () => {
  it.each([0.1, 0.25, 0.5, 0.9])("of rate %d drops that share, to 1/256", (rate) => {
    const dropped = maskOf(N, rate, key).filter((x) => x === 0).length / N;
    // Rounding of the rate, and four deviations of a count of 200,000.
    expect(Math.abs(dropped - rate)).toBeLessThan(1 / 512 + 4 * Math.sqrt((rate * (1 - rate)) / N));
  });

  it.each([0.1, 0.25, 0.5, 0.9])(
    "of rate %d keeps the mean: what stays is scaled up by what it lacks",
    (rate) => {
      const mask = maskOf(N, rate, key);
      const values = new Set(mask);
      expect(values.size).toBe(2);
      const limit = Math.round(256 * rate);
      expect(values).toEqual(new Set([0, Math.fround(256 / (256 - limit))]));
      const mean = mask.reduce((sum, x) => sum + x, 0) / N;
      expect(Math.abs(mean - 1)).toBeLessThan(4 * Math.sqrt(rate / (1 - rate) / N) + 1e-3);
    },
  );

  it("of rate 0 is all ones", () => {
    expect(new Set(maskOf(1001, 0, key))).toEqual(new Set([1]));
  });

  it("is a function of key and element: a longer one begins with a shorter one", () => {
    const long = maskOf(1000, 0.3, key);
    for (const length of [0, 1, 2, 3, 4, 5, 7, 64, 997]) {
      expect(maskOf(length, 0.3, key)).toEqual(long.subarray(0, length));
    }
  });

  it("fills a part of a buffer as it fills a buffer, and nothing around it", () => {
    const buffer = new Float32Array(40).fill(7);
    fillDropoutMask(buffer.subarray(10, 30), 0.3, key);
    expect(buffer.subarray(10, 30)).toEqual(maskOf(20, 0.3, key));
    expect([...buffer.subarray(0, 10), ...buffer.subarray(30)].every((x) => x === 7)).toBe(true);
  });

  /** Correlation of two masks of rate one half. */
  const correlation = (a: Float32Array, b: Float32Array) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += (a[i]! - 1) * (b[i]! - 1);
    return sum / a.length;
  };
  // A correlation's own deviation is 1/√200,000 = 0.0022.
  const chance = 0.01;

  it("has nothing to do with the mask of another step, site or seed", () => {
    const mask = maskOf(N, 0.5, key);
    for (const other of [deriveKey(1, 2, 4), deriveKey(1, 3, 3), deriveKey(2, 2, 3)])
      expect(Math.abs(correlation(mask, maskOf(N, 0.5, other)))).toBeLessThan(chance);
    // Keys that differ in one bit, too.
    for (const other of [[key[0] ^ 1, key[1]] as const, [key[0], key[1] ^ 1] as const])
      expect(Math.abs(correlation(mask, maskOf(N, 0.5, other)))).toBeLessThan(chance);
  });

  it("has nothing to do with itself some elements on: one column, one row, one head", () => {
    const mask = maskOf(N, 0.5, key);
    for (const shift of [1, 2, 3, 4, 5, 8, 64, 128, 256, 512, 1024, 65536])
      expect(
        Math.abs(correlation(mask.subarray(0, N - shift), mask.subarray(shift))),
        `${shift}`,
      ).toBeLessThan(chance);
  });
});
