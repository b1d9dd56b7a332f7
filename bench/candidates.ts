/** How long the dashboard's pages of candidates take with ten million of them. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowseOrder, CandidateBrowser, type Cursor } from "../src/store/browse.js";
import { makeCandidates } from "./made-candidates.js";

const SOURCES = 100_000;
const PER_SOURCE = 100;

/** Rows of a page, as the dashboard asks for them. */
const PAGE = 25;

/** What every page is to stay below, in milliseconds. */
const AIM = 200;

/** Pages of each kind. */
const ROUNDS = 100;

/** Places in [0, 1), the same at every run. */
const place = (round: number) => (round * 0.6180339887498949) % 1;

/** One page of each kind; `round` varies what is asked for. */
const kinds: Readonly<Record<string, (browser: CandidateBrowser, round: number) => Promise<unknown>>> = {
  source: (browser, round) => browser.source(Math.floor(SOURCES * place(round)), 300),
  "best first": pages({ by: "reward", descending: true }),
  "shortest first": pages({ by: "characters", descending: false }),
  "by source": pages({ by: "source", descending: false }),
  "filtered by reward and length": (browser, round) =>
    browser.list(
      { minReward: place(round), maxReward: place(round) + 0.01, minCharacters: 45, finished: true },
      { by: "reward", descending: true },
      PAGE,
    ),
  // Found in one of a million candidates: a page of it goes through what it can in its time.
  "rare word": (browser, round) => browser.search(`number ${round * 10_000 + 1}`, {}, PAGE),
  "frequent word": (browser, round) =>
    browser.search("MORE WORDS", {}, PAGE, {
      value: 0,
      sourceId: Math.floor(SOURCES * place(round)),
      sampleId: -2,
    }),
};

/** Pages behind each other, from the first. */
function pages(order: BrowseOrder) {
  let next: Cursor | null = null;
  return async (browser: CandidateBrowser) => {
    const page = await browser.list({}, order, PAGE, next ?? undefined);
    next = page.next;
  };
}

interface PageTime {
  page: string;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** Makes ten million candidates (a minute, 0.7 GB of disk for the time) and asks for pages of every kind. */
export async function candidatesBench(): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), "coppice-browse-"));
  try {
    await makeCandidates(folder, { sources: SOURCES, perSource: PER_SOURCE, shards: 10 });
    const browser = await CandidateBrowser.open(folder, { threads: 2, memoryMegabytes: 1000 });
    const begin = performance.now();
    const { candidates } = await browser.keptTable();
    const opened = performance.now();
    const times: PageTime[] = [];
    for (const [page, ask] of Object.entries(kinds)) times.push({ page, ...(await measured(browser, ask)) });
    browser.close();
    const slowest = Math.max(...times.map(({ p99 }) => p99));
    return {
      ratio: AIM / slowest,
      unit: `${AIM} ms, the aim, over the slowest p99`,
      candidates,
      openSeconds: (opened - begin) / 1000,
      residentMegabytes: process.memoryUsage().rss / 2 ** 20,
      pages: times,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measured(
  browser: CandidateBrowser,
  ask: (typeof kinds)[string],
): Promise<Omit<PageTime, "page">> {
  const milliseconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    await ask(browser, round);
    milliseconds.push(performance.now() - begin);
  }
  milliseconds.sort((a, b) => a - b);
  const quantile = (q: number) => milliseconds[Math.ceil(q * ROUNDS) - 1]!;
  return { p50: quantile(0.5), p99: quantile(0.99) };
}
