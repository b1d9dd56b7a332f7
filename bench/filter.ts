/** How long the filter of an Improve step takes over the paper's 16 million candidates, and in how much memory. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CandidateStore } from "../src/store/candidate-store.js";
import { type SelectSpec, selectCandidates } from "../src/store/select.js";
import { makeCandidates } from "./made-candidates.js";
import { median } from "./rounds.js";

/** IWSLT14 in the paper: 160,000 sources with 100 candidates each, here in 16 shards. */
const SOURCES = 160_000;
const PER_SOURCE = 100;
const SHARDS = 16;

const percentile: SelectSpec = { rule: { kind: "source-percentile", q: 0.9 }, human: "filtered" };

/** The filter that is reported, and the others once each. */
const FILTERS: Readonly<Record<string, SelectSpec>> = {
  percentile,
  absolute: { ...percentile, rule: { kind: "absolute", value: 0.9 } },
  quantile: { ...percentile, rule: { kind: "quantile", q: 0.9 } },
  interpolation: { ...percentile, rule: { kind: "source-interpolation", gamma: 0.8 } },
  top: { ...percentile, rule: { kind: "top", k: 10 } },
  "percentile, cap": { ...percentile, capPerSource: 5 },
  "percentile, different texts": { ...percentile, deduplicate: true },
  "percentile, length and repetition": {
    ...percentile,
    lengthRatio: [0.5, 2],
    maxRepetition: 0.25,
  },
};
const ROUNDS = 3;

/** What an Improve step's filter may take at most, on two cores: the ratio is this over what it takes. */
const AIM_SECONDS = 2;

interface FilterMeasurement {
  /** The filter, with the figures of what is kept. */
  seconds: number;
  /** User and system time of all threads in these seconds: what other work on the machine changes little. */
  processorSeconds: number;
  /** Highest resident memory of a fresh process that does only this, figures of D_g included. */
  peakMegabytes: number;
  /** Figures of D_g (means, duplicates, lengths), which are computed once for all Improve steps. */
  statsSeconds: number;
  rows: number;
  kept: number;
}

async function measure(folder: string, name: string): Promise<FilterMeasurement> {
  const store = await CandidateStore.open(folder, { threads: 2, memoryMegabytes: 512 });
  const begin = performance.now();
  const { candidates } = await store.stats();
  const middle = performance.now();
  const before = process.cpuUsage();
  const selection = await selectCandidates(store, FILTERS[name]!, { seed: 1 });
  const end = performance.now();
  const used = process.cpuUsage(before);
  store.close();
  // Ten of a hundred are above the 90th percentile, and one in fifty of these is unfinished.
  const share = selection.keptShare / (0.1 * 0.98);
  if (name === "percentile" && Math.abs(share - 1) > 0.01)
    throw new Error(`kept ${selection.keptShare} of the candidates`);
  return {
    seconds: (end - middle) / 1000,
    processorSeconds: (used.user + used.system) / 1e6,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
    statsSeconds: (middle - begin) / 1000,
    rows: candidates,
    kept: selection.kept,
  };
}

function inFreshProcess(folder: string, name: string): FilterMeasurement {
  const child = spawnSync(
    process.execPath,
    ["--import", "tsx", fileURLToPath(import.meta.url), folder, name],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  if (child.status !== 0) throw new Error("the measured process failed");
  // Printed by `measure` below.
  return JSON.parse(child.stdout) as FilterMeasurement;
}

/**
 * Makes 16 million candidates (about a minute, 1 GB of disk for the time), then filters them in fresh processes: the
 * per-source percentile three times, of which the fastest is reported with the highest memory, every other filter once.
 */
export async function filterBench(): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), "coppice-filter-"));
  try {
    await makeCandidates(folder, { sources: SOURCES, perSource: PER_SOURCE, shards: SHARDS });
    const rounds = Array.from({ length: ROUNDS }, () => inFreshProcess(folder, "percentile"));
    const fastest = rounds.reduce((a, b) => (b.seconds < a.seconds ? b : a));
    const others = Object.keys(FILTERS).filter((name) => name !== "percentile");
    const ratios = rounds.map(({ seconds }) => AIM_SECONDS / seconds);
    return {
      ratio: median(ratios),
      low: Math.min(...ratios),
      high: Math.max(...ratios),
      unit: `${AIM_SECONDS} s, the aim, over the seconds of a round`,
      ...fastest,
      peakMegabytes: Math.max(...rounds.map(({ peakMegabytes }) => peakMegabytes)),
      rounds,
      others: others.map((name) => ({ filter: name, ...inFreshProcess(folder, name) })),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] !== undefined)
  console.log(JSON.stringify(await measure(process.argv[2], process.argv[3] ?? "percentile")));
