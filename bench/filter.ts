/** How long the filter of an Improve step takes over the paper's 16 million candidates, and in how much memory. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { CandidateStore } from "../src/store/candidate-store.js";
import { partPath } from "../src/store/candidates.js";
import { selectCandidates } from "../src/store/select.js";

/** IWSLT14 in the paper: 160,000 sources with 100 candidates each, here in 16 shards. */
const SOURCES = 160_000;
const PER_SOURCE = 100;
const SHARDS = 16;

export interface FilterMeasurement {
  /** The per-source 90th percentile and the filter, with the figures of what is kept. */
  seconds: number;
  /** Highest resident memory of a fresh process that does only this, figures of D_g included. */
  peakMegabytes: number;
  rows: number;
  /** Figures of D_g (means, duplicates, lengths), which are computed once for all Improve steps. */
  statsSeconds: number;
  kept: number;
}

/** Candidates with texts of a usual length; made by SQL, since sampling them would take days. */
async function generate(folder: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "900MB" });
  const connection = await instance.connect();
  const sources = SOURCES / SHARDS;
  for (let shard = 0; shard < SHARDS; shard++) {
    const first = shard * sources;
    const path = partPath(folder, first, first + sources - 1);
    await connection.run(
      `COPY (SELECT 1::INTEGER AS grow, (i // ${PER_SOURCE})::BIGINT AS source_id, (i % ${PER_SOURCE})::INTEGER AS sample_id,
        'a source sentence of some words, number ' || (i // ${PER_SOURCE}) AS source,
        'a translation of some more words, number ' || (hash(i) % 1000003) AS text, length(text)::INTEGER AS characters,
        list_transform(range(12), k -> (hash(i, k) % 8000)::INTEGER) AS tokens,
        list_transform(range(12), k -> -(hash(i, k) % 800)::FLOAT / 100) AS log_prob, log_prob AS sample_log_prob,
        hash(i, 1) % 50 <> 0 AS finished, (hash(i, 2) % 1000003) / 1000003.0::DOUBLE AS reward, 'policy' AS origin
        FROM range(${first * PER_SOURCE}, ${(first + sources) * PER_SOURCE}) t(i))
       TO '${path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 61440)`,
    );
  }
  connection.closeSync();
  instance.closeSync();
}

async function measure(folder: string): Promise<FilterMeasurement> {
  const store = await CandidateStore.open(folder, { threads: 2, memoryMegabytes: 512 });
  const begin = performance.now();
  const { candidates } = await store.stats();
  const middle = performance.now();
  const selection = await selectCandidates(
    store,
    { rule: { kind: "source-percentile", q: 0.9 }, human: "filtered" },
    { seed: 1 },
  );
  const end = performance.now();
  store.close();
  // Ten of a hundred are above the 90th percentile, and one in fifty of these is unfinished.
  const share = selection.keptShare / (0.1 * 0.98);
  if (Math.abs(share - 1) > 0.01) throw new Error(`kept ${selection.keptShare} of the candidates`);
  return {
    seconds: (end - middle) / 1000,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
    rows: candidates,
    statsSeconds: (middle - begin) / 1000,
    kept: selection.kept,
  };
}

/** Makes 16 million candidates (about a minute, 1 GB of disk for the time), then filters them in a fresh process. */
export async function filterBench(): Promise<FilterMeasurement> {
  const folder = mkdtempSync(join(tmpdir(), "coppice-filter-"));
  try {
    await generate(folder);
    const child = spawnSync(process.execPath, ["--import", "tsx", fileURLToPath(import.meta.url), folder], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (child.status !== 0) throw new Error("the measured process failed");
    // Printed by `measure` below.
    return JSON.parse(child.stdout) as FilterMeasurement;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] !== undefined)
  console.log(JSON.stringify(await measure(process.argv[2])));
