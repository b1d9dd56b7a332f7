/** What a Grow step stored, for people and machines to look at. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { count, decimal, percent, rewardPoints } from "../report/format.js";
import { type Table, toText } from "../report/tables.js";
import { type CandidateStats, CandidateStore } from "../store/candidate-store.js";
import { type Candidate, candidateFiles } from "../store/candidates.js";
import type { SqlRow, SqlValue } from "../store/duckdb.js";
import { Manifest } from "../store/manifest.js";
import { runFolder } from "../store/run-folder.js";

export interface InspectOptions {
  dir: string;
  /** The last Grow step with candidates when absent. */
  grow?: number;
  /** Only the candidates of this source. */
  source?: number;
  /** Only the rows of this SELECT. */
  sql?: string;
  /** Best candidates to show. */
  limit: number;
}

/** A candidate without its tokens. */
type ShownCandidate = Pick<
  Candidate,
  "sourceId" | "sampleId" | "source" | "text" | "reward" | "finished" | "origin"
> & { tokens: number; logProbability: number };

export type Inspected =
  | { grow: number; stats: CandidateStats; best: ShownCandidate[] }
  | { grow: number; source: number; candidates: ShownCandidate[] }
  | { grow: number; rows: SqlRow[] };

/** Throws a UserError where the folder holds no candidates, no such source, or the query is wrong. */
export async function inspect(options: InspectOptions): Promise<Inspected> {
  const { dir, source, sql, limit } = options;
  const grow = options.grow ?? (await lastGrow(dir));
  const manifest = await Manifest.read(dir);
  // Rewards read from a damaged file would look like any others, and some damage ends the query engine's process.
  await manifest?.check({ hash: false, within: `grow-${grow}` });
  const store = await CandidateStore.open(
    runFolder(dir).grow(grow),
    manifest ? { runId: manifest.runId } : {},
  );
  try {
    if (sql !== undefined) return { grow, rows: await store.query(sql) };
    if (source === undefined) {
      return { grow, stats: await store.stats(), best: (await store.best(limit)).map(shownCandidate) };
    }
    const candidates = await store.bySource(source);
    if (candidates.length === 0) {
      const [ids] = await store.query(
        "SELECT min(source_id) AS first, max(source_id) AS last FROM candidates",
      );
      throw new UserError(
        `source ${source} has no candidates in Grow step ${grow}. Sources there go from ${ids?.first} to ${ids?.last}.`,
      );
    }
    // The human translation first, then the best.
    const byReward = candidates.toSorted((a, b) => (b.reward ?? -1) - (a.reward ?? -1));
    const ordered = [...byReward.filter(isHuman), ...byReward.filter((candidate) => !isHuman(candidate))];
    return { grow, source, candidates: ordered.map(shownCandidate) };
  } finally {
    store.close();
  }
}

const isHuman = ({ origin }: Candidate) => origin === "human";

function shownCandidate(candidate: Candidate): ShownCandidate {
  const { sourceId, sampleId, source, text, reward, finished, origin, tokens, logProbs } = candidate;
  const logProbability = logProbs.reduce((sum, value) => sum + value, 0);
  return {
    sourceId,
    sampleId,
    source,
    text,
    reward,
    finished,
    origin,
    tokens: tokens.length,
    logProbability,
  };
}

async function lastGrow(dir: string): Promise<number> {
  const names = await readdir(dir).catch(() => {
    throw new UserError("this folder is not there or cannot be read. Give the folder of a run.", {
      file: dir,
    });
  });
  const grows = names
    .map((name) => Number(/^grow-(\d+)$/.exec(name)?.[1] ?? Number.NaN))
    .filter((grow) => grow >= 1 && candidateFiles(join(dir, `grow-${grow}`)).length > 0);
  if (grows.length === 0) {
    throw new UserError(
      `this folder holds no candidates yet. They come with the first Grow step of coppice run ${dir}.`,
      { file: dir },
    );
  }
  return Math.max(...grows);
}

/** For a terminal. */
export function inspectText(inspected: Inspected, colour: boolean): string {
  if ("rows" in inspected) return toText(rowsTable(inspected.rows), { colour });
  if ("candidates" in inspected) {
    const { grow, source, candidates } = inspected;
    const title = `Grow ${grow}, source ${source}: ${candidates[0]?.source ?? ""}`;
    return toText(candidatesTable(title, candidates, false), { colour });
  }
  const { grow, stats, best } = inspected;
  return [
    toText(statsTable(grow, stats), { colour }),
    toText(candidatesTable("Highest rewards", best, true), { colour }),
  ].join("\n\n");
}

function statsTable(grow: number, stats: CandidateStats): Table {
  const rows: [string, string][] = [
    ["candidates", count(stats.candidates)],
    ["of these human", count(stats.human)],
    ["sources", count(stats.sources)],
    ["distinct samples", count(stats.distinctCandidates)],
    ["mean reward", rewardPoints(stats.meanReward)],
    ["highest reward", rewardPoints(stats.maxReward)],
    ["not scored yet", count(stats.unscored)],
    ["sources whose samples score alike", percent(stats.tiedSources)],
    ["mean tokens", decimal(stats.meanTokens, 1)],
    ["cut at the length limit", percent(stats.unfinishedShare)],
    ["empty", count(stats.empty)],
  ];
  return {
    title: `Grow ${grow}`,
    columns: [
      { header: "", align: "left" },
      { header: "", align: "right" },
    ],
    rows: rows.map((cells) => ({ cells })),
    notes: [],
  };
}

function candidatesTable(title: string, candidates: readonly ShownCandidate[], withSource: boolean): Table {
  return {
    title,
    columns: [
      { header: "reward", align: "right" },
      ...(withSource ? [{ header: "source", align: "right" as const }] : []),
      { header: "sample", align: "right" },
      { header: "log-prob", align: "right" },
      { header: "text", align: "left" },
    ],
    rows: candidates.map((candidate) => ({
      cells: [
        rewardPoints(candidate.reward),
        ...(withSource ? [String(candidate.sourceId)] : []),
        candidate.origin === "human" ? "human" : String(candidate.sampleId),
        candidate.origin === "human" ? "–" : decimal(candidate.logProbability, 1),
        candidate.finished ? candidate.text : `${candidate.text} [cut]`,
      ],
    })),
    notes: [],
  };
}

function rowsTable(rows: readonly SqlRow[]): Table {
  const names = Object.keys(rows[0] ?? {});
  const isNumber = (name: string) => rows.every((row) => row[name] === null || typeof row[name] === "number");
  return {
    title: `${count(rows.length)} ${rows.length === 1 ? "row" : "rows"}`,
    columns: names.map((header) => ({ header, align: isNumber(header) ? "right" : "left" })),
    rows: rows.map((row) => ({ cells: names.map((name) => cell(row[name])) })),
    notes: [],
  };
}

function cell(value: SqlValue | undefined): string {
  if (typeof value === "string") return value;
  return value instanceof Date ? value.toISOString() : JSON.stringify(value ?? null);
}
