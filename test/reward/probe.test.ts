import { describe, expect, it } from "vitest";
import type { Pair } from "../../src/data/pair.js";
import { DAMAGE_KINDS } from "../../src/reward/damage.js";
import { chrfReward } from "../../src/reward/metric.js";
import { probeReward } from "../../src/reward/probe.js";
import type { Reward } from "../../src/reward/reward.js";
import { deriveKey } from "../../src/tensor/random.js";

const key = deriveKey(20, 5);
const subjects = ["man", "woman", "dog", "child", "girl", "boy"];
const places = ["snow", "garden", "kitchen", "street", "water"];
const pairs: Pair[] = subjects.flatMap((subject, i) =>
  places.map((place, j) => ({
    source: `Quelle ${i} ${j}`,
    target: `The ${subject} with the ${i + 2} red balls is playing in the ${place} today.`,
  })),
);

describe("probeReward", () => {
  it("chrF against the reference notices every kind of damage in every pair", async () => {
    const rows = await probeReward(chrfReward(), pairs, key);
    expect(rows.map(({ kind }) => kind)).toEqual(DAMAGE_KINDS);
    for (const { kind, pairs: tried, noticed, tied, meanLoss } of rows) {
      expect(tried, kind).toBe(30);
      expect(noticed, kind).toBe(1);
      expect(tied, kind).toBe(0);
      expect(meanLoss, kind).toBeGreaterThan(0);
    }
  });

  it("a reward of length is fooled by all that adds and sees all that takes away", async () => {
    const length: Reward = {
      name: "length",
      needsReference: false,
      score: async (batch) => batch.map(({ candidate }) => candidate.length / 1000),
    };
    const rows = await probeReward(length, pairs, key, {
      kinds: ["cut", "repeatedSpan", "swapped", "oneWord"],
    });
    const noticed = Object.fromEntries(rows.map((row) => [row.kind, [row.noticed, row.tied]]));
    expect(noticed).toEqual({ cut: [1, 0], repeatedSpan: [0, 0], swapped: [0, 1], oneWord: [1, 0] });
  });

  it("the mean loss is the reward of the reference less that of the damaged text", async () => {
    const knowing: Reward = {
      name: "knowing",
      needsReference: true,
      score: async (batch) => batch.map(({ candidate, reference }) => (candidate === reference ? 0.75 : 0.5)),
    };
    const [row] = await probeReward(knowing, pairs, key, { kinds: ["dropped"] });
    expect(row).toEqual({ kind: "dropped", pairs: 30, noticed: 1, tied: 0, meanLoss: 0.25 });
  });

  it("a kind that fits none of the texts has no share", async () => {
    const [row] = await probeReward(chrfReward(), [{ source: "Ja", target: "Yes" }], key, { kinds: ["cut"] });
    expect(row).toEqual({
      kind: "cut",
      pairs: 0,
      noticed: Number.NaN,
      tied: Number.NaN,
      meanLoss: Number.NaN,
    });
  });
});
