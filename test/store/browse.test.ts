import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type BrowseFilter,
  type BrowseOrder,
  CandidateBrowser,
  type Cursor,
  type ListedCandidate,
} from "../../src/store/browse.js";
import { CandidateStore } from "../../src/store/candidate-store.js";
import { type Candidate, CandidateWriter, HUMAN_SAMPLE_ID } from "../../src/store/candidates.js";
import { selectCandidates } from "../../src/store/select.js";

const SOURCES = 60;
const SAMPLES = 7;

/** A number in [0, 1) that depends on the key alone. */
const noise = (key: number) => ((key * 2654435761) % 1009) / 1009;

/** Rewards on the edges of the table, beside them, equal ones, and some that are missing. */
function rewardOf(i: number): number | null {
  if (i % 11 === 0) return (i % 201) / 200;
  if (i % 13 === 0) return null;
  if (i % 17 === 0) return 0.29;
  if (i % 19 === 0) return 0;
  return noise(i);
}

const rows: Candidate[] = Array.from({ length: SOURCES * (SAMPLES + 1) }, (_, i) => {
  const sourceId = 3 * Math.floor(i / (SAMPLES + 1));
  const sampleId = (i % (SAMPLES + 1)) - 1;
  const human = sampleId === HUMAN_SAMPLE_ID;
  const tokens = human ? [] : [1, 2, 3].slice(0, 1 + (i % 3));
  const text =
    i % 37 === 0 ? " " : `${"x".repeat(i % 5)} Word${i % 23} of 100% ${i % 7 === 0 ? "ÄPFEL" : "pears"}`;
  return {
    grow: 1,
    sourceId,
    sampleId,
    source: `Quelle ${sourceId} 'quoted'`,
    text,
    tokens,
    logProbs: tokens.map(() => -0.5),
    sampleLogProbs: tokens.map(() => -0.5),
    finished: human || i % 5 !== 0,
    reward: rewardOf(i),
    origin: human ? "human" : "policy",
  };
});

let folder: string;
let browser: CandidateBrowser;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "coppice-browse-"));
  const writer = await CandidateWriter.open(join(folder, "candidates.parquet"), { runId: "r" });
  writer.append(rows);
  await writer.finish();
  browser = await CandidateBrowser.open(folder, { runId: "r" });
});
afterAll(() => {
  browser.close();
  rmSync(folder, { recursive: true });
});

const keyOf = ({ sourceId, sampleId }: Pick<Candidate, "sourceId" | "sampleId">) => `${sourceId}/${sampleId}`;
const keepable = ({ finished, text }: Candidate) => finished && text.trim() !== "";
const characters = (text: string) => [...text.trim()].length;

describe("the table of what thresholds keep", () => {
  it("agrees with a count by hand at every threshold", async () => {
    const table = await browser.keptTable();
    for (let k = 0; k <= 200; k++) {
      const kept = rows.filter((row) => keepable(row) && row.reward !== null && row.reward > k / 200);
      expect(table.kept[k], `τ = ${k / 200}`).toBe(kept.length);
      expect(table.sourcesKept[k]).toBe(new Set(kept.map(({ sourceId }) => sourceId)).size);
      const mean = kept.reduce((sum, { reward }) => sum + reward!, 0) / kept.length;
      if (kept.length === 0) expect(table.meanReward[k]).toBeNull();
      else expect(table.meanReward[k]).toBeCloseTo(mean, 12);
    }
  });

  it("agrees with the filter that Improve trains by", async () => {
    const scored = mkdtempSync(join(tmpdir(), "coppice-browse-"));
    const writer = await CandidateWriter.open(join(scored, "candidates.parquet"), { runId: "r" });
    writer.append(rows.filter(({ reward }) => reward !== null));
    await writer.finish();
    const store = await CandidateStore.open(scored);
    const own = await CandidateBrowser.open(scored);
    try {
      const table = await own.keptTable();
      for (const k of [0, 57, 58, 59, 100, 150]) {
        const selection = await selectCandidates(
          store,
          { rule: { kind: "absolute", value: k / 200 }, human: "filtered", minimum: 1 },
          { seed: 1 },
        );
        expect(table.kept[k]).toBe(selection.kept);
        expect(table.sourcesKept[k]).toBe(selection.sourcesKept);
        expect(table.meanReward[k]).toBeCloseTo(selection.meanRewardKept, 12);
        expect(table.meanOfAll).toBeCloseTo(selection.meanReward, 12);
      }
    } finally {
      own.close();
      store.close();
      rmSync(scored, { recursive: true });
    }
  });

  it("counts every scored candidate once in the histogram", async () => {
    const { histogram, candidates, unscored, human, sources } = await browser.keptTable();
    expect(histogram).toHaveLength(200);
    expect(histogram.reduce((a, b) => a + b)).toBe(candidates - unscored);
    expect(histogram[199]).toBe(
      rows.filter(({ reward }) => reward !== null && reward > 199 / 200 && reward <= 1).length,
    );
    expect({ candidates, unscored, human, sources }).toEqual({
      candidates: rows.length,
      unscored: rows.filter(({ reward }) => reward === null).length,
      human: SOURCES,
      sources: SOURCES,
    });
  });
});

/** All pages of a list, each of `limit` rows. */
async function all(filter: BrowseFilter, order: BrowseOrder, limit = 25): Promise<ListedCandidate[]> {
  const found: ListedCandidate[] = [];
  let after: Cursor | undefined;
  for (let pages = 0; pages < 100; pages++) {
    const page = await browser.list(filter, order, limit, after);
    expect(page.rows.length).toBeLessThanOrEqual(limit);
    found.push(...page.rows);
    if (!page.next) return found;
    after = page.next;
  }
  throw new Error("the pages do not end");
}

const values = {
  reward: ({ reward }: Candidate) => reward,
  characters: ({ text }: Candidate) => characters(text),
  source: ({ sourceId }: Candidate) => sourceId,
};

function naive(order: BrowseOrder, chosen = rows): string[] {
  const read = values[order.by];
  return chosen
    .toSorted((a, b) => {
      const [x, y] = [read(a), read(b)];
      if (x === null || y === null) {
        if (x !== y) return x === null ? 1 : -1;
      } else if (x !== y) return order.descending ? y - x : x - y;
      return a.sourceId - b.sourceId || a.sampleId - b.sampleId;
    })
    .map(keyOf);
}

describe("the list", () => {
  it.each(["reward", "characters", "source"] as const)(
    "is in the order of the %s, page by page",
    async (by) => {
      for (const descending of [true, false]) {
        const found = await all({}, { by, descending }, 17);
        expect(found.map(keyOf)).toEqual(naive({ by, descending }));
      }
    },
  );

  it("has what every filter lets through, and nothing else", async () => {
    const order = { by: "reward", descending: true } as const;
    const cases: [BrowseFilter, (row: Candidate) => boolean][] = [
      [
        { minReward: 0.29, maxReward: 0.5 },
        ({ reward }) => reward !== null && reward >= 0.29 && reward <= 0.5,
      ],
      [{ minCharacters: 21, maxCharacters: 22 }, ({ text }) => [21, 22].includes(characters(text))],
      [{ origin: "human" }, ({ origin }) => origin === "human"],
      [{ origin: "policy", finished: false }, ({ origin, finished }) => origin === "policy" && !finished],
      [
        { finished: true, minReward: 0.9 },
        ({ finished, reward }) => finished && reward !== null && reward >= 0.9,
      ],
    ];
    for (const [filter, holds] of cases) {
      const wanted = rows.filter(holds);
      expect(wanted.length).toBeGreaterThan(0);
      expect((await all(filter, order)).map(keyOf)).toEqual(naive(order, wanted));
    }
  });

  it("tells of a candidate what was stored of it", async () => {
    const found = await all({}, { by: "source", descending: false });
    for (const row of rows) {
      const shown = found.find((one) => keyOf(one) === keyOf(row))!;
      const { sourceId, sampleId, source, text, reward, finished, origin } = row;
      expect(shown).toEqual({
        ...{ sourceId, sampleId, source, text, reward, finished, origin },
        characters: characters(text),
      });
    }
  });
});

describe("a search", () => {
  async function searched(text: string, filter: BrowseFilter = {}, limit = 10): Promise<string[]> {
    const found: string[] = [];
    let after: Cursor | undefined;
    for (let pages = 0; pages < 200; pages++) {
      const page = await browser.search(text, filter, limit, after);
      found.push(...page.rows.map(keyOf));
      if (!page.next) {
        expect(page.searched).toBe(1);
        return found;
      }
      after = page.next;
    }
    throw new Error("the pages do not end");
  }

  it("finds words of candidates and of sources, whatever their case, in the order of the sources", async () => {
    const holds = (word: string) =>
      rows
        .filter(({ text, source }) => `${text}\n${source}`.toLowerCase().includes(word.toLowerCase()))
        .map(keyOf);
    for (const word of ["äpfel", "word7 ", "QUELLE 12 "]) {
      expect(holds(word).length).toBeGreaterThan(0);
      expect(await searched(word)).toEqual(holds(word));
    }
  });

  it("takes every sign as it stands", async () => {
    expect(await searched("100%")).toEqual(rows.filter(({ text }) => text.includes("100%")).map(keyOf));
    expect(await searched("1__%")).toEqual([]);
    expect(await searched("'quoted'")).toHaveLength(rows.length);
    expect(await searched("'; DROP TABLE listed; --")).toEqual([]);
    expect(await searched("$limit")).toEqual([]);
  });

  it("keeps to the filter", async () => {
    const wanted = rows.filter(({ text, origin }) => text.includes("ÄPFEL") && origin === "human");
    expect(await searched("äpfel", { origin: "human" })).toEqual(wanted.map(keyOf));
  });
});

describe("one source", () => {
  it("has its reference, its candidates from the best down, and its neighbours", async () => {
    const page = (await browser.source(6, 300))!;
    const own = rows.filter(({ sourceId }) => sourceId === 6);
    expect(page.reference).toMatchObject({ text: own[0]!.text, tokens: 0, logProbability: null });
    for (const { sampleId, tokens, logProbability } of page.candidates) {
      const stored = own.find((row) => row.sampleId === sampleId)!;
      expect({ tokens, logProbability }).toEqual({
        tokens: stored.tokens.length,
        logProbability: -0.5 * stored.tokens.length,
      });
    }
    expect(page.candidates.map(keyOf)).toEqual(
      naive(
        { by: "reward", descending: true },
        own.filter(({ origin }) => origin === "policy"),
      ),
    );
    expect(page).toMatchObject({ sourceId: 6, source: own[0]!.source, total: SAMPLES, previous: 3, next: 9 });
  });

  it("has no neighbour beyond the ends, and gives as many as asked for", async () => {
    expect(await browser.source(0, 2)).toMatchObject({ previous: null, total: SAMPLES });
    expect((await browser.source(0, 2))!.candidates).toHaveLength(2);
    expect(await browser.source(3 * (SOURCES - 1), 2)).toMatchObject({ next: null });
  });

  it("is undefined where there are no candidates", async () => {
    expect(await browser.source(1, 10)).toBeUndefined();
  });
});
