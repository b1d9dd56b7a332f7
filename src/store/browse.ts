/**
 * Looking through the candidates of a Grow step by the page: what a threshold keeps, the best and the worst, one source,
 * a search. A page takes a fraction of a second with ten million candidates: what is sorted and filtered by is kept in
 * memory without the texts (22 bytes a candidate), and texts are read for the rows of the page alone.
 */

import { CandidateStore, numberIn } from "./candidate-store.js";
import type { EngineOptions, SqlParameter, SqlRow } from "./duckdb.js";

/** Thresholds of `KeptTable` in [0, 1]: 0, 1/200, …, 1. */
export const THRESHOLD_STEPS = 200;

/** Candidates whose texts are searched in one query; about 50 ms on two cores. */
const SEARCH_ROWS = 250_000;

/** Milliseconds after which a search gives what it has found. */
const SEARCH_BUDGET = 120;

/**
 * What the filter F(x, y; τ) = 1[R > τ] keeps for each τ = k/200; lists have 201 entries, one a k. As in `selectCandidates`
 * unfinished and empty candidates are never kept, but count among all.
 */
export interface KeptTable {
  candidates: number;
  /** Of these, pairs of the corpus. */
  human: number;
  sources: number;
  unscored: number;
  /** Of all that are scored, in [0, 1]; null where none is. */
  meanOfAll: number | null;
  /** Candidates kept. */
  kept: number[];
  /** Mean reward of the kept, in [0, 1]; null where none is. */
  meanReward: (number | null)[];
  /** Sources that keep at least one. */
  sourcesKept: number[];
  /** Candidates with a reward in (k/200, (k+1)/200]; the first has those of exactly 0 too. 200 entries. */
  histogram: number[];
}

export interface BrowseFilter {
  /** Bounds on the reward, in [0, 1], both included. */
  minReward?: number;
  maxReward?: number;
  /** Bounds on the text's length in characters, both included. */
  minCharacters?: number;
  maxCharacters?: number;
  origin?: "policy" | "human";
  /** Whether it ended by itself, or was cut at the length limit. */
  finished?: boolean;
}

export interface BrowseOrder {
  by: "reward" | "characters" | "source";
  descending: boolean;
}

/** The last row of a page; the next begins behind it. */
export interface Cursor {
  /** What it is ordered by; null for a candidate that is not scored. */
  value: number | null;
  sourceId: number;
  sampleId: number;
}

export interface ListedCandidate {
  sourceId: number;
  sampleId: number;
  source: string;
  text: string;
  /** In [0, 1]; null until scored. */
  reward: number | null;
  characters: number;
  finished: boolean;
  origin: "policy" | "human";
}

/** With what a list has no time for: its tokens are most of a file. */
export interface SourceCandidate extends ListedCandidate {
  tokens: number;
  /** Sum over the tokens under the model, in nats; null for human pairs. */
  logProbability: number | null;
}

export interface Page {
  rows: ListedCandidate[];
  /** Null at the end. */
  next: Cursor | null;
}

export interface SearchPage extends Page {
  /** Share of the sources that are searched once `next` is reached, in [0, 1]. */
  searched: number;
}

export interface SourcePage {
  sourceId: number;
  source: string;
  /** The human translation; null where D_g has none. */
  reference: SourceCandidate | null;
  /** Sampled candidates, best first. */
  candidates: SourceCandidate[];
  /** Sampled candidates of the source in all. */
  total: number;
  /** The neighbouring sources that have candidates; null at either end. */
  previous: number | null;
  next: number | null;
}

type Values = Record<string, SqlParameter>;

const LISTED_COLUMNS = "source_id, sample_id, source, text, reward, characters, finished, origin";

export class CandidateBrowser {
  #indexed: Promise<void> | undefined;
  #kept: Promise<KeptTable> | undefined;
  #ends: Promise<{ first: number; last: number; rows: number }> | undefined;

  private constructor(private readonly store: CandidateStore) {}

  /** Throws a UserError where the folder holds no candidates of that run. */
  static async open(
    folder: string,
    options: EngineOptions & { runId?: string } = {},
  ): Promise<CandidateBrowser> {
    return new CandidateBrowser(await CandidateStore.open(folder, options));
  }

  close(): void {
    this.store.close();
  }

  /** What each threshold keeps of D_g, human pairs included; worked out once. */
  keptTable(): Promise<KeptTable> {
    this.#kept ??= this.#workOutKept();
    return this.#kept;
  }

  /** Candidates in that order; equal ones by source and sample. */
  async list(
    filter: BrowseFilter,
    { by, descending }: BrowseOrder,
    limit: number,
    after?: Cursor,
  ): Promise<Page> {
    await this.#index();
    const key = { reward: "reward", characters: "characters", source: "source_id" }[by];
    const values: Values = { limit: limit + 1 };
    const conditions = filterConditions(filter, "human", values);
    const order = `ORDER BY value ${descending ? "DESC" : "ASC"} NULLS LAST, source_id, sample_id LIMIT CAST($limit AS BIGINT)`;
    // One simple comparison each, which the engine does while it scans: as one condition with OR it takes ten times as long.
    const stretches = after ? stretchesBehind(key, descending, after, values) : ["true"];
    if (by === "reward" && conditions.length === 0) {
      const { histogram } = await this.keptTable();
      const near = nearEnough(histogram, limit + 1, descending, after?.value);
      if (near) {
        values.near = near.bound;
        stretches[after ? 1 : 0] += ` AND reward ${near.sign} CAST($near AS DOUBLE)`;
      }
    }
    const found = await this.store.query(
      `SELECT * FROM (${stretches
        .map(
          (stretch) =>
            `(SELECT source_id, sample_id, ${key} AS value FROM listed WHERE ${[stretch, ...conditions].join(" AND ")} ${order})`,
        )
        .join(" UNION ALL ")}) ${order}`,
      values,
    );
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      rows: await this.#texts(page),
      next: found.length > limit && last ? cursorOf(last) : null,
    };
  }

  /**
   * Candidates whose text, or whose source, contains `text`, whatever its case, by source and sample. A search that takes
   * long gives what it has found so far; `next` is then where it goes on, even after no rows.
   */
  async search(text: string, filter: BrowseFilter, limit: number, after?: Cursor): Promise<SearchPage> {
    const { first, last, rows: all } = await this.#range();
    const sourcesAtOnce = Math.max(1, Math.ceil((SEARCH_ROWS * (last - first + 1)) / Math.max(1, all)));
    const started = performance.now();
    const rows: ListedCandidate[] = [];
    let behindOf = after;
    let from = after?.sourceId ?? first;
    while (from <= last) {
      const until = Math.min(last, from + sourcesAtOnce - 1);
      const values: Values = { from, until, text, limit: limit + 1 - rows.length };
      const conditions = [
        "source_id BETWEEN CAST($from AS BIGINT) AND CAST($until AS BIGINT)",
        ...filterConditions(filter, "origin = 'human'", values),
        "(contains(lower(text), lower($text)) OR contains(lower(source), lower($text)))",
      ];
      if (behindOf) {
        values.sourceId = behindOf.sourceId;
        values.sampleId = behindOf.sampleId;
        conditions.push(LATER);
      }
      const found = await this.store.query(
        `SELECT ${LISTED_COLUMNS} FROM candidates WHERE ${conditions.join(" AND ")}
         ORDER BY source_id, sample_id LIMIT CAST($limit AS BIGINT)`,
        values,
      );
      rows.push(...found.map(listedCandidate));
      const searched = (until - first + 1) / (last - first + 1);
      if (rows.length > limit) {
        const end = rows[limit - 1]!;
        return { rows: rows.slice(0, limit), next: placeOf(end), searched };
      }
      from = until + 1;
      behindOf = undefined;
      // Sample numbers begin at -1, the human translation's.
      const goOn = { value: from, sourceId: from, sampleId: -2 };
      if (from <= last && performance.now() - started > SEARCH_BUDGET) return { rows, next: goOn, searched };
    }
    return { rows, next: null, searched: 1 };
  }

  /** A source with its candidates; undefined where it has none. */
  async source(sourceId: number, limit: number): Promise<SourcePage | undefined> {
    await this.#index();
    const values = { source: sourceId };
    const [found, [around]] = await Promise.all([
      this.store.query(
        `SELECT ${LISTED_COLUMNS}, len(tokens) AS token_count, list_sum(log_prob) AS log_probability,
          count(*) FILTER (origin = 'policy') OVER () AS total FROM candidates
         WHERE source_id = CAST($source AS BIGINT)
         ORDER BY origin = 'human' DESC, reward DESC NULLS LAST, sample_id LIMIT CAST($limit AS BIGINT)`,
        { ...values, limit: limit + 1 },
      ),
      this.store.query(
        `SELECT (SELECT max(source_id) FROM listed WHERE source_id < CAST($source AS BIGINT)) AS previous,
          (SELECT min(source_id) FROM listed WHERE source_id > CAST($source AS BIGINT)) AS next`,
        values,
      ),
    ]);
    const rows = found.map((row) => ({
      ...listedCandidate(row),
      tokens: numberIn(row, "token_count"),
      logProbability: nullableNumber(row.log_probability),
    }));
    const [first] = rows;
    if (!first) return undefined;
    return {
      sourceId,
      source: first.source,
      reference: rows.find(({ origin }) => origin === "human") ?? null,
      candidates: rows.filter(({ origin }) => origin === "policy").slice(0, limit),
      total: numberIn(found[0], "total"),
      previous: nullableNumber(around?.previous),
      next: nullableNumber(around?.next),
    };
  }

  #index(): Promise<void> {
    this.#indexed ??= this.store.keepTable(
      "listed",
      "SELECT source_id, sample_id, reward, characters, finished, origin = 'human' AS human FROM candidates",
    );
    return this.#indexed;
  }

  #range() {
    this.#ends ??= (async () => {
      await this.#index();
      const [row] = await this.store.query(
        "SELECT min(source_id) AS first, max(source_id) AS last, count(*) AS rows FROM listed",
      );
      return { first: numberIn(row, "first"), last: numberIn(row, "last"), rows: numberIn(row, "rows") };
    })();
    return this.#ends;
  }

  async #workOutKept(): Promise<KeptTable> {
    await this.#index();
    const [all] = await this.store.query(
      `SELECT count(*) AS candidates, count(*) FILTER (human) AS human, count(DISTINCT source_id) AS sources,
        count(*) - count(reward) AS unscored, avg(reward) AS mean FROM listed`,
    );
    const keepable = "finished AND characters > 0";
    const counted = await this.store.query(
      `SELECT ${below("reward")} AS place, count(*) AS rows, count(*) FILTER (${keepable}) AS keepable,
        sum(reward) FILTER (${keepable}) AS total FROM listed
       WHERE reward IS NOT NULL GROUP BY place`,
    );
    const best = await this.store.query(
      `SELECT ${below("best")} AS place, count(*) AS sources FROM
        (SELECT max(reward) AS best FROM listed WHERE reward IS NOT NULL AND ${keepable} GROUP BY source_id)
       GROUP BY place`,
    );
    const rows = byPlace(counted, "rows");
    const kept = fromTheTop(byPlace(counted, "keepable"));
    const totals = fromTheTop(byPlace(counted, "total"));
    return {
      candidates: numberIn(all, "candidates"),
      human: numberIn(all, "human"),
      sources: numberIn(all, "sources"),
      unscored: numberIn(all, "unscored"),
      meanOfAll: nullableNumber(all?.mean),
      kept,
      meanReward: kept.map((n, k) => (n === 0 ? null : totals[k]! / n)),
      sourcesKept: fromTheTop(byPlace(best, "sources")),
      histogram: rows.slice(1).map((n, k) => (k === 0 ? n + rows[0]! : n)),
    };
  }

  /** The rows of a page with their texts, in its order. */
  async #texts(page: readonly SqlRow[]): Promise<ListedCandidate[]> {
    if (page.length === 0) return [];
    const values: Values = {};
    const oneOf = (column: "source_id" | "sample_id", type: string) => {
      const ids = [...new Set(page.map((row) => numberIn(row, column)))];
      const names = ids.map((id, at) => {
        values[`${column}_${at}`] = id;
        return `CAST($${column}_${at} AS ${type})`;
      });
      return `${column} IN (${names.join(", ")})`;
    };
    const found = await this.store.query(
      `SELECT ${LISTED_COLUMNS} FROM candidates WHERE ${oneOf("source_id", "BIGINT")} AND ${oneOf("sample_id", "INTEGER")}`,
      values,
    );
    const keyOf = (row: SqlRow) => `${row.source_id}/${row.sample_id}`;
    const byKey = new Map(found.map((row) => [keyOf(row), row]));
    return page.flatMap((row) => {
      const whole = byKey.get(keyOf(row));
      return whole ? [listedCandidate(whole)] : [];
    });
  }
}

/** SQL for the number of thresholds k/200 that lie below a reward: corrected by one where the product was rounded. */
function below(reward: string): string {
  const guess = `ceil(${reward} * ${THRESHOLD_STEPS})`;
  return `CAST(${guess}
    - CAST(${reward} <= (${guess} - 1) / ${THRESHOLD_STEPS}.0::DOUBLE AS INTEGER)
    + CAST(${reward} > ${guess} / ${THRESHOLD_STEPS}.0::DOUBLE AS INTEGER) AS INTEGER)`;
}

/** A column by its place, 0 to 200; nothing is 0. */
function byPlace(rows: readonly SqlRow[], column: string): number[] {
  const values = new Array<number>(THRESHOLD_STEPS + 1).fill(0);
  for (const row of rows) values[numberIn(row, "place")] = Number(row[column] ?? 0);
  return values;
}

/** For each k the sum of all places above it. */
function fromTheTop(values: readonly number[]): number[] {
  const sums = new Array<number>(values.length).fill(0);
  for (let k = values.length - 2; k >= 0; k--) sums[k] = sums[k + 1]! + values[k + 1]!;
  return sums;
}

/** Conditions of the filter; their values go into `values`. `human` is SQL for whether a row is a pair of the corpus. */
function filterConditions(filter: BrowseFilter, human: string, values: Values): string[] {
  const conditions: string[] = [];
  const bound = (column: string, sign: ">=" | "<=", name: keyof BrowseFilter, type: string) => {
    const value = filter[name];
    if (value === undefined) return;
    values[name] = value;
    conditions.push(`${column} ${sign} CAST($${name} AS ${type})`);
  };
  bound("reward", ">=", "minReward", "DOUBLE");
  bound("reward", "<=", "maxReward", "DOUBLE");
  bound("characters", ">=", "minCharacters", "INTEGER");
  bound("characters", "<=", "maxCharacters", "INTEGER");
  if (filter.origin !== undefined) conditions.push(filter.origin === "human" ? human : `NOT (${human})`);
  if (filter.finished !== undefined) conditions.push(filter.finished ? "finished" : "NOT finished");
  return conditions;
}

const LATER =
  "(source_id > CAST($sourceId AS BIGINT) OR (source_id = CAST($sourceId AS BIGINT) AND sample_id > CAST($sampleId AS INTEGER)))";

/**
 * Conditions for the rows behind the cursor, in the order of `key` with what is missing last, then source and sample: each
 * row meets one of them at most.
 */
function stretchesBehind(
  key: string,
  descending: boolean,
  { value, sourceId, sampleId }: Cursor,
  values: Values,
): string[] {
  values.sourceId = sourceId;
  values.sampleId = sampleId;
  if (value === null) return [`${key} IS NULL AND ${LATER}`];
  values.value = value;
  const at = "CAST($value AS DOUBLE)";
  return [`${key} = ${at} AND ${LATER}`, `${key} ${descending ? "<" : ">"} ${at}`, `${key} IS NULL`];
}

/**
 * A bound on the rewards before or behind which `rows` of them lie for certain, so that not all of ten million are sorted for
 * a page. `behind`: the reward that they lie behind; absent: they are the first. Undefined where there are not as many, or
 * what comes next has no reward.
 */
function nearEnough(
  histogram: readonly number[],
  rows: number,
  descending: boolean,
  behind?: number | null,
): { bound: number; sign: ">" | "<=" } | undefined {
  if (behind === null) return undefined;
  let found = 0;
  for (let at = 0; at < histogram.length; at++) {
    const k = descending ? histogram.length - 1 - at : at;
    const [low, high] = [k / THRESHOLD_STEPS, (k + 1) / THRESHOLD_STEPS];
    // The lowest place has the rewards of exactly 0 too, which neither sign tells from those above.
    if (k === 0 && (descending || behind !== undefined)) continue;
    if (behind !== undefined && (descending ? high >= behind : low < behind)) continue;
    found += histogram[k]!;
    if (found >= rows) return descending ? { bound: low, sign: ">" } : { bound: high, sign: "<=" };
  }
  return undefined;
}

function cursorOf(row: SqlRow): Cursor {
  return {
    value: nullableNumber(row.value),
    sourceId: numberIn(row, "source_id"),
    sampleId: numberIn(row, "sample_id"),
  };
}

function placeOf({ sourceId, sampleId }: ListedCandidate): Cursor {
  return { value: sourceId, sourceId, sampleId };
}

function nullableNumber(value: SqlRow[string] | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function listedCandidate(row: SqlRow): ListedCandidate {
  return {
    sourceId: numberIn(row, "source_id"),
    sampleId: numberIn(row, "sample_id"),
    source: String(row.source),
    text: String(row.text),
    reward: nullableNumber(row.reward),
    characters: numberIn(row, "characters"),
    finished: row.finished === true,
    origin: row.origin === "human" ? "human" : "policy",
  };
}
