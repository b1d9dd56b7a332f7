/** Reads the rows of a Parquet file with DuckDB, in a process that DuckDB may end. */

import { DuckDBInstance } from "@duckdb/node-api";
import type { Columns } from "./columns.js";

/** What the process that reads says: the names of all columns, then each row, then that it came to the end. */
export type ParquetLine =
  | { names: string[] }
  | { row: [source: Cell, target: Cell] }
  | { end: true }
  | { refused: string };

/** A text, or what stands in its place. */
export type Cell = string | { is: string };

/** Tells `say` all lines of `file`; what DuckDB refuses is one of them. */
export async function readParquetRows(
  file: string,
  columns: Columns,
  say: (line: ParquetLine) => void,
): Promise<void> {
  try {
    await read(file, columns, say);
  } catch (error) {
    say({ refused: error instanceof Error ? error.message.split("\n")[0]! : String(error) });
  }
}

async function read(
  file: string,
  { source, target }: Columns,
  say: (line: ParquetLine) => void,
): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "2",
    memory_limit: "2GB",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  try {
    const names = (await connection.run("select * from read_parquet($1) limit 0", [file])).columnNames();
    say({ names });
    if (!names.includes(source) || !names.includes(target)) return;
    const result = await connection.stream(
      `select ${quoted(source)}, ${quoted(target)} from read_parquet($1)`,
      [file],
    );
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) break;
      for (const [one, other] of chunk.getRows()) say({ row: [text(one), text(other)] });
    }
    say({ end: true });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function text(value: unknown): string | { is: string } {
  if (typeof value === "string") return value;
  return { is: value === null ? "null" : `a ${typeof value === "object" ? "structure" : typeof value}` };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
