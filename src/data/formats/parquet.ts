/** Pairs from two text columns of a Parquet file. */

import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { UserError } from "../../errors.js";
import { checkedPair, type Refusal, unlessRefused } from "../check.js";
import { emptyFile, explainReadError } from "../lines.js";
import type { Pair } from "../pair.js";
import { type Columns, defaultColumns } from "./columns.js";
import type { Cell, ParquetLine } from "./parquet-rows.js";

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
 * Rows are counted from 1 in errors. Other columns are not read. A process of its own reads (see parquet-child.ts), so that a
 * file which makes it crash is a damaged file and no more. `refused` is told of rows that are no pair, which otherwise are a
 * UserError.
 */
export async function* pairsFromParquet(
  file: string,
  columns: Columns = defaultColumns,
  refused?: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  await requireParquet(file);
  yield* pairsFromLines(linesFromChild(file, columns), file, columns, refused);
}

/** The pairs that `lines` say, which a process told of the file. */
export async function* pairsFromLines(
  lines: AsyncIterable<ParquetLine> | Iterable<ParquetLine>,
  file: string,
  columns: Columns = defaultColumns,
  refused?: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  let row = 0;
  for await (const line of lines) {
    if ("refused" in line) throw unreadable(file, line.refused);
    if ("names" in line) {
      for (const column of [columns.source, columns.target])
        if (!line.names.includes(column))
          throw new UserError(
            `there is no column "${column}", found ${line.names.map((name) => `"${name}"`).join(", ")}; name yours as columns.`,
            { file },
          );
    } else if ("row" in line) {
      row++;
      const [source, target] = line.row;
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
}

async function* linesFromChild(
  file: string,
  { source, target }: Columns,
): AsyncGenerator<ParquetLine, void, undefined> {
  const extension = extname(import.meta.url);
  const program = fileURLToPath(new URL(`./parquet-child${extension}`, import.meta.url));
  // From sources (tests, benches) the program is TypeScript too, and a new process does not inherit the loader.
  const loader =
    extension === ".js"
      ? []
      : ["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx/esm")).href];
  const child = spawn(process.execPath, [...loader, program, file, source, target], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  try {
    let whole = false;
    for await (const text of createInterface({ input: child.stdout })) {
      // What the child's `say` wrote.
      const line = JSON.parse(text) as ParquetLine;
      whole ||= "end" in line;
      yield line;
    }
    const how = await ended;
    if (!whole) throw unreadable(file, `its reader ended with ${how}`);
  } finally {
    child.kill("SIGKILL");
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

function text(value: Cell, column: string, row: number, file: string): string {
  if (typeof value === "string") return value;
  throw new UserError(`row ${row}: column "${column}" holds ${value.is}, expected text.`, { file });
}

/** The error for a file that its reader refuses, or that ended its reader. */
export function unreadable(file: string, reason: string): UserError {
  return new UserError(`the Parquet file is damaged or cut off (${reason}); write or fetch it again.`, {
    file,
  });
}
