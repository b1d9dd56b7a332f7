import { describe, expect, it } from "vitest";
import type { Reward } from "../../src/reward/reward.js";
import { sumReward } from "../../src/reward/sum.js";

function constant(name: string, score: number): Reward {
  return { name, needsReference: false, score: async (batch) => batch.map(() => score) };
}

const input = { source: "Ein Hund", candidate: "a dog" };

describe("sumReward", () => {
  it("weights are divided by their sum", async () => {
    const sum = sumReward([
      { reward: constant("a", 1), weight: 3 },
      { reward: constant("b", 0.5), weight: 1 },
    ]);
    expect(sum.weights).toEqual({ a: 0.75, b: 0.25 });
    expect(await sum.score([input, input])).toEqual([0.875, 0.875]); // ¾·1 + ¼·½
    expect(sum.name).toBe("sum(0.75 a + 0.25 b)");
  });

  it("the parts' own scores are reported by name", async () => {
    const sum = sumReward([
      { reward: constant("a", 1), weight: 1 },
      { reward: constant("b", 0.5), weight: 1 },
    ]);
    expect(await sum.scoreParts([input])).toEqual({ total: [0.75], parts: { a: [1], b: [0.5] } });
  });

  it("perfect parts never add up to more than 1", async () => {
    for (let n = 1; n <= 60; n++) {
      const parts = Array.from({ length: n }, (_, i) => ({
        reward: constant(`r${i}`, 1),
        weight: 1 + i / 7,
      }));
      const [score] = await sumReward(parts).score([input]);
      expect(score).toBeLessThanOrEqual(1);
      expect(score).toBeCloseTo(1, 12);
    }
  });

  it("it needs references when a part does", async () => {
    const withReference = { ...constant("ref", 1), needsReference: true };
    expect(sumReward([{ reward: constant("a", 1), weight: 1 }]).needsReference).toBe(false);
    const both = sumReward([
      { reward: constant("a", 1), weight: 1 },
      { reward: withReference, weight: 1 },
    ]);
    expect(both.needsReference).toBe(true);
    await expect(both.score([input])).rejects.toThrow(
      'reward "ref" compares with a reference, and source "Ein Hund" has none',
    );
  });

  it("a bad number is blamed on the part that gave it", async () => {
    const sum = sumReward([
      { reward: constant("good", 0.5), weight: 1 },
      { reward: constant("bad", 1.5), weight: 1 },
    ]);
    await expect(sum.score([input])).rejects.toThrow('reward "bad" returned 1.5');
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("a weight of %d is an error", (weight) => {
    expect(() => sumReward([{ reward: constant("a", 1), weight }])).toThrow(
      `the weight of reward "a" is ${weight} but must be above 0; raise it or remove that reward`,
    );
  });

  it("no parts, or two parts of one name, are errors", () => {
    expect(() => sumReward([])).toThrow("has no parts");
    const twice = { reward: constant("a", 1), weight: 1 };
    expect(() => sumReward([twice, twice])).toThrow('two parts of a sum of rewards are called "a"');
  });

  it("closing the sum closes its parts", async () => {
    const closed: string[] = [];
    const part = (name: string) => ({
      weight: 1,
      reward: {
        ...constant(name, 1),
        close: async () => {
          closed.push(name);
        },
      },
    });
    await sumReward([part("a"), { reward: constant("b", 1), weight: 1 }, part("c")]).close?.();
    expect(closed).toEqual(["a", "c"]);
  });
});
