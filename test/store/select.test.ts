import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { CandidateStore } from "../../src/store/candidate-store.js";
import { type Candidate, CandidateWriter, HUMAN_SAMPLE_ID } from "../../src/store/candidates.js";
import {
  randomControl,
  type SelectRule,
  type SelectSpec,
  selectCandidates,
  thresholdBelowMean,
} from "../../src/store/select.js";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

type Row = Pick<Candidate, "sourceId" | "sampleId" | "reward"> & Partial<Candidate>;

async function withStore<T>(rows: readonly Row[], use: (store: CandidateStore) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "coppice-select-"));
  folders.push(folder);
  const writer = await CandidateWriter.open(join(folder, "candidates.parquet"), { runId: "r" });
  writer.append(rows.map(complete));
  await writer.finish();
  const store = await CandidateStore.open(folder);
  try {
    return await use(store);
  } finally {
    store.close();
  }
}

function complete(row: Row): Candidate {
  return {
    grow: 1,
    source: `source ${row.sourceId}`,
    text: `text ${row.sourceId} ${row.sampleId}`,
    tokens: [],
    logProbs: [],
    sampleLogProbs: [],
    finished: true,
    origin: row.sampleId === HUMAN_SAMPLE_ID ? "human" : "policy",
    ...row,
  };
}

type Loose = Omit<SelectSpec, "human"> & Partial<Pick<SelectSpec, "human">>;

/** Keys `source/sample` of what is kept. */
async function keptOf(store: CandidateStore, spec: Loose, seed = 1): Promise<string[]> {
  const selection = await selectCandidates(store, { minimum: 0, human: "filtered", ...spec }, { seed });
  const keys: string[] = [];
  for await (const chunk of selection.rows())
    keys.push(...chunk.map((row) => `${row.sourceId}/${row.sampleId}`));
  expect(keys).toHaveLength(selection.kept);
  return keys;
}

/**
 * By hand: source 0 has rewards 0.2 0.4 0.6 0.8 (mean of them 0.5), source 1 has 0.5 0.5 0.5 and a pair at 0.5,
 * source 2 has a pair at 0.1, an unfinished 1.0, an empty 0.9 and a good 0.3.
 */
const TABLE: Row[] = [
  { sourceId: 0, sampleId: 0, reward: 0.2, text: "aa" },
  { sourceId: 0, sampleId: 1, reward: 0.8, text: "bbbb" },
  { sourceId: 0, sampleId: 2, reward: 0.6, text: "cccccc" },
  { sourceId: 0, sampleId: 3, reward: 0.4, text: "aa" },
  { sourceId: 1, sampleId: -1, reward: 0.5, text: "same" },
  { sourceId: 1, sampleId: 0, reward: 0.5, text: "same" },
  { sourceId: 1, sampleId: 1, reward: 0.5, text: "same" },
  { sourceId: 1, sampleId: 2, reward: 0.5, text: "other" },
  { sourceId: 2, sampleId: -1, reward: 0.1, text: "human" },
  { sourceId: 2, sampleId: 0, reward: 1.0, text: "cut", finished: false },
  { sourceId: 2, sampleId: 1, reward: 0.9, text: " \n" },
  { sourceId: 2, sampleId: 2, reward: 0.3, text: "fine" },
];

describe("rules, by hand", () => {
  const cases: [string, Loose, string[]][] = [
    [
      "a candidate equal to the threshold is dropped",
      { rule: { kind: "absolute", value: 0.5 } },
      ["0/1", "0/2"],
    ],
    [
      "just below, it is kept, human pairs like samples",
      { rule: { kind: "absolute", value: 0.4999999 } },
      ["0/1", "0/2", "1/-1", "1/0", "1/1", "1/2"],
    ],
    // Above 0.5: 2 of 4 samples of source 0, none of source 1, 2 of 3 of source 2 (cut and empty ones count).
    [
      "sources by their pass rate, both bounds included, the human pair with its source",
      { rule: { kind: "all" }, passRate: { least: 0, most: 0.5, above: 0.5 } },
      ["0/0", "0/1", "0/2", "0/3", "1/-1", "1/0", "1/1", "1/2"],
    ],
    [
      "a pass rate beside a threshold",
      { rule: { kind: "absolute", value: 0.25 }, passRate: { least: 0.5, most: 0.7, above: 0.5 } },
      ["0/1", "0/2", "0/3", "2/2"],
    ],
    // The 12 rewards in order: .1 .2 .3 .4 .5 .5 .5 .5 .6 .8 .9 1; 0.5 · 11 = 5.5, between .5 and .5.
    [
      "the median of D_g drops all that are equal to it",
      { rule: { kind: "quantile", q: 0.5 } },
      ["0/1", "0/2"],
    ],
    // Without the two pairs: .2 .3 .4 .5 .5 .5 .6 .8 .9 1; 0.25 · 9 = 2.25, between .4 and .5.
    [
      "a quantile without human pairs is that of the samples",
      { rule: { kind: "quantile", q: 0.25 }, human: "none" },
      ["0/1", "0/2", "1/0", "1/1", "1/2"],
    ],
    // Ranks 0.5 · 3 = 1.5: above .4 in source 0; source 1 is tied; source 2 between .3 and .9.
    [
      "half of each source, nothing of a tied one",
      { rule: { kind: "source-percentile", q: 0.5 } },
      ["0/1", "0/2"],
    ],
    [
      "percentile 0 drops the worst of each source",
      { rule: { kind: "source-percentile", q: 0 } },
      ["0/1", "0/2", "0/3", "2/2"],
    ],
    // γ = 0: above the mean, 0.5 in source 0, 0.5 in 1, 0.575 in 2.
    [
      "γ = 0 keeps what is above the source's mean",
      { rule: { kind: "source-interpolation", gamma: 0 } },
      ["0/1", "0/2"],
    ],
    // γ = 0.5: 0.5 · 0.8 + 0.5 · 0.5 = 0.65 in source 0.
    [
      "γ = 0.5 keeps what is above the middle of mean and maximum",
      { rule: { kind: "source-interpolation", gamma: 0.5 } },
      ["0/1"],
    ],
    [
      "γ = 1 keeps nothing: no candidate is above the maximum",
      { rule: { kind: "source-interpolation", gamma: 1 } },
      [],
    ],
    [
      "the best of each source, of equal ones the pair",
      { rule: { kind: "top", k: 1 } },
      ["0/1", "1/-1", "2/2"],
    ],
    [
      "the two best of each source that may be kept",
      { rule: { kind: "top", k: 2 } },
      ["0/1", "0/2", "1/-1", "1/0", "2/-1", "2/2"],
    ],
    [
      "human pairs kept whole pass every threshold",
      { rule: { kind: "absolute", value: 0.7 }, human: "all" },
      ["0/1", "1/-1", "2/-1"],
    ],
    [
      "human pairs kept whole take no sample's place",
      { rule: { kind: "top", k: 1 }, human: "all" },
      ["0/1", "1/-1", "1/0", "2/-1", "2/2"],
    ],
    ["unfinished and empty candidates are never kept", { rule: { kind: "absolute", value: 0.85 } }, []],
    [
      "of equal texts of a source one is kept, the pair first",
      { rule: { kind: "absolute", value: 0.1 }, deduplicate: true },
      ["0/0", "0/1", "0/2", "1/-1", "1/2", "2/2"],
    ],
    [
      "a count is filled from different texts",
      { rule: { kind: "top", k: 2 }, deduplicate: true },
      ["0/1", "0/2", "1/-1", "1/2", "2/-1", "2/2"],
    ],
    [
      "a cap keeps the best of a source",
      { rule: { kind: "absolute", value: 0 }, capPerSource: 1 },
      ["0/1", "1/-1", "2/2"],
    ],
    [
      "lengths are bounded in characters, both bounds included",
      { rule: { kind: "absolute", value: 0 }, minCharacters: 3, maxCharacters: 4 },
      ["0/1", "1/-1", "1/0", "1/1", "2/2"],
    ],
  ];
  it("of the table above", async () => {
    await withStore(TABLE, async (store) => {
      for (const [fact, spec, keys] of cases) expect(await keptOf(store, spec), fact).toEqual(keys);
    });
  });

  it("equal rewards never pass their own source's threshold, whatever rounding does to it", async () => {
    // Interpolated between equal doubles, 95 of 1000 such quantiles come out wrong in the last bit.
    const rows = Array.from({ length: 1000 * 7 }, (_, i) => ({
      sourceId: Math.floor(i / 7),
      sampleId: i % 7,
      reward: Math.floor(i / 7) / 1009,
    }));
    await withStore(rows, async (store) => {
      expect(await keptOf(store, { rule: { kind: "source-percentile", q: 0.37 } })).toEqual([]);
      for (const gamma of [0, 0.3, 1])
        expect(await keptOf(store, { rule: { kind: "source-interpolation", gamma } })).toEqual([]);
    });
  });
});

describe("figures", () => {
  it("are those counted by hand", async () => {
    await withStore(TABLE, async (store) => {
      const spec: SelectSpec = { rule: { kind: "quantile", q: 0.7 }, human: "filtered", minimum: 1 };
      // 0.7 · 11 = 7.7: rank 7 is 0.5; above it and whole are 0.8 and 0.6.
      const {
        spec: _spec,
        rows: _rows,
        rowsSql: _sql,
        ...figures
      } = await selectCandidates(store, spec, { seed: 1 });
      expect(figures).toEqual({
        threshold: "reward > 0.5 (quantile 0.7)",
        thresholdValue: 0.5,
        candidates: 12,
        kept: 2,
        keptShare: 2 / 12,
        keptHuman: 0,
        sources: 3,
        sourcesKept: 1,
        // 6.3 / 12 and 1.4 / 2, rounded once.
        meanReward: expect.closeTo(0.525, 14),
        meanRewardKept: expect.closeTo(0.7, 14),
        maxReward: 1,
        tiedSources: 1 / 3,
        // aa bbbb cccccc | same other | cut, blank, fine
        distinctCandidates: 8,
        meanTokens: Number.NaN,
        unfinishedShare: 0.1,
        unfinished: 1,
        empty: 1,
        warnings: [expect.stringContaining("0.5 is not above 0.525, the mean reward")],
      });
    });
  });

  it("a threshold equal to the mean is warned of, one above is not", () => {
    expect(thresholdBelowMean(0.7, 0.7)).toContain("Raise it");
    expect(thresholdBelowMean(0.71, 0.7)).toBeUndefined();
  });
});

describe("too few", () => {
  const select = (store: CandidateStore, value: number, minimum?: number) =>
    selectCandidates(
      store,
      { rule: { kind: "absolute", value }, human: "filtered", ...(minimum === undefined ? {} : { minimum }) },
      { seed: 1, place: { file: "run.yaml", line: 3 } },
    );

  it("nothing above the threshold names the highest reward and a threshold that keeps enough", async () => {
    await withStore(TABLE, async (store) => {
      const failing = select(store, 0.99);
      await expect(failing).rejects.toThrow(UserError);
      // Whole candidates: .8 .6 .5 .5 .5 .5 .4 .3 .2 .1; eight of them are above 0.299.
      await expect(failing).rejects.toThrow(
        "run.yaml:3: reward > 0.99 keeps 0 of 12 candidates, and at least 8 are needed; the highest reward seen is 1. " +
          "A threshold of 0.299 would keep 8.",
      );
      expect((await select(store, 0.299)).kept).toBe(8);
    });
  });

  it("human pairs that are kept whatever the rule do not make up for samples", async () => {
    const rows = Array.from({ length: 20 }, (_, i) => [
      { sourceId: i, sampleId: -1, reward: 0.1 },
      { sourceId: i, sampleId: 0, reward: i / 20 },
    ]).flat();
    await withStore(rows, async (store) => {
      const spec = (value: number): SelectSpec => ({ rule: { kind: "absolute", value }, human: "all" });
      // Samples above 0.6: those of 0.65 to 0.95, seven of them; with that of 0.6, eight.
      await expect(selectCandidates(store, spec(0.6), { seed: 1 })).rejects.toThrow(
        "reward > 0.6 keeps 7 of 40 candidates besides the human pairs, and at least 8 are needed; " +
          "the highest reward seen is 0.95. A threshold of 0.599 would keep 8.",
      );
      const kept = await selectCandidates(store, spec(0.599), { seed: 1 });
      expect([kept.kept, kept.keptHuman]).toEqual([28, 20]);
    });
  });

  it("a quantile among equal rewards keeps nothing, and a threshold by value is named as such", async () => {
    const rows = Array.from({ length: 2000 }, (_, i) => ({ sourceId: i, sampleId: 0, reward: 0.5 }));
    await withStore(rows, async (store) => {
      const spec: SelectSpec = { rule: { kind: "quantile", q: 0.7 }, human: "none" };
      await expect(selectCandidates(store, spec, { seed: 1 })).rejects.toThrow(
        "reward > 0.5 (quantile 0.7) keeps 0 of 2,000 candidates, and at least 8 are needed; the highest reward seen is 0.5. " +
          "A threshold of kind absolute of 0.499 would keep 2,000.",
      );
    });
  });

  it("when nothing can help, it says to sample more", async () => {
    await withStore(TABLE, async (store) => {
      await expect(select(store, 0.5, 11)).rejects.toThrow(/Only 10 are finished, not empty.*sample more/);
    });
  });

  it("rewards of 0 point at the reward", async () => {
    const rows = Array.from({ length: 10 }, (_, i) => ({ sourceId: i, sampleId: 0, reward: 0 }));
    await withStore(rows, async (store) => {
      await expect(select(store, 0.5)).rejects.toThrow("look at the reward");
    });
  });

  it("candidates without a reward are not filtered", async () => {
    await withStore([{ sourceId: 0, sampleId: 0, reward: null }], async (store) => {
      await expect(select(store, 0.5)).rejects.toThrow("1 of 1 candidates have no reward. Score them first");
    });
  });
});

it("everything is kept without a threshold, and without a warning", async () => {
  await withStore(TABLE, async (store) => {
    const spec: SelectSpec = { rule: { kind: "all" }, human: "filtered" };
    const { kept, threshold, thresholdValue, warnings } = await selectCandidates(store, spec, { seed: 1 });
    // All but the one that was cut and the empty one.
    expect([kept, threshold, thresholdValue, warnings]).toEqual([10, "all candidates", undefined, []]);
  });
});

describe("the random control", () => {
  const rows = Array.from({ length: 2000 }, (_, i) => ({
    sourceId: Math.floor(i / 20),
    sampleId: (i % 20) - 1,
    reward: ((i * 7919) % 997) / 997,
  }));

  it("has the size of the selection, draws alike for one seed and otherwise for another", async () => {
    await withStore(rows, async (store) => {
      const spec: SelectSpec = { rule: { kind: "quantile", q: 0.8 }, human: "filtered", capPerSource: 3 };
      const selection = await selectCandidates(store, spec, { seed: 1 });
      const control = randomControl(selection);
      const drawn = await keptOf(store, control);
      expect(drawn).toHaveLength(selection.kept);
      expect(await keptOf(store, control)).toEqual(drawn);
      expect(await keptOf(store, control, 2)).not.toEqual(drawn);
    });
  });

  it("does not prefer high rewards", async () => {
    await withStore(rows, async (store) => {
      const spec: SelectSpec = { rule: { kind: "random", count: 500 }, human: "filtered", minimum: 1 };
      const { meanReward, meanRewardKept } = await selectCandidates(store, spec, { seed: 3 });
      // Uniform rewards: the mean of 500 deviates by 0.29/√500 = 0.013; five of those.
      expect(Math.abs(meanRewardKept - meanReward)).toBeLessThan(0.065);
    });
  });

  it("is named with its size, thousands apart as in every table", async () => {
    await withStore(rows, async (store) => {
      const spec: SelectSpec = { rule: { kind: "random", count: 1500 }, human: "filtered", minimum: 1 };
      expect((await selectCandidates(store, spec, { seed: 3 })).threshold).toBe("1,500 at random");
    });
  });

  it("with human pairs kept whole, keeps them and draws as many samples as the selection kept", async () => {
    await withStore(rows, async (store) => {
      const spec: SelectSpec = { rule: { kind: "absolute", value: 0.9 }, human: "all" };
      const selection = await selectCandidates(store, spec, { seed: 1 });
      const control = await selectCandidates(store, randomControl(selection), { seed: 1 });
      expect(control.kept).toBe(selection.kept);
      expect([selection.keptHuman, control.keptHuman]).toEqual([100, 100]);
    });
  });
});

/** The filters again, naively. */
function naive(rows: readonly Candidate[], spec: SelectSpec, seed: number): string[] {
  const { rule } = spec;
  const rewardOf = (row: Candidate) => row.reward ?? Number.NaN;
  const pool = rows.filter((row) => spec.human !== "none" || row.origin === "policy");
  const free = (row: Candidate) => spec.human === "all" && row.origin === "human";
  const quantile = (rewards: number[], q: number) =>
    rewards.sort((a, b) => a - b)[Math.floor(q * (rewards.length - 1) + 1e-9)]!;
  const rewards = (of: readonly Candidate[]) => of.map(rewardOf);
  const siblings = (row: Candidate) => pool.filter((other) => other.sourceId === row.sourceId);
  const random = (row: Candidate) =>
    createHash("md5").update(`${seed}/${row.grow}/${row.sourceId}/${row.sampleId}`).digest("hex");
  const size = (row: Candidate) => [...row.text.trim()].length;

  let kept = pool.filter(
    (row) =>
      row.finished &&
      size(row) > 0 &&
      (free(row) ||
        (size(row) >= (spec.minCharacters ?? 0) &&
          size(row) <= (spec.maxCharacters ?? Infinity) &&
          size(row) / Array.from(row.source.trim()).length >= (spec.lengthRatio?.[0] ?? 0) &&
          size(row) / Array.from(row.source.trim()).length <= (spec.lengthRatio?.[1] ?? Infinity) &&
          repeated(row.text) <= (spec.maxRepetition ?? 1))),
  );
  if (spec.passRate) {
    const { least, most, above } = spec.passRate;
    const share = (row: Candidate) => {
      const samples = siblings(row).filter(({ origin }) => origin === "policy");
      return samples.filter((sample) => rewardOf(sample) > above).length / samples.length;
    };
    kept = kept.filter((row) => free(row) || (share(row) >= least && share(row) <= most));
  }
  const deduplicate = () => {
    kept = kept.filter(
      (row) =>
        !kept.some(
          (other) =>
            other.sourceId === row.sourceId && other.text === row.text && other.sampleId < row.sampleId,
        ),
    );
  };
  const ranked = (order: (a: Candidate, b: Candidate) => number, row: Candidate) =>
    kept
      .filter((other) => other.sourceId === row.sourceId && !free(other))
      .sort(order)
      .indexOf(row);
  const best = (a: Candidate, b: Candidate) => rewardOf(b) - rewardOf(a) || a.sampleId - b.sampleId;
  const drawn = (a: Candidate, b: Candidate) => (random(a) < random(b) ? -1 : 1);
  const counts = rule.kind === "top" || rule.kind === "random";
  if (spec.deduplicate && counts) deduplicate();
  const chosen = new Set(
    rule.kind === "random"
      ? kept
          .filter((row) => !free(row))
          .sort(drawn)
          .slice(0, rule.count)
      : [],
  );
  const passes = (row: Candidate): boolean => {
    switch (rule.kind) {
      case "all":
        return true;
      case "absolute":
        return rewardOf(row) > rule.value;
      case "quantile":
        return rewardOf(row) > quantile(rewards(pool), rule.q);
      case "source-percentile":
        return rewardOf(row) > quantile(rewards(siblings(row)), rule.q);
      case "source-interpolation": {
        const all = rewards(siblings(row));
        const mean = all.reduce((sum, reward) => sum + reward, 0) / all.length;
        return rewardOf(row) > rule.gamma * Math.max(...all) + (1 - rule.gamma) * mean;
      }
      case "top":
        return ranked(best, row) < rule.k;
      case "random":
        return chosen.has(row);
    }
  };
  kept = kept.filter((row) => free(row) || passes(row));
  if (spec.deduplicate && !counts) deduplicate();
  const { capPerSource } = spec;
  if (capPerSource !== undefined)
    kept = kept.filter(
      (row) => free(row) || ranked(rule.kind === "random" ? drawn : best, row) < capPerSource,
    );
  return kept
    .sort((a, b) => a.sourceId - b.sourceId || a.sampleId - b.sampleId)
    .map((row) => `${row.sourceId}/${row.sampleId}`);
}

/** Share of words inside one to four words that equal as many before them, by trying every place. */
function repeated(text: string): number {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const inside = new Set<number>();
  for (const n of [1, 2, 3, 4])
    for (let start = n; start + n <= words.length; start++)
      if (words.slice(start, start + n).join(" ") === words.slice(start - n, start).join(" "))
        for (let i = start; i < start + n; i++) inside.add(i);
  return inside.size / Math.max(1, words.length);
}

it("a percentile is the same rank whether sources have few different numbers of candidates or many", async () => {
  const rows = Array.from({ length: 14 }, (_, sourceId) =>
    Array.from({ length: sourceId + 1 }, (_, sampleId) => ({
      sourceId,
      sampleId,
      reward: ((sampleId * 7) % 11) / 16,
    })),
  ).flat();
  for (const q of [0, 0.29, 0.5, 0.9]) {
    const rule = { kind: "source-percentile" as const, q };
    const spec: SelectSpec = { rule, human: "filtered", minimum: 0 };
    await withStore(rows, async (store) => {
      expect(await keptOf(store, spec)).toEqual(naive(rows.map(complete), spec, 1));
    });
    for (const sourceId of [2, 9, 10]) {
      const one = rows.filter((row) => row.sourceId === sourceId);
      await withStore(one, async (store) => {
        expect(await keptOf(store, spec)).toEqual(naive(one.map(complete), spec, 1));
      });
    }
  }
});

describe("any filter on any table", () => {
  // Sixteenths, and sources of 1, 2, 4 or 8 candidates, so that means are exact and equality is not a matter of rounding.
  const source = fc.constantFrom(1, 2, 4, 8).chain((size) =>
    fc.array(
      fc.record({
        reward: fc.integer({ min: 0, max: 16 }).map((n) => n / 16),
        text: fc.constantFrom("a", "b", "ccc", "dddd 🌱", "", " ", "so so", "no  no no yes", " it is it is "),
        finished: fc.boolean(),
      }),
      { minLength: size, maxLength: size },
    ),
  );
  const table = fc
    .tuple(fc.array(source, { minLength: 1, maxLength: 6 }), fc.boolean())
    .map(([sources, pairs]) =>
      sources.flatMap((rows, sourceId) =>
        rows.map((row, i) => {
          const sampleId = pairs ? i - 1 : i;
          return complete({
            sourceId,
            sampleId,
            ...row,
            finished: row.finished || sampleId === HUMAN_SAMPLE_ID,
          });
        }),
      ),
    );
  const share = fc.integer({ min: 0, max: 7 }).map((n) => n / 8);
  const rule: fc.Arbitrary<SelectRule> = fc.oneof(
    fc.record({ kind: fc.constant("all" as const) }),
    fc.record({ kind: fc.constant("absolute" as const), value: share }),
    fc.record({ kind: fc.constant("quantile" as const), q: share }),
    fc.record({ kind: fc.constant("source-percentile" as const), q: share }),
    fc.record({ kind: fc.constant("source-interpolation" as const), gamma: share }),
    fc.record({ kind: fc.constant("top" as const), k: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant("random" as const), count: fc.integer({ min: 0, max: 20 }) }),
  );
  const spec = fc.record(
    {
      rule,
      human: fc.constantFrom("filtered" as const, "all" as const, "none" as const),
      minimum: fc.constant(0),
      deduplicate: fc.boolean(),
      capPerSource: fc.integer({ min: 1, max: 3 }),
      minCharacters: fc.integer({ min: 1, max: 3 }),
      maxCharacters: fc.integer({ min: 1, max: 6 }),
      // A source has eight characters.
      lengthRatio: fc.constantFrom([0.1, 0.3] as const, [0.25, 1] as const, [0, 0.8] as const),
      maxRepetition: fc.constantFrom(0, 0.4, 0.5),
      passRate: fc.constantFrom(
        { least: 0.25, most: 0.75, above: 0.5 },
        { least: 0, most: 0.5, above: 0.25 },
        { least: 1, most: 1, above: 0 },
      ),
    },
    { requiredKeys: ["rule", "human", "minimum"] },
  );

  it("keeps what the naive filter keeps", async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.array(spec, { minLength: 8, maxLength: 8 }), async (rows, specs) => {
        await withStore(rows, async (store) => {
          const sampled = rows.some((row) => row.origin === "policy");
          for (const one of specs)
            if (one.human === "none" && !sampled) await expect(keptOf(store, one)).rejects.toThrow(UserError);
            else expect(await keptOf(store, one, 5), JSON.stringify(one)).toEqual(naive(rows, one, 5));
        });
      }),
      { numRuns: 20, seed: 20230817 },
    );
  }, 180_000);
});
