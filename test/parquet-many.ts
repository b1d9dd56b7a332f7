/**
 * Reads many Parquet files in one process that is begun anew when DuckDB ends it, as the product does for each file: a process a
 * file would take hours for 10,000.
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { defaultColumns } from "../src/data/formats/columns.js";
import { looksLikeParquet, pairsFromLines, unreadable } from "../src/data/formats/parquet.js";
import type { ParquetLine } from "../src/data/formats/parquet-rows.js";
import { readPairs } from "../src/data/read.js";

let child: ChildProcess | undefined;
let deaths = 0;
/** Milliseconds for one file of a few hundred bytes. */
const LONGEST = 60_000;

/** All pairs of a file; of one that is no Parquet to the product, as the product reads it. */
export async function readManyParquet(path: string): Promise<unknown> {
  if (!(await looksLikeParquet(path))) return readPairs(path);
  const lines = await linesOf(path);
  const pairs = [];
  for await (const pair of pairsFromLines(lines, path)) pairs.push(pair);
  return pairs;
}

/** How often DuckDB has ended its process. */
export function parquetDeaths(): number {
  return deaths;
}

export function closeParquetReader(): void {
  child?.kill("SIGKILL");
  child = undefined;
}

async function linesOf(path: string): Promise<ParquetLine[]> {
  child ??= fork(fileURLToPath(new URL("parquet-many-child.ts", import.meta.url)), {
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const reader = child;
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const died = once(reader, "exit", stop).then(([code, signal]) => {
    child = undefined;
    deaths++;
    throw unreadable(path, `its reader ended with ${signal ?? `exit code ${code}`}`);
  });
  const told = once(reader, "message", stop).then(([lines]) => lines as ParquetLine[]);
  const hung = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${LONGEST} ms`)), LONGEST);
  });
  reader.send([path, defaultColumns]);
  try {
    return await Promise.race([told, died, hung]);
  } finally {
    clearTimeout(timer);
    stop.abort();
    await Promise.allSettled([told, died]);
  }
}
