import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { CandidateStore } from "../../src/store/candidate-store.js";
import {
  type Candidate,
  CandidateWriter,
  humanCandidate,
  listParts,
  mergeParts,
  partPath,
  withRewards,
} from "../../src/store/candidates.js";

const runId = "run-a";
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-candidates-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function candidate(sourceId: number, sampleId: number, over: Partial<Candidate> = {}): Candidate {
  return {
    grow: 1,
    sourceId,
    sampleId,
    source: `source ${sourceId}`,
    text: `text ${sourceId} ${sampleId}`,
    tokens: [sourceId % 1000, sampleId, 2],
    logProbs: [-0.5, -0.25, -1],
    sampleLogProbs: [-0.75, -0.125, -2],
    finished: true,
    reward: null,
    origin: "policy",
    ...over,
  };
}

async function write(
  path: string,
  rows: readonly Candidate[],
  batch = rows.length,
  run = runId,
): Promise<void> {
  const writer = await CandidateWriter.open(path, { runId: run });
  for (let i = 0; i < rows.length; i += batch) writer.append(rows.slice(i, i + batch));
  await writer.finish();
}

const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const grid = (sources: number, samples: number) =>
  Array.from({ length: sources * samples }, (_, i) => candidate(Math.floor(i / samples), i % samples));

async function opened<T>(use: (store: CandidateStore) => Promise<T>, run = runId): Promise<T> {
  const store = await CandidateStore.open(folder, { runId: run });
  try {
    return await use(store);
  } finally {
    store.close();
  }
}

async function all(where?: string, order?: string): Promise<Candidate[]> {
  return opened(async (store) => {
    const rows: Candidate[] = [];
    for await (const chunk of store.rows(where, order)) rows.push(...chunk);
    return rows;
  });
}

describe("writing", () => {
  it("a row comes back as it went in, whatever its text holds", async () => {
    const rows = [
      humanCandidate(1, 0, { source: "Ein 'Haus'", target: 'a "house"' }),
      candidate(0, 0, { text: "line\nbreak\ttab \u0000 nul 🌱 中文", reward: 0.1 }),
      candidate(0, 1, { text: "", tokens: [2], logProbs: [-0.1], sampleLogProbs: [0], finished: false }),
      candidate(2 ** 40, 7, { reward: 1 }),
    ];
    await write(join(folder, "candidates.parquet"), rows);
    // Log-probabilities are kept in 32 bits.
    const kept = rows.map((row) => ({ ...row, logProbs: row.logProbs.map(Math.fround) }));
    expect(await all()).toEqual(kept);
  });

  it("the bytes depend on the rows only: not on batches, their order or the file's name", async () => {
    const rows = grid(700, 30);
    await write(join(folder, "a.parquet"), rows);
    await write(join(folder, "b.parquet"), rows, 13);
    await write(join(folder, "c.parquet"), rows.toReversed(), 999);
    expect(digest(join(folder, "b.parquet"))).toBe(digest(join(folder, "a.parquet")));
    expect(digest(join(folder, "c.parquet"))).toBe(digest(join(folder, "a.parquet")));
  });

  it("shards cut differently merge into the same bytes, and go", async () => {
    const rows = grid(40, 5);
    const cut = async (edges: readonly number[]) => {
      for (let i = 1; i < edges.length; i++) {
        const [first, end] = [edges[i - 1]!, edges[i]!];
        await write(
          partPath(folder, first, end - 1),
          rows.filter((row) => row.sourceId >= first && row.sourceId < end),
        );
      }
      const merged = digest(await mergeParts(folder, { runId }));
      expect(readdirSync(folder)).toEqual(["candidates.parquet"]);
      rmSync(join(folder, "candidates.parquet"));
      return merged;
    };
    expect(await cut([0, 40])).toBe(await cut([0, 7, 8, 33, 40]));
  });

  it("merging goes on where a killed process left it", async () => {
    await write(partPath(folder, 0, 1), grid(2, 2));
    const merged = await mergeParts(folder, { runId });
    const before = digest(merged);
    // Killed after the merge, before the shard was removed.
    await write(partPath(folder, 0, 1), grid(2, 2));
    await mergeParts(folder, { runId });
    expect(digest(merged)).toBe(before);
    expect(readdirSync(folder)).toEqual(["candidates.parquet"]);
  });

  it("shards are named by their sources and listed by number", async () => {
    for (const name of [
      "part-1000000-1000999.parquet",
      "part-000000-000999.parquet",
      "part-x.parquet",
      ".part-000000-000999.parquet.tmp-1-0",
    ])
      writeFileSync(join(folder, name), "");
    expect(listParts(folder).map(({ first, last }) => [first, last])).toEqual([
      [0, 999],
      [1000000, 1000999],
    ]);
    expect(partPath("grow-1", 0, 999)).toBe(join("grow-1", "part-000000-000999.parquet"));
  });

  it("shards with a source in common are refused", async () => {
    await write(partPath(folder, 0, 1), grid(2, 1));
    await write(partPath(folder, 1, 2), grid(1, 1));
    await expect(mergeParts(folder, { runId })).rejects.toThrow(/overlap/);
  });

  it("nothing is written before the end, nor when given up", async () => {
    const writer = await CandidateWriter.open(join(folder, "candidates.parquet"), { runId });
    writer.append(grid(3, 3));
    expect(writer.rows).toBe(9);
    expect(readdirSync(folder)).toEqual([]);
    writer.abort();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("a row whose log-probabilities do not match its tokens is a bug", async () => {
    const writer = await CandidateWriter.open(join(folder, "candidates.parquet"), { runId });
    expect(() => writer.append([candidate(0, 0, { logProbs: [] })])).toThrow("3 tokens but 0 and 3");
    writer.abort();
  });
});

describe("scores", () => {
  const scores = [
    [{ sourceId: 1, sampleId: 1, reward: 0.25 }],
    [
      { sourceId: 0, sampleId: 0, reward: 1 },
      { sourceId: 0, sampleId: 1, reward: 0 },
    ],
  ];

  it("join their candidates in any order, and say how many are missing", async () => {
    await write(join(folder, "candidates.parquet"), grid(2, 2));
    expect(await withRewards(folder, scores, { runId })).toEqual({ scored: 3, missing: 1 });
    expect((await all()).map((row) => row.reward)).toEqual([1, 0, null, 0.25]);
    const rest = [[{ sourceId: 1, sampleId: 0, reward: 0.5 }]];
    expect(await withRewards(folder, rest, { runId })).toEqual({ scored: 1, missing: 0 });
    expect((await all()).map((row) => row.reward)).toEqual([1, 0, 0.5, 0.25]);
  });

  it("give the bytes that writing scored rows would", async () => {
    await write(join(folder, "candidates.parquet"), grid(2, 2));
    await withRewards(
      folder,
      grid(2, 2).map((row) => [{ ...row, reward: row.sampleId / 8 }]),
      { runId },
    );
    await write(
      join(folder, "other.parquet"),
      grid(2, 2).map((row) => ({ ...row, reward: row.sampleId / 8 })),
    );
    expect(digest(join(folder, "candidates.parquet"))).toBe(digest(join(folder, "other.parquet")));
  });

  it("reach every shard of a folder", async () => {
    await write(partPath(folder, 0, 0), [candidate(0, 0), candidate(0, 1)]);
    await write(partPath(folder, 1, 1), [candidate(1, 0), candidate(1, 1)]);
    await withRewards(folder, scores, { runId });
    expect((await all()).map((row) => row.reward)).toEqual([1, 0, null, 0.25]);
  });

  it.each([
    ["outside [0, 1]", [{ sourceId: 0, sampleId: 0, reward: 1.5 }], "is 1.5"],
    ["NaN", [{ sourceId: 0, sampleId: 0, reward: Number.NaN }], "is NaN"],
    ["of nobody", [{ sourceId: 5, sampleId: 0, reward: 0 }], "does not hold"],
    [
      "given twice",
      [
        { sourceId: 0, sampleId: 0, reward: 0 },
        { sourceId: 0, sampleId: 0, reward: 1 },
      ],
      "2 rewards were given for 1",
    ],
  ])("a reward %s is refused and the file stays as it was", async (_, batch, message) => {
    await write(join(folder, "candidates.parquet"), grid(1, 2));
    const before = digest(join(folder, "candidates.parquet"));
    await expect(withRewards(folder, [batch], { runId })).rejects.toThrow(message);
    expect(digest(join(folder, "candidates.parquet"))).toBe(before);
    expect(readdirSync(folder)).toEqual(["candidates.parquet"]);
  });
});

describe("the store", () => {
  // Two sources: one with rewards 0.25, 0.75 and its pair at 1; one tied at 0.5 with equal texts, the second cut.
  const rows = [
    { ...humanCandidate(1, 0, { source: "source 0", target: "human" }), reward: 1 },
    candidate(0, 0, { reward: 0.25 }),
    candidate(0, 1, { reward: 0.75, text: " \t\u3000", tokens: [1], logProbs: [0], sampleLogProbs: [0] }),
    candidate(1, 0, { reward: 0.5, text: "same" }),
    candidate(1, 1, { reward: 0.5, text: "same", finished: false }),
  ];
  beforeEach(() => write(join(folder, "candidates.parquet"), rows));

  it("figures of D_g are those counted by hand", async () => {
    expect(await opened((store) => store.stats())).toEqual({
      candidates: 5,
      human: 1,
      sources: 2,
      unscored: 0,
      meanReward: 0.6,
      maxReward: 1,
      tiedSources: 0.5,
      distinctCandidates: 3,
      meanTokens: 2.5,
      unfinishedShare: 0.25,
      unfinished: 1,
      empty: 1,
    });
    const sampled = await opened((store) => store.stats({ human: false }));
    expect(sampled).toMatchObject({ candidates: 4, human: 0, meanReward: 0.5, maxReward: 0.75 });
  });

  it("counts, finds by source and gives the best, ties by source and sample", async () => {
    await opened(async (store) => {
      expect(await store.count()).toBe(5);
      expect(await store.count("origin = 'human'")).toBe(1);
      expect(await store.meanReward()).toBe(0.6);
      expect((await store.bySource(0)).map((row) => row.sampleId)).toEqual([-1, 0, 1]);
      expect((await store.best(4)).map((row) => row.text)).toEqual(["human", " \t\u3000", "same", "same"]);
    });
  });

  it("a query gives plain values", async () => {
    const sql =
      "SELECT source_id, count(*) AS n, list(sample_id ORDER BY sample_id) AS ids, NULL AS none, 9223372036854775807 AS big FROM candidates GROUP BY ALL ORDER BY 1";
    expect(await opened((store) => store.query(sql))).toEqual([
      { source_id: 0, n: 3, ids: [-1, 0, 1], none: null, big: "9223372036854775807" },
      { source_id: 1, n: 2, ids: [0, 1], none: null, big: "9223372036854775807" },
    ]);
  });

  it.each([
    "DROP VIEW candidates",
    "CREATE TABLE t AS SELECT 1",
    "SELECT 1; SELECT 2",
    "COPY (SELECT 1) TO 'x.csv'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SET threads = 1",
    "SELECT nothing FROM candidates",
    "SELEC",
    "",
  ])("the query %j is refused in one sentence, and the store goes on", async (sql) => {
    await opened(async (store) => {
      await expect(store.query(sql)).rejects.toThrow(UserError);
      expect(await store.count()).toBe(5);
    });
  });

  it("two streams may be read beside each other, and one may be left early", async () => {
    await opened(async (store) => {
      const [one, two] = [store.rows("source_id = 0"), store.rows("source_id = 1")];
      const [a, b] = await Promise.all([one.next(), two.next()]);
      expect([a.value, b.value].map((chunk) => (Array.isArray(chunk) ? chunk.length : 0))).toEqual([3, 2]);
      await one.return(undefined);
      await two.return(undefined);
      expect(await store.count()).toBe(5);
    });
  });
});

it("the mean of rewards has the same last bit whatever the threads and the order of rows", async () => {
  const rewards = Array.from({ length: 50_000 }, (_, i) => ((i * 7919) % 10_007) / 10_007);
  const exact = rewards.reduce((sum, reward) => sum + BigInt(Math.round(reward * 2 ** 60)), 0n);
  await write(
    join(folder, "candidates.parquet"),
    rewards.map((reward, i) => candidate(i, 0, { reward })),
  );
  for (const threads of [1, 2, 4]) {
    const store = await CandidateStore.open(folder, { threads });
    expect(await store.meanReward()).toBeCloseTo(Number(exact) / rewards.length / 2 ** 60, 15);
    expect(await store.meanReward()).toBe(await opened((other) => other.meanReward()));
    store.close();
  }
});

describe("files that do not belong", () => {
  const path = () => join(folder, "candidates.parquet");

  it("no candidates at all", async () => {
    await expect(CandidateStore.open(folder)).rejects.toThrow(
      "this folder holds no candidates. Run the Grow step first.",
    );
  });

  it("candidates of another run are told by both runs", async () => {
    await write(path(), grid(1, 1), 1, "run-b");
    await expect(opened((store) => store.count())).rejects.toThrow(
      /candidates\.parquet: these candidates belong to run run-b, but this folder is run run-a/,
    );
    expect(await opened((store) => store.count(), "run-b")).toBe(1);
  });

  it("a Parquet file of something else is told by its first wrong column", async () => {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run(
      `COPY (SELECT 1::INTEGER AS grow, 'x' AS source_id) TO '${path()}' (FORMAT parquet)`,
    );
    connection.closeSync();
    instance.closeSync();
    await expect(CandidateStore.open(folder)).rejects.toThrow(
      /not a file of Coppice's candidates: column source_id is VARCHAR, expected BIGINT/,
    );
  });

  it("a truncated file is told as such", async () => {
    await write(path(), grid(10, 10));
    const whole = readFileSync(path());
    truncateSync(path(), 500);
    const refused = /candidates\.parquet: this is not a whole Parquet file/;
    await expect(CandidateStore.open(folder)).rejects.toThrow(refused);
    // A footer that is longer than the file.
    whole.fill(0xff, whole.length - 8, whole.length - 5);
    writeFileSync(path(), whole);
    await expect(CandidateStore.open(folder)).rejects.toThrow(refused);
    rmSync(path());
    mkdirSync(path());
    await expect(CandidateStore.open(folder)).rejects.toThrow(refused);
  });
});
