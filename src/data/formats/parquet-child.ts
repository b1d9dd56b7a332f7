/**
 * The process that reads a Parquet file: `parquet-child FILE SOURCE TARGET`, rows as JSON lines to standard output.
 *
 * DuckDB 1.5.6 ends the process that it is in on some damaged files: by a segmentation fault on the 2,706th copy of a small file
 * whose bytes were changed at random (test/foreign-readers.test.ts).
 */

import { DuckDBInstance } from "@duckdb/node-api";
import type { ParquetLine } from "./parquet.js";

const [file, source, target] = process.argv.slice(2) as [string, string, string];

// A Ctrl-C of the terminal reaches this process too; the one that started it decides.
process.on("SIGINT", () => undefined);

/** A pipe takes what is written before the call returns, so that nothing piles up here. */
function say(line: ParquetLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function read(): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "2",
    memory_limit: "2GB",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
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
}

function text(value: unknown): string | { is: string } {
  if (typeof value === "string") return value;
  return { is: value === null ? "null" : `a ${typeof value === "object" ? "structure" : typeof value}` };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

await read().catch((error: unknown) => {
  say({ refused: error instanceof Error ? error.message.split("\n")[0]! : String(error) });
});
