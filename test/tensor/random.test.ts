import { describe, expect, it } from "vitest";
import {
  deriveKey,
  integerBelow,
  type Key,
  normal,
  permutation,
  threefry,
  uniform,
} from "../../src/tensor/random.js";

describe("threefry", () => {
  // Random123 (D. E. Shaw Research), its file of known answers: "threefry2x32 20", counter, key, result.
  it.each([
    [
      [0x00000000, 0x00000000],
      [0x00000000, 0x00000000],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x243f6a88, 0x85a308d3],
      [0x13198a2e, 0x03707344],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)("of counter %j and key %j is %j, as Random123 publishes it", ([c0, c1], key, expected) => {
    expect(threefry(key, c0, c1)).toEqual(expected);
  });

  it("changes half of the output bits when one bit of counter or key changes", () => {
    let changed = 0;
    let pairs = 0;
    for (let n = 0; n < 50; n++) {
      const key: Key = [n * 7919, 17];
      const [a, b] = threefry(key, n, 0);
      for (let bit = 0; bit < 32; bit++) {
        const [c, d] = threefry(key, (n ^ (1 << bit)) >>> 0, 0);
        const [e, f] = threefry([(key[0] ^ (1 << bit)) >>> 0, key[1]], n, 0);
        for (const difference of [a ^ c, b ^ d, a ^ e, b ^ f]) changed += ones(difference);
        pairs += 4;
      }
    }
    // 6,400 words of 32 fair bits: the mean deviates by √(8/6400) = 0.035.
    expect(Math.abs(changed / pairs - 16)).toBeLessThan(0.2);
  });
});

function ones(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}

describe("deriveKey", () => {
  it("separates every part, its place and their number", () => {
    const keys = [
      deriveKey(1),
      deriveKey(2),
      deriveKey(1 + 2 ** 32),
      deriveKey(1, 0),
      deriveKey(1, 0, 0),
      deriveKey(1, 0, 1),
      deriveKey(1, 1, 0),
      deriveKey(1, 0, 0, 0),
      deriveKey(1, 0, 0, 0, 0),
    ];
    expect(new Set(keys.map(String)).size).toBe(keys.length);
  });

  it("does not collide over many sources and samples", () => {
    const keys = new Set<string>();
    for (let source = 0; source < 300; source++)
      for (let sample = 0; sample < 100; sample++) keys.add(String(deriveKey(5, 1, source, sample)));
    expect(keys.size).toBe(30_000);
  });
});

describe("uniform", () => {
  const key = deriveKey(2024, 6);
  const draws = Array.from({ length: 100_000 }, (_, i) => uniform(key, i));

  it("stays inside (0, 1)", () => {
    expect(draws.every((u) => u > 0 && u < 1)).toBe(true);
  });

  it("fills 100 bins evenly", () => {
    const bins = new Array<number>(100).fill(0);
    for (const u of draws) bins[Math.floor(100 * u)]!++;
    const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 99 degrees of freedom: 61 to 149 but for one seed in 500.
    expect(chiSquare).toBeGreaterThan(61);
    expect(chiSquare).toBeLessThan(149);
  });

  it("does not follow from the draw before it, nor from the same counter of the next key", () => {
    const next = deriveKey(2024, 7);
    const deviation = (u: number) => (u - 0.5) * Math.sqrt(12);
    let successive = 0;
    let across = 0;
    for (let i = 0; i + 1 < draws.length; i++) {
      successive += deviation(draws[i]!) * deviation(draws[i + 1]!);
      across += deviation(draws[i]!) * deviation(uniform(next, i));
    }
    // A correlation's own deviation is 1/√100,000 = 0.0032.
    expect(Math.abs(successive / draws.length)).toBeLessThan(0.0126);
    expect(Math.abs(across / draws.length)).toBeLessThan(0.0126);
  });

  it("uses its low bits too", () => {
    let odd = 0;
    for (const u of draws) odd += (u * 2 ** 40) % 2 >= 1 ? 1 : 0;
    expect(Math.abs(odd / draws.length - 0.5)).toBeLessThan(0.0063);
  });
});

it("integerBelow gives each number below n equally often, and never n", () => {
  const key = deriveKey(9);
  const bins = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) bins[integerBelow(key, i, 7)]!++;
  expect(bins.length).toBe(7);
  // 6 degrees of freedom: above 22.5 once in a thousand seeds.
  expect(bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(22.5);
});

it("normal has mean 0, variance 1, no skew and the tails of a normal", () => {
  const key = deriveKey(10);
  const n = 50_000;
  const draws = Array.from({ length: n }, (_, i) => normal(key, i));
  const moment = (power: number) => draws.reduce((sum, x) => sum + x ** power, 0) / n;
  // Four deviations of each moment's estimate: √(1/n), √(2/n), √(15/n), √(96/n).
  expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / n));
  expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / n));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
});

describe("permutation", () => {
  it("holds every number once and depends on the key", () => {
    const order = permutation(deriveKey(1, 1), 1000);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
    expect(permutation(deriveKey(1, 1), 1000)).toEqual(order);
    expect(permutation(deriveKey(1, 2), 1000)).not.toEqual(order);
  });

  it("gives each of the six orders of three numbers equally often", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = permutation(deriveKey(4, i), 3).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // 5 degrees of freedom: above 20.5 once in a thousand seeds.
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(20.5);
  });

  it("of nothing or of one is what it must be", () => {
    expect([...permutation(deriveKey(1), 0)]).toEqual([]);
    expect([...permutation(deriveKey(1), 1)]).toEqual([0]);
  });
});
