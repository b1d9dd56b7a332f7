/** The figures of a run as one long table: a line a figure, for spreadsheets, notebooks and databases. */

import { appendFile } from "node:fs/promises";
import { openEngine, quote } from "../store/duckdb.js";
import type { Scalar } from "./scalars.js";

export type TableFormat = "csv" | "jsonl" | "parquet";

/** The columns, which docs/exports.md describes. */
const COLUMNS = {
  line: ["BIGINT", ({ line }) => line],
  curve: ["VARCHAR", ({ curve }) => curve],
  series: ["VARCHAR", ({ series }) => series],
  policy: ["VARCHAR", ({ policy }) => policy],
  step: ["BIGINT", ({ step }) => step],
  value: ["DOUBLE", ({ value }) => value],
  unix_time: ["DOUBLE", ({ at }) => at],
} satisfies Record<string, readonly [type: string, (scalar: Scalar) => string | number]>;

/** Lines that are put together at a time. */
const BLOCK = 10_000;

/** Writes the table to `file`, which is not there yet. */
export async function writeTable(
  file: string,
  format: TableFormat,
  scalars: readonly Scalar[],
): Promise<void> {
  if (format === "parquet") return writeParquet(file, scalars);
  const lines = scalars.map((scalar) =>
    format === "csv" ? cells(scalar).map(csvCell).join(",") : JSON.stringify(named(scalar)),
  );
  if (format === "csv") lines.unshift(Object.keys(COLUMNS).join(","));
  for (let start = 0; start < lines.length; start += BLOCK)
    await appendFile(file, `${lines.slice(start, start + BLOCK).join("\n")}\n`);
}

function cells(scalar: Scalar): (string | number)[] {
  return Object.values(COLUMNS).map(([, cell]) => cell(scalar));
}

function named(scalar: Scalar): Record<string, string | number> {
  return Object.fromEntries(Object.entries(COLUMNS).map(([name, [, cell]]) => [name, cell(scalar)]));
}

/** As RFC 4180 has it: quoted where it holds a comma, a quote or a line break. */
function csvCell(value: string | number): string {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function writeParquet(file: string, scalars: readonly Scalar[]): Promise<void> {
  const engine = await openEngine(file);
  const connection = await engine.instance.connect();
  try {
    const columns = Object.entries(COLUMNS).map(([name, [type]]) => `${name} ${type}`);
    await connection.run(`CREATE TABLE figures (${columns.join(", ")})`);
    const appender = await connection.createAppender("figures");
    for (const scalar of scalars) {
      for (const [type, cell] of Object.values(COLUMNS)) {
        const value = cell(scalar);
        if (type === "VARCHAR") appender.appendVarchar(String(value));
        else if (type === "BIGINT") appender.appendBigInt(BigInt(value));
        else appender.appendDouble(Number(value));
      }
      appender.endRow();
    }
    appender.closeSync();
    await connection.run(`COPY figures TO ${quote(file)} (FORMAT parquet)`);
  } finally {
    connection.closeSync();
    engine.close();
  }
}
