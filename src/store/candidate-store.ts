/** The stored candidates of one Grow step, asked in SQL and read in chunks, never held whole in memory. */

import type { DuckDBConnection } from "@duckdb/node-api";
import { StatementType } from "@duckdb/node-api";
import { UserError } from "../errors.js";
import { type Candidate, COLUMNS, candidateFiles, checkFiles } from "./candidates.js";
import {
  type Engine,
  type EngineOptions,
  fileList,
  fromDuckDb,
  openEngine,
  queryFailure,
  type SqlParameter,
  type SqlRow,
} from "./duckdb.js";

/** Figures of D_g. Shares and rewards are in [0, 1]; rewards are NaN where nothing is scored. */
export interface CandidateStats {
  candidates: number;
  /** Of these, pairs of the corpus. */
  human: number;
  sources: number;
  unscored: number;
  meanReward: number;
  maxReward: number;
  /** Share of sources (with sampled candidates) whose sampled candidates all score alike. */
  tiedSources: number;
  /** Sampled candidates that differ from the others of their source. */
  distinctCandidates: number;
  /** Mean tokens of a sampled candidate, end-of-sentence included; NaN where the policy does not tell. */
  meanTokens: number;
  /** Share of sampled candidates cut at the length limit. */
  unfinishedShare: number;
  unfinished: number;
  /** Candidates without a visible character. */
  empty: number;
}

/** 2^60: a reward as a whole number of this unit is exact from 2^-8 up, and whole numbers add up alike in any order. */
const UNIT = "1152921504606846976";

/**
 * SQL for the mean of the reward column. A plain average adds doubles in the order in which threads happen to
 * deliver them, so its last bits differ from run to run.
 */
export const MEAN_REWARD = `sum(CAST(reward * ${UNIT} AS BIGINT))::DOUBLE / count(reward) / ${UNIT}`;

const ROW_COLUMNS = Object.keys(COLUMNS)
  .filter((name) => name !== "characters" && name !== "repetition")
  .join(", ");

/** A number in a query's answer; null (a mean of nothing) is NaN. */
export function numberIn(row: SqlRow | undefined, column: string): number {
  const value = row?.[column];
  return value === null || value === undefined ? Number.NaN : Number(value);
}

/** A list of numbers in a query's answer. */
function numbersIn(row: SqlRow, column: string): number[] {
  const value = row[column];
  return Array.isArray(value) ? value.map(Number) : [];
}

function toCandidate(row: SqlRow): Candidate {
  return {
    grow: Number(row.grow),
    sourceId: Number(row.source_id),
    sampleId: Number(row.sample_id),
    source: String(row.source),
    text: String(row.text),
    tokens: numbersIn(row, "tokens"),
    logProbs: numbersIn(row, "log_prob"),
    sampleLogProbs: numbersIn(row, "sample_log_prob"),
    finished: row.finished === true,
    reward: row.reward === null ? null : Number(row.reward),
    origin: row.origin === "human" ? "human" : "policy",
  };
}

/** Candidates that are grouped at a time: lists and texts in groups do not spill, so this bounds their memory. */
const RANGE_ROWS = 1_000_000;

/**
 * The candidates of a grow folder as a table `candidates` (columns: see `COLUMNS`). Nothing is written, and no
 * other file can be reached from its queries. Close it after use.
 *
 * @example
 * const store = await CandidateStore.open("runs/demo/grow-1");
 * await store.query("SELECT origin, avg(reward) FROM candidates GROUP BY origin");
 * store.close();
 */
export class CandidateStore {
  #stats = new Map<string, Promise<CandidateStats>>();
  #ranges: Promise<string[]> | undefined;
  #perSource = new Map<string, Promise<string>>();

  private constructor(
    /** The grow folder. */
    readonly folder: string,
    private readonly engine: Engine,
  ) {}

  /**
   * Opens the merged file of a grow folder or its shards. Throws a UserError when there is none, when one is
   * broken or of another kind, or when one belongs to another run than `runId`.
   */
  static async open(
    folder: string,
    options: EngineOptions & { runId?: string } = {},
  ): Promise<CandidateStore> {
    const files = candidateFiles(folder);
    if (files.length === 0)
      throw new UserError("this folder holds no candidates. Run the Grow step first.", { file: folder });
    await checkFiles(files, options.runId);
    const engine = await openEngine(`${folder}/candidates`, options);
    const connection = await engine.instance.connect();
    try {
      await connection.run(`CREATE VIEW candidates AS SELECT * FROM read_parquet(${fileList(files)})`);
      // From here on a query reaches these files and no others.
      await connection.run(`SET allowed_paths = ${fileList(files)}`);
      await connection.run("SET enable_external_access = false");
      await connection.run("SET lock_configuration = true");
    } catch (error) {
      engine.close();
      throw error;
    } finally {
      connection.closeSync();
    }
    return new CandidateStore(folder, engine);
  }

  close(): void {
    this.engine.close();
  }

  /**
   * The rows that one SELECT gives, all at once; `values` are bound to its `$name`s. Throws a UserError for a query that
   * fails or is not a SELECT.
   */
  async query(sql: string, values?: Readonly<Record<string, SqlParameter>>): Promise<SqlRow[]> {
    const rows: SqlRow[] = [];
    for await (const chunk of this.stream(sql, values)) rows.push(...chunk);
    return rows;
  }

  /** The rows that one SELECT gives, in chunks of up to 2,048. */
  async *stream(sql: string, values: Readonly<Record<string, SqlParameter>> = {}): AsyncGenerator<SqlRow[]> {
    // One connection a query, so that queries may run beside each other.
    const connection = await this.engine.instance.connect();
    try {
      const result = await select(connection, sql, values);
      for await (const rows of result.yieldRowObjectJs())
        yield rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, value]) => [name, fromDuckDb(value)])),
        );
    } catch (error) {
      throw queryFailure(error);
    } finally {
      connection.closeSync();
    }
  }

  /**
   * Candidates for which the SQL condition `where` holds, in chunks of up to 2,048, ordered by source and
   * sample unless `orderBy` says otherwise.
   *
   * @example for await (const rows of store.rows("reward IS NULL")) await score(rows)
   */
  async *rows(where = "true", orderBy = "source_id, sample_id"): AsyncGenerator<Candidate[]> {
    const sql = `SELECT ${ROW_COLUMNS} FROM candidates WHERE ${where} ORDER BY ${orderBy}`;
    for await (const chunk of this.stream(sql)) yield chunk.map(toCandidate);
  }

  /** Number of candidates, human pairs included, for which the SQL condition holds. */
  async count(where = "true"): Promise<number> {
    return numberIn((await this.query(`SELECT count(*) AS n FROM candidates WHERE ${where}`))[0], "n");
  }

  /** E_{D_g}[R]: the mean of all rewards, human pairs included; NaN when nothing is scored. */
  async meanReward(): Promise<number> {
    return (await this.stats()).meanReward;
  }

  /** All candidates of one source, the human translation first. */
  async bySource(sourceId: number): Promise<Candidate[]> {
    const found: Candidate[] = [];
    for await (const rows of this.rows(`source_id = ${Math.trunc(sourceId)}`)) found.push(...rows);
    return found;
  }

  /** The `n` candidates with the highest rewards, best first. */
  async best(n: number): Promise<Candidate[]> {
    const found: Candidate[] = [];
    const order = `reward DESC, source_id, sample_id LIMIT ${Math.trunc(n)}`;
    for await (const rows of this.rows("reward IS NOT NULL", order)) found.push(...rows);
    return found;
  }

  /** Figures of D_g, with or without the human pairs; computed once, since a stored file does not change. */
  stats(options: { human: boolean } = { human: true }): Promise<CandidateStats> {
    const where = options.human ? "true" : "origin = 'policy'";
    let stats = this.#stats.get(where);
    if (stats === undefined) {
      stats = this.#computeStats(where);
      this.#stats.set(where, stats);
    }
    return stats;
  }

  /**
   * Name of a table `(source_id, value)` with an SQL aggregate over the candidates of each source for which the
   * condition holds; computed once. A table, because the planner must know its size: joining the same thing as a
   * subquery, it hashed the 16 million candidates instead of the 160,000 sources and ran out of memory.
   */
  perSource(aggregate: string, where: string): Promise<string> {
    const key = `${aggregate} / ${where}`;
    let table = this.#perSource.get(key);
    if (table === undefined) {
      table = this.#createPerSource(`per_source_${this.#perSource.size}`, aggregate, where);
      this.#perSource.set(key, table);
    }
    return table;
  }

  /** Keeps the rows of a SELECT of ours as a table of that name in memory, until the store is closed. */
  async keepTable(name: string, select: string): Promise<void> {
    const connection = await this.engine.instance.connect();
    try {
      await connection.run(`CREATE TABLE ${name} AS ${select}`);
    } finally {
      connection.closeSync();
    }
  }

  async #createPerSource(table: string, aggregate: string, where: string): Promise<string> {
    const ranges = await this.#sourceRanges();
    const connection = await this.engine.instance.connect();
    try {
      await connection.run(`CREATE TABLE ${table} (source_id BIGINT, value DOUBLE)`);
      for (const range of ranges)
        await connection.run(
          `INSERT INTO ${table} SELECT source_id, ${aggregate} FROM candidates WHERE ${where} AND ${range} GROUP BY source_id`,
        );
    } finally {
      connection.closeSync();
    }
    return table;
  }

  /** Conditions that cut the sources into ranges; files are sorted by source, so together they read each file once. */
  #sourceRanges(): Promise<string[]> {
    this.#ranges ??= (async () => {
      const [all] = await this.query(
        "SELECT count(*) AS n, min(source_id) AS first, max(source_id) AS last FROM candidates",
      );
      const [first, last] = [numberIn(all, "first"), numberIn(all, "last")];
      const pieces = Math.ceil(numberIn(all, "n") / RANGE_ROWS);
      const width = Math.ceil((last - first + 1) / pieces);
      return Array.from({ length: pieces }, (_, i) => {
        const from = first + i * width;
        return `source_id >= ${from} AND source_id < ${from + width}`;
      });
    })();
    return this.#ranges;
  }

  async #computeStats(where: string): Promise<CandidateStats> {
    const [all] = await this.query(
      `SELECT count(*) AS candidates, count(*) FILTER (origin = 'human') AS human,
        count(DISTINCT source_id) AS sources,
        count(*) - count(reward) AS unscored, ${MEAN_REWARD} AS mean, max(reward) AS max,
        count(*) FILTER (characters = 0) AS empty,
        count(*) FILTER (NOT finished) AS unfinished,
        count(*) FILTER (NOT finished AND origin = 'policy') / count(*) FILTER (origin = 'policy') AS unfinished_share,
        nullif(avg(len(tokens)) FILTER (origin = 'policy'), 0) AS mean_tokens
       FROM candidates WHERE ${where}`,
    );
    const [ties] = await this.query(
      `SELECT avg(CAST(low = high AS INTEGER)) AS tied FROM (
        SELECT min(reward) AS low, max(reward) AS high FROM candidates
        WHERE origin = 'policy' AND reward IS NOT NULL GROUP BY source_id)`,
    );
    let distinct = 0;
    for (const range of await this.#sourceRanges()) {
      const [part] = await this.query(
        `SELECT count(*) AS n FROM (SELECT DISTINCT source_id, text FROM candidates
         WHERE origin = 'policy' AND ${range})`,
      );
      distinct += numberIn(part, "n");
    }
    return {
      candidates: numberIn(all, "candidates"),
      human: numberIn(all, "human"),
      sources: numberIn(all, "sources"),
      unscored: numberIn(all, "unscored"),
      meanReward: numberIn(all, "mean"),
      maxReward: numberIn(all, "max"),
      tiedSources: numberIn(ties, "tied"),
      distinctCandidates: distinct,
      meanTokens: numberIn(all, "mean_tokens"),
      unfinishedShare: numberIn(all, "unfinished_share"),
      unfinished: numberIn(all, "unfinished"),
      empty: numberIn(all, "empty"),
    };
  }
}

/** Starts a query that only reads; the engine checks the kind, so that no word in a text is mistaken for it. */
async function select(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, SqlParameter>>,
) {
  const statements = await connection.extractStatements(sql).catch((error: unknown) => {
    // DuckDB has no words of its own for a text without any statement.
    if (error instanceof Error && error.message === "Error in native callback") return undefined;
    throw error;
  });
  if (statements?.count !== 1)
    throw new UserError(
      `one SELECT is expected, but the query holds ${statements?.count ?? "no"} statements.`,
    );
  const prepared = await statements.prepare(0);
  if (prepared.statementType !== StatementType.SELECT && prepared.statementType !== StatementType.EXPLAIN)
    throw new UserError("candidates are read-only: write a query that begins with SELECT.");
  prepared.bind({ ...values });
  return prepared.stream();
}
