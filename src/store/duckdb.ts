/** DuckDB as the store uses it: in memory, bounded, its errors in the user's words. */

import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { DuckDBInstance, type JS } from "@duckdb/node-api";
import { UserError } from "../errors.js";
import { asideOf } from "./atomic.js";

export interface EngineOptions {
  /** Threads of the query engine, default 2. */
  threads?: number;
  /** Megabytes before it spills to disk, default 400. */
  memoryMegabytes?: number;
  /** Folder to spill into in place of the one beside the data, for readers that must not write there. */
  spillFolder?: string;
}

/** A value bound to a query's `$name`. */
export type SqlParameter = string | number | boolean | null;

/** A column's value in JavaScript; whole numbers beyond 2^53 come as strings. */
export type SqlValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Date
  | SqlValue[]
  | { [column: string]: SqlValue };

export type SqlRow = Record<string, SqlValue>;

export interface Engine {
  instance: DuckDBInstance;
  /** Closes the database and removes what it spilled. */
  close(): void;
}

/** Opens an empty in-memory database that spills beside `path` (or into `spillFolder`) when memory runs short. */
export async function openEngine(path: string, options: EngineOptions = {}): Promise<Engine> {
  const beside = asideOf(`${path}.spill`);
  const spill = options.spillFolder === undefined ? beside : join(options.spillFolder, basename(beside));
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(options.threads ?? 2),
    memory_limit: `${options.memoryMegabytes ?? 400}MB`,
    temp_directory: spill,
    // The engine asks nothing of the network, so that a run gives the same anywhere.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  return {
    instance,
    close: () => {
      instance.closeSync();
      rmSync(spill, { recursive: true, force: true });
    },
  };
}

/** A string as an SQL literal. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A number as an SQL double, to the last bit: a bare `0.1` would be a decimal. */
export function double(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a finite number`);
  return `CAST('${value}' AS DOUBLE)`;
}

/** A list of files as an SQL list of strings. */
export function fileList(files: readonly string[]): string {
  return `[${files.map(quote).join(", ")}]`;
}

/** DuckDB's value as ours. */
export function fromDuckDb(value: JS): SqlValue {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(fromDuckDb);
  if (value === null || typeof value !== "object" || value instanceof Uint8Array || value instanceof Date)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromDuckDb(item)]));
}

/** The first sentence of a DuckDB message, as a UserError about the query that the user wrote. */
export function queryFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const message = error.message
    .split("\n\n")[0]!
    .replaceAll("\n", " ")
    .replace("Failed to extract statements: ", "");
  return new UserError(`the query failed: ${message}. The table is called candidates.`, {}, { cause: error });
}
