/** Candidates on disk: what a row is, and how rows get into Parquet files that are the same bytes for the same rows. */

import { existsSync, readdirSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import type { Pair } from "../data/pair.js";
import { UserError } from "../errors.js";
import { repetition } from "../evaluate/repetition.js";
import { writeAside, writeFailure } from "./atomic.js";
import { type Engine, type EngineOptions, fileList, openEngine, quote } from "./duckdb.js";

/**
 * A sampled or human output for a source; known by `sourceId` and `sampleId`, never by its text. A policy's
 * sample becomes one by adding `grow`, `source`, `reward` and `origin`.
 */
export interface Candidate {
  /** The Grow step it belongs to, from 1. */
  grow: number;
  sourceId: number;
  sampleId: number;
  source: string;
  text: string;
  /** Token ids, end-of-sentence included when finished; empty for human pairs. */
  tokens: number[];
  /** Log-probability of each token under the model; stored in 32 bits. */
  logProbs: number[];
  /** Log-probability of each token under the distribution that was sampled from; stored in 32 bits. */
  sampleLogProbs: number[];
  /** False when it was cut at the length limit. */
  finished: boolean;
  /** In [0, 1], higher is better; null until scored. */
  reward: number | null;
  /** `human` for a pair of the corpus D, which is a part of D_g. */
  origin: "policy" | "human";
}

/** The sample number of a source's human translation; samples count from 0. */
export const HUMAN_SAMPLE_ID = -1;

/** The corpus's own pair as a candidate of D_g. */
export function humanCandidate(grow: number, sourceId: number, pair: Pair): Candidate {
  return {
    grow,
    sourceId,
    sampleId: HUMAN_SAMPLE_ID,
    source: pair.source,
    text: pair.target,
    tokens: [],
    logProbs: [],
    sampleLogProbs: [],
    finished: true,
    reward: null,
    origin: "human",
  };
}

/**
 * Columns of a candidates file, in order. `log_prob` and `sample_log_prob` hold one number a token, under the
 * model and under the distribution sampled from. `characters` is the length of the text without outer white space,
 * `repetition` the share of its words that repeat what stands before: filters read them instead of the texts, which
 * take most of the file.
 */
export const COLUMNS = {
  grow: "INTEGER",
  source_id: "BIGINT",
  sample_id: "INTEGER",
  source: "VARCHAR",
  text: "VARCHAR",
  characters: "INTEGER",
  repetition: "DOUBLE",
  tokens: "INTEGER[]",
  log_prob: "FLOAT[]",
  sample_log_prob: "FLOAT[]",
  finished: "BOOLEAN",
  reward: "DOUBLE",
  origin: "VARCHAR",
} as const;

/** Key of the Parquet file's metadata that says which run wrote it. */
export const RUN_KEY = "coppice_run";
/** Key of what its candidates follow from, in parts that are shared through a store. */
export const ORIGIN_KEY = "coppice_origin";

/** Rows of one row group; a multiple of DuckDB's vectors of 2,048. */
const ROW_GROUP = 61_440;

/** Rows between two hand-overs to the engine. */
const FLUSH_ROWS = 8_192;

export const PART = /^part-(\d{6,})-(\d{6,})\.parquet$/;

export interface WriteOptions extends EngineOptions {
  /** The run that the file belongs to; reading it in another run is refused. */
  runId: string;
}

/** A shard: a file with all candidates of the sources `first` to `last`. */
export interface Part {
  first: number;
  last: number;
  path: string;
}

/** The shard file of a range of sources, both ends included: `part-000000-000999.parquet`. */
export function partPath(folder: string, first: number, last: number): string {
  const digits = (id: number) => String(id).padStart(6, "0");
  return join(folder, `part-${digits(first)}-${digits(last)}.parquet`);
}

/** The finished shards of a grow folder, by source. */
export function listParts(folder: string): Part[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const match = PART.exec(name);
      return match ? [{ first: Number(match[1]), last: Number(match[2]), path: join(folder, name) }] : [];
    })
    .sort((a, b) => a.first - b.first);
}

/** `candidates.parquet` of a grow folder where shards have been merged, otherwise its shards. */
export function candidateFiles(folder: string): string[] {
  const merged = join(folder, "candidates.parquet");
  return existsSync(merged) ? [merged] : listParts(folder).map((part) => part.path);
}

/** Unicode characters of the text without white space at its ends. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text.trim()) count++;
  return count;
}

function append(appender: DuckDBAppender, row: Candidate): void {
  if (row.tokens.length !== row.logProbs.length || row.tokens.length !== row.sampleLogProbs.length)
    throw new Error(
      `candidate ${row.sourceId}/${row.sampleId} has ${row.tokens.length} tokens but ` +
        `${row.logProbs.length} and ${row.sampleLogProbs.length} log-probabilities`,
    );
  appender.appendInteger(row.grow);
  appender.appendBigInt(BigInt(row.sourceId));
  appender.appendInteger(row.sampleId);
  appender.appendVarchar(row.source);
  appender.appendVarchar(row.text);
  appender.appendInteger(characters(row.text));
  appender.appendDouble(repetition(row.text));
  // Lists go over as text: six times faster than the binding's own lists (100,000 rows of 12 + 12: 0.7 s).
  appender.appendVarchar(`[${row.tokens.join(",")}]`);
  appender.appendVarchar(`[${row.logProbs.join(",")}]`);
  appender.appendVarchar(`[${row.sampleLogProbs.join(",")}]`);
  appender.appendBoolean(row.finished);
  if (row.reward === null) appender.appendNull();
  else appender.appendDouble(row.reward);
  appender.appendVarchar(row.origin);
  appender.endRow();
}

/**
 * The statement that copies a query to Parquet. On one thread, and in a total order, because row groups are cut
 * where the rows arrive: so the bytes depend on the rows and `metadata` only, not on shards or batches.
 */
export function copyStatement(
  query: string,
  target: string,
  metadata: Readonly<Record<string, string>>,
): string {
  const pairs = Object.entries(metadata).map(([key, value]) => `${key}: ${quote(value)}`);
  return (
    `COPY (${query} ORDER BY grow, source_id, sample_id) TO ${quote(target)} ` +
    `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP}, KV_METADATA {${pairs.join(", ")}})`
  );
}

/** What a file of candidates says of itself. */
export function metadataOf({ run, origin }: { run: string; origin?: string }): Record<string, string> {
  return { [RUN_KEY]: run, ...(origin !== undefined && { [ORIGIN_KEY]: origin }) };
}

/** Copies a query to Parquet, whole or not at all. */
async function copy(
  connection: DuckDBConnection,
  query: string,
  path: string,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  await writeAside(path, async (aside) => {
    await connection.run(copyStatement(query, aside, metadata));
  });
}

/**
 * Collects candidates and writes them as one Parquet file when finished; nothing is at `path` before.
 *
 * @example
 * const writer = await CandidateWriter.open(partPath("run/grow-1", 0, 999), { runId });
 * for await (const batch of sampled) writer.append(batch);
 * await writer.finish();
 */
export class CandidateWriter {
  #rows = 0;

  private constructor(
    readonly path: string,
    private readonly metadata: Readonly<Record<string, string>>,
    private readonly engine: Engine,
    private readonly connection: DuckDBConnection,
    private readonly appender: DuckDBAppender,
  ) {}

  /** @param options With `origin` the file says what its candidates follow from, as a store of parts asks. */
  static async open(path: string, options: WriteOptions & { origin?: string }): Promise<CandidateWriter> {
    const { runId: run, origin } = options;
    const metadata = metadataOf({ run, ...(origin !== undefined && { origin }) });
    const engine = await openEngine(path, { ...options, threads: 1 });
    const connection = await engine.instance.connect();
    const columns = Object.entries(COLUMNS).map(
      ([name, type]) => `${name} ${type.endsWith("[]") ? "VARCHAR" : type}`,
    );
    await connection.run(`CREATE TABLE rows (${columns.join(", ")})`);
    const appender = await connection.createAppender("rows");
    return new CandidateWriter(path, metadata, engine, connection, appender);
  }

  get rows(): number {
    return this.#rows;
  }

  append(batch: Iterable<Candidate>): void {
    try {
      for (const row of batch) {
        append(this.appender, row);
        if (++this.#rows % FLUSH_ROWS === 0) this.appender.flushSync();
      }
    } catch (error) {
      throw writeFailure(error, this.path);
    }
  }

  /** Writes the file, sorted by source and sample, and closes. Throws a UserError for a full disk or a read-only folder. */
  async finish(): Promise<void> {
    try {
      this.appender.flushSync();
      const columns = Object.entries(COLUMNS).map(([name, type]) =>
        type.endsWith("[]") ? `CAST(${name} AS ${type}) AS ${name}` : name,
      );
      await copy(this.connection, `SELECT ${columns.join(", ")} FROM rows`, this.path, this.metadata);
    } finally {
      this.abort();
    }
  }

  /** Closes without writing anything. */
  abort(): void {
    this.connection.closeSync();
    this.engine.close();
  }
}

/**
 * Merges a grow folder's shards into `candidates.parquet`, the same bytes however they were cut, then removes
 * them. Does only what is left of that when a killed process began it.
 */
export async function mergeParts(folder: string, options: WriteOptions): Promise<string> {
  const merged = join(folder, "candidates.parquet");
  const parts = listParts(folder);
  if (!existsSync(merged)) {
    if (parts.length === 0)
      throw new UserError("this folder holds no candidates. Run the Grow step first.", { file: folder });
    parts.forEach((part, i) => {
      if (i > 0 && part.first <= parts[i - 1]!.last)
        throw new UserError(
          `its sources overlap those of part ${parts[i - 1]!.first} to ${parts[i - 1]!.last}. Remove one of the two.`,
          { file: part.path },
        );
    });
    const files = parts.map((part) => part.path);
    await checkFiles(files, options.runId);
    const engine = await openEngine(merged, { ...options, threads: 1 });
    const connection = await engine.instance.connect();
    try {
      await copy(
        connection,
        `SELECT * FROM read_parquet(${fileList(files)})`,
        merged,
        metadataOf({ run: options.runId }),
      );
    } finally {
      connection.closeSync();
      engine.close();
    }
  }
  for (const part of parts) await rm(part.path, { force: true });
  return merged;
}

/** The reward of one candidate. */
export interface Scored {
  sourceId: number;
  sampleId: number;
  reward: number;
}

/**
 * Joins rewards to the candidates of a grow folder, each file replaced whole; candidates not named keep what
 * they have. Returns how many are still without a reward. Throws an Error for a reward outside [0, 1], one given
 * twice, or one for a candidate that is not there; then every file is as it was.
 */
export async function withRewards(
  folder: string,
  rewards: AsyncIterable<readonly Scored[]> | Iterable<readonly Scored[]>,
  options: WriteOptions,
): Promise<{ scored: number; missing: number }> {
  const files = candidateFiles(folder);
  await checkFiles(files, options.runId);
  const engine = await openEngine(join(folder, "rewards"), { ...options, threads: 1 });
  const connection = await engine.instance.connect();
  try {
    await connection.run("CREATE TABLE rewards (source_id BIGINT, sample_id INTEGER, reward DOUBLE)");
    const appender = await connection.createAppender("rewards");
    let scored = 0;
    for await (const batch of rewards) {
      for (const { sourceId, sampleId, reward } of batch) {
        if (!(reward >= 0 && reward <= 1))
          throw new Error(
            `the reward of candidate ${sourceId}/${sampleId} is ${reward}, not a number in [0, 1]`,
          );
        appender.appendBigInt(BigInt(sourceId));
        appender.appendInteger(sampleId);
        appender.appendDouble(reward);
        appender.endRow();
        scored++;
      }
      appender.flushSync();
    }
    appender.closeSync();
    const all = `read_parquet(${fileList(files)})`;
    const counts = await connection.runAndReadAll(
      `SELECT (SELECT count(*) FROM (SELECT DISTINCT source_id, sample_id FROM rewards)) AS distinct_rewards,
        (SELECT count(*) FROM rewards ANTI JOIN ${all} USING (source_id, sample_id)) AS unknown,
        (SELECT count(*) FROM ${all} ANTI JOIN rewards USING (source_id, sample_id) WHERE reward IS NULL) AS missing`,
    );
    const [distinct, unknown, missing] = counts.getRowsJS()[0]!.map(Number);
    if (distinct !== scored) throw new Error(`${scored} rewards were given for ${distinct} candidates`);
    if (unknown !== 0) throw new Error(`${unknown} rewards are for candidates that ${folder} does not hold`);
    for (const file of files) {
      const query =
        "SELECT c.* REPLACE (coalesce(r.reward, c.reward) AS reward) " +
        `FROM read_parquet(${quote(file)}) c LEFT JOIN rewards r USING (source_id, sample_id)`;
      await copy(connection, query, file, metadataOf({ run: options.runId }));
    }
    return { scored, missing: missing ?? 0 };
  } catch (error) {
    throw writeFailure(error, folder);
  } finally {
    connection.closeSync();
    engine.close();
  }
}

/**
 * Throws a UserError naming the first file that is not Parquet, has other columns than a candidates file, or
 * was written by another run than `runId` (when given).
 */
export async function checkFiles(files: readonly string[], runId?: string): Promise<void> {
  const engine = await openEngine(files[0] ?? "candidates", { threads: 1 });
  const connection = await engine.instance.connect();
  try {
    for (const file of files) await checkFile(connection, file, runId);
  } finally {
    connection.closeSync();
    engine.close();
  }
}

/** Parquet's first and last four bytes, before which the length of the footer stands. */
const [MAGIC, TAIL] = ["PAR1", 8];

/**
 * Whether the footer is where Parquet has it, which of a file that is cut short it is not. Of one damaged within, the manifest
 * knows the hash (`Manifest.check`).
 */
async function hasFooter(file: string): Promise<boolean> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    if (size < MAGIC.length + TAIL) return false;
    const head = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    const tail = await handle.read(Buffer.alloc(TAIL), 0, TAIL, size - TAIL);
    return (
      head.buffer.toString("latin1") === MAGIC &&
      tail.buffer.toString("latin1", 4) === MAGIC &&
      tail.buffer.readUInt32LE(0) <= size - MAGIC.length - TAIL
    );
  } finally {
    await handle.close();
  }
}

async function checkFile(
  connection: DuckDBConnection,
  file: string,
  runId: string | undefined,
): Promise<void> {
  const broken = (cause?: unknown) =>
    new UserError(
      "this is not a whole Parquet file. Put it back from a copy; where it is not scored yet, delete it and `coppice run` samples it again.",
      { file },
      { cause },
    );
  const ask = async (sql: string) => {
    try {
      return (await connection.runAndReadAll(sql)).getRowsJS();
    } catch (error) {
      throw broken(error);
    }
  };
  const whole = await hasFooter(file).catch((error: unknown) => {
    throw broken(error);
  });
  if (!whole) throw broken();
  const columns = await ask(
    `SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet(${quote(file)}))`,
  );
  const found = new Map(columns.map(([name, type]) => [String(name), String(type)]));
  for (const [name, type] of Object.entries(COLUMNS)) {
    const is = found.get(name);
    if (is !== type)
      throw new UserError(
        `this is not a file of Coppice's candidates: column ${name} ${is === undefined ? "is missing" : `is ${is}`}, ` +
          `expected ${type}. Move it out of the grow folder.`,
        { file },
      );
  }
  if (runId === undefined) return;
  const keys = await ask(
    `SELECT decode(value) FROM parquet_kv_metadata(${quote(file)}) WHERE decode(key) = ${quote(RUN_KEY)}`,
  );
  const run = keys[0]?.[0];
  if (run !== runId)
    throw new UserError(
      `these candidates belong to ${run === undefined ? "no run" : `run ${String(run)}`}, but this folder is run ${runId}. ` +
        "Move the file out of the grow folder.",
      { file },
    );
}
