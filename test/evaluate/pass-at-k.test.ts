import { expect, test } from "vitest";
import { majorityAtK, passAtK } from "../../src/evaluate/pass-at-k.js";

test("pass@k by hand", () => {
  // 4 attempts, 1 right: C(3,2) = 3 of C(4,2) = 6 pairs hold no right one.
  expect(passAtK(4, 1, 2)).toBeCloseTo(0.5, 12);
  // 5 attempts, 2 right: 1 − C(3,2)/C(5,2) = 1 − 3/10.
  expect(passAtK(5, 2, 2)).toBeCloseTo(0.7, 12);
  expect(passAtK(5, 2, 1)).toBeCloseTo(0.4, 12);
  expect(passAtK(5, 0, 3)).toBe(0);
  expect(passAtK(5, 3, 3)).toBe(1);
  expect(passAtK(200, 3, 10)).toBeCloseTo(1 - (190 * 189 * 188) / (200 * 199 * 198), 12);
  expect(() => passAtK(4, 1, 5)).toThrow(RangeError);
});

test("pass@k is the share of subsets that hold a right one", () => {
  const n = 9;
  const subsets = Array.from({ length: 2 ** n }, (_, bits) =>
    Array.from({ length: n }, (_, i) => (bits >> i) & 1),
  );
  for (let c = 0; c <= n; c++)
    for (let k = 1; k <= n; k++) {
      const ofSize = subsets.filter((chosen) => chosen.filter(Boolean).length === k);
      const solved = ofSize.filter((chosen) => chosen.slice(0, c).some(Boolean)).length;
      expect(passAtK(n, c, k), `c ${c}, k ${k}`).toBeCloseTo(solved / ofSize.length, 12);
    }
});

test("maj@k by hand", () => {
  const attempts = ["7", "7", "3"];
  // Of the pairs {7,7}, {7,3}, {7,3} the first wins, the others are a tie of two.
  expect(majorityAtK(attempts, "7", 2)).toBeCloseTo((1 + 0.5 + 0.5) / 3, 12);
  expect(majorityAtK(attempts, "7", 3)).toBeCloseTo(1, 12);
  expect(majorityAtK(attempts, "3", 3)).toBe(0);
  expect(majorityAtK(attempts, "3", 1)).toBeCloseTo(1 / 3, 12);
  // Without an answer there is no vote: {7, none} is won by 7, {none, none} by nobody.
  expect(majorityAtK(["7", undefined, undefined], "7", 2)).toBeCloseTo(2 / 3, 12);
  expect(majorityAtK([undefined, undefined], "7", 2)).toBe(0);
});

test("maj@k is the mean over all subsets", () => {
  const attempts = ["a", "b", "a", "c", undefined, "b", "a", "d", "c", "c"];
  for (let k = 1; k <= attempts.length; k++)
    for (const right of ["a", "b", "c", "d", "e"])
      expect(majorityAtK(attempts, right, k)).toBeCloseTo(overSubsets(attempts, right, k), 10);
});

test("maj@k of many attempts neither overflows nor vanishes", () => {
  const attempts = Array.from({ length: 3000 }, (_, i) => (i % 5 < 3 ? "right" : `wrong ${i % 7}`));
  const found = majorityAtK(attempts, "right", 40);
  expect(found).toBeGreaterThan(0.999);
  expect(found).toBeLessThanOrEqual(1 + 1e-9);
});

/** The same by making every subset. */
function overSubsets(attempts: readonly (string | undefined)[], right: string, k: number): number {
  let sum = 0;
  let subsets = 0;
  for (let bits = 0; bits < 2 ** attempts.length; bits++) {
    const chosen = attempts.filter((_, i) => (bits >> i) & 1);
    if (chosen.length !== k) continue;
    subsets++;
    const counts = new Map<string, number>();
    for (const one of chosen) if (one !== undefined) counts.set(one, (counts.get(one) ?? 0) + 1);
    const most = Math.max(0, ...counts.values());
    const winners = [...counts].filter(([, count]) => count === most).map(([answer]) => answer);
    if (winners.includes(right)) sum += 1 / winners.length;
  }
  return sum / subsets;
}
