/** Pairs from two text columns of a Parquet file. */

import { open } from "node:fs/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { UserError } from "../../errors.js";
import { checkedPair, type Refusal, unlessRefused } from "../check.js";
import { emptyFile, explainReadError } from "../lines.js";
import type { Pair } from "../pair.js";
import { type Columns, defaultColumns } from "./columns.js";

/** True for a regular file that starts with Parquet's magic bytes; a missing file is false, its reader explains it. */
export async function looksLikeParquet(file: string): Promise<boolean> {
  const handle = await open(file, "r").catch(() => undefined);
  if (!handle) return false;
  try {
    // Reading ahead would take bytes out of a pipe.
    if (!(await handle.stat()).isFile()) return false;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString("latin1") === "PAR1";
  } finally {
    await handle.close();
  }
}

/**
 * Rows are counted from 1 in errors. Other columns are not read. `refused` is told of rows that are no pair, which
 * otherwise are a UserError.
 */
export async function* pairsFromParquet(
  file: string,
  columns: Columns = defaultColumns,
  refused?: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  await requireParquet(file);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const names = await connection
      .run("select * from read_parquet($1) limit 0", [file])
      .then((result) => result.columnNames())
      .catch((error: unknown) => {
        throw unreadable(file, error);
      });
    for (const column of [columns.source, columns.target]) {
      if (!names.includes(column)) {
        throw new UserError(
          `there is no column "${column}", found ${names.map((name) => `"${name}"`).join(", ")}; name yours as columns.`,
          { file },
        );
      }
    }
    const result = await connection
      .stream(`select ${quoted(columns.source)}, ${quoted(columns.target)} from read_parquet($1)`, [file])
      .catch((error: unknown) => {
        throw unreadable(file, error);
      });
    let row = 0;
    for (;;) {
      const chunk = await result.fetchChunk().catch((error: unknown) => {
        throw unreadable(file, error);
      });
      if (!chunk || chunk.rowCount === 0) break;
      for (const [source, target] of chunk.getRows()) {
        row++;
        const pair = unlessRefused(
          () =>
            checkedPair(
              text(source, columns.source, row, file),
              text(target, columns.target, row, file),
              { file },
              `row ${row}: `,
            ),
          refused,
        );
        if (pair) yield pair;
      }
    }
    if (row === 0) throw emptyFile(file, `rows with "${columns.source}" and "${columns.target}"`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function requireParquet(file: string): Promise<void> {
  if (await looksLikeParquet(file)) return;
  try {
    const handle = await open(file, "r");
    const { size } = await handle.stat().finally(() => handle.close());
    if (size === 0) throw emptyFile(file, "a Parquet file");
  } catch (error) {
    throw explainReadError(error, file);
  }
  throw new UserError("this is not a Parquet file, though its name says so; check how it was written.", {
    file,
  });
}

function text(value: unknown, column: string, row: number, file: string): string {
  if (typeof value === "string") return value;
  const found = value === null ? "null" : `a ${typeof value === "object" ? "structure" : typeof value}`;
  throw new UserError(`row ${row}: column "${column}" holds ${found}, expected text.`, { file });
}

function unreadable(file: string, error: unknown): UserError {
  const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
  return new UserError(
    `the Parquet file is damaged or cut off (${reason}); write or fetch it again.`,
    { file },
    { cause: error },
  );
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
