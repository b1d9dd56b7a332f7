import { describe, expect, it } from "vitest";
import type { Pair } from "../../src/data/pair.js";
import { DAMAGE_KINDS, PROBE_KINDS } from "../../src/reward/damage.js";
import { chrfReward } from "../../src/reward/metric.js";
import { blindSpots, blindSpotWords, probeCases, probeReward, worstCases } from "../../src/reward/probe.js";
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

const named: Pair[] = ["Anna", "Berlin", "Oslo", "Martin"].map((name, i) => ({
  source: `Der Hund ${i} und die Katze sehen ${name} heute in der Stadt.`,
  target: `The dog ${i} and the cat see ${name} in the town today.`,
}));

const constant: Reward = {
  name: "constant",
  needsReference: false,
  score: async (batch) => batch.map(() => 0.5),
};

describe("what no reward is taught", () => {
  it("chrF notices names, other languages, shuffled and empty texts too", async () => {
    const rows = await probeReward(chrfReward(), named, key, { kinds: PROBE_KINDS.slice(-4) });
    expect(rows.map(({ kind, pairs, noticed }) => [kind, pairs, noticed])).toEqual([
      ["shuffled", 4, 1],
      ["names", 4, 1],
      ["wrongLanguage", 4, 1],
      ["empty", 4, 1],
    ]);
  });

  it("a changed name differs from its reference in that word alone, and is a name of the corpus", async () => {
    const cases = await probeCases(chrfReward(), named, key, { kinds: ["names"] });
    for (const { reference, damaged } of cases) {
      const before = reference.split(" ");
      const changed = damaged.split(" ").filter((word, i) => word !== before[i]);
      expect(changed).toHaveLength(1);
      expect(["Anna", "Berlin", "Oslo", "Martin"]).toContain(changed[0]);
    }
  });

  it("the wrong language is another pair's source, a shuffled text the same words in another order", async () => {
    const wrong = await probeCases(chrfReward(), named, key, { kinds: ["wrongLanguage"] });
    for (const { source, damaged } of wrong) {
      expect(damaged).not.toBe(source);
      expect(named.map((pair) => pair.source)).toContain(damaged);
    }
    const shuffled = await probeCases(chrfReward(), named, key, { kinds: ["shuffled"] });
    for (const { reference, damaged } of shuffled) {
      expect(damaged).not.toBe(reference);
      expect(damaged.split(" ").sort()).toEqual(reference.split(" ").sort());
    }
  });
});

describe("worstCases", () => {
  it("the most rewarded damage comes first, of the kind asked for alone", async () => {
    const byLength: Reward = {
      ...constant,
      score: async (batch) => batch.map(({ candidate }) => Math.min(1, candidate.length / 200)),
    };
    const cases = await probeCases(byLength, pairs, key, { kinds: ["inventedTail", "cut"] });
    const worst = worstCases(cases, "inventedTail", 3);
    const gains = worst.map(({ damaged, reference }) => damaged.length - reference.length);
    expect(gains).toHaveLength(3);
    const all = cases
      .filter(({ kind }) => kind === "inventedTail")
      .map(({ damaged, reference }) => damaged.length - reference.length);
    expect(gains).toEqual(all.sort((a, b) => b - a).slice(0, 3));
    expect(worstCases(cases, "cut", 100).map(({ kind }) => kind)).toEqual(new Array(30).fill("cut"));
  });
});

describe("blindSpots", () => {
  it("a reward that never changes is blind to everything, chrF to nothing", async () => {
    const rows = await probeReward(constant, named, key, { kinds: PROBE_KINDS });
    expect(blindSpots(rows).map(({ kind }) => kind)).toEqual(
      rows.filter(({ pairs }) => pairs > 0).map(({ kind }) => kind),
    );
    expect(blindSpots(await probeReward(chrfReward(), named, key, { kinds: PROBE_KINDS }))).toEqual([]);
  });

  it("a share of 80 % is enough, less is not; the blindest comes first, and an untried kind is no blind spot", () => {
    const rows = [0.8, 0.79, 0.1, Number.NaN].map((noticed) => ({ noticed }));
    expect(blindSpots(rows)).toEqual([{ noticed: 0.1 }, { noticed: 0.79 }]);
    expect(blindSpotWords([{ kind: "doubled", noticed: 0.124 }])).toBe("words doubled (12 %)");
  });
});
