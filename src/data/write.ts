/** Parallel text to files that appear whole or not at all. */

import { randomBytes } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { UserError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import type { Pair } from "./pair.js";

/**
 * Writes TSV or, for a name in `.jsonl`, JSONL; with `.gz` compressed. Reading the file gives the same pairs.
 *
 * @throws UserError for a pair that TSV can't hold (a tab or line break inside a sentence).
 */
export async function writePairs(file: string, pairs: Iterable<Pair>): Promise<void> {
  const name = file.toLowerCase().replace(/\.gz$/, "");
  const format = /\.(jsonl|ndjson)$/.test(name) ? jsonLine : tsvLine;
  let text = "";
  let row = 0;
  for (const pair of pairs) text += format(pair, ++row, file);
  await writeWhole(file, file.toLowerCase().endsWith(".gz") ? gzipSync(text) : text);
}

/** Writes beside the file and renames, so that a reader sees the old content or the new one. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    makeFolder(dirname(file));
    await writeFile(aside, content, { flush: true });
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
