/** Parallel text to files that appear whole or not at all. */

import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { UserError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import type { Pair } from "./pair.js";

/**
 * Writes TSV or, for a name in `.jsonl`, JSONL; with `.gz` compressed. Reading the file gives the same pairs. A stream of
 * pairs is written as it comes, so that a corpus may be larger than memory.
 *
 * @throws UserError for a pair that TSV can't hold (a tab or line break inside a sentence).
 */
export async function writePairs(file: string, pairs: Iterable<Pair> | AsyncIterable<Pair>): Promise<void> {
  const name = file.toLowerCase().replace(/\.gz$/, "");
  const format = /\.(jsonl|ndjson)$/.test(name) ? jsonLine : tsvLine;
  await writeAside(file, (aside) => {
    const gzip = file.toLowerCase().endsWith(".gz") ? [createGzip()] : [];
    return pipeline([
      Readable.from(blocksOf(pairs, (pair, row) => format(pair, row, file))),
      ...gzip,
      createWriteStream(aside, { flush: true }),
    ]);
  });
}

/** Characters that are written at a time. */
const BLOCK = 1 << 16;

async function* blocksOf(
  pairs: Iterable<Pair> | AsyncIterable<Pair>,
  format: (pair: Pair, row: number) => string,
): AsyncGenerator<string, void, undefined> {
  let block = "";
  let row = 0;
  for await (const pair of pairs) {
    block += format(pair, ++row);
    if (block.length < BLOCK) continue;
    yield block;
    block = "";
  }
  if (block !== "") yield block;
}

/** Writes beside the file and renames, so that a reader sees the old content or the new one. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  await writeAside(file, (aside) => writeFile(aside, content, { flush: true }));
}

async function writeAside(file: string, write: (aside: string) => Promise<void>): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    makeFolder(dirname(file));
    await write(aside);
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw explainWriteError(error, file);
  }
}

function jsonLine({ source, target }: Pair): string {
  return `${JSON.stringify({ source, target })}\n`;
}

function tsvLine({ source, target }: Pair, row: number, file: string): string {
  for (const side of [source, target]) {
    if (/[\t\n\r]/.test(side)) {
      throw new UserError(`pair ${row} holds a tab or line break, which TSV can't; write a .jsonl file.`, {
        file,
      });
    }
  }
  return `${source}\t${target}\n`;
}

/** Turns what the operating system says about writing into a sentence; a bug stays a bug. */
export function explainWriteError(error: unknown, file: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const sentence = typeof code === "string" ? writeErrors[code] : undefined;
  return sentence === undefined ? error : new UserError(sentence, { file }, { cause: error });
}

const notAllowed = "writing here is not allowed; choose another folder or change its permissions.";
const writeErrors: Record<string, string> = {
  ENOSPC: "the disk is full; make room and run again.",
  EDQUOT: "the disk quota is used up; make room and run again.",
  EACCES: notAllowed,
  EPERM: notAllowed,
  EROFS: "the disk is read-only; choose another folder.",
  EISDIR: "there is a folder of this name; choose another file name.",
  ENOTDIR: "part of the path is a file, expected a folder; choose another path.",
  EEXIST: "part of the path is a file, expected a folder; choose another path.",
};
