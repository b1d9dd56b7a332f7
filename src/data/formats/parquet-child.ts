/**
 * The process that reads a Parquet file: `parquet-child FILE SOURCE TARGET`, rows as JSON lines to standard output.
 *
 * DuckDB 1.5.6 ends the process that it is in on some damaged files: by a segmentation fault on the 2,706th copy of a small file
 * whose bytes were changed at random (test/foreign-readers.test.ts).
 */

import { readParquetRows } from "./parquet-rows.js";

const [file, source, target] = process.argv.slice(2) as [string, string, string];

// A Ctrl-C of the terminal reaches this process too; the one that started it decides.
process.on("SIGINT", () => undefined);

// A pipe takes what is written before the call returns, so that nothing piles up here.
await readParquetRows(file, { source, target }, (line) => process.stdout.write(`${JSON.stringify(line)}\n`));
