/** The process that test/parquet-many.ts asks for one file after another. */

import type { Columns } from "../src/data/formats/columns.js";
import { type ParquetLine, readParquetRows } from "../src/data/formats/parquet-rows.js";

process.on("message", async ([path, columns]: [string, Columns]) => {
  const lines: ParquetLine[] = [];
  await readParquetRows(path, columns, (line) => lines.push(line));
  process.send?.(lines);
});
