/** Files of JSON lines that are only ever added to, by several processes if need be. */

import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { UserError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import { writeFailure } from "../store/atomic.js";

/**
 * Adds one line a value and waits until the disk has them. One write to a file opened for appending: lines of several
 * processes do not mix. What a crash left half written stays a line of its own.
 *
 * Throws a UserError where the disk is full or the folder read-only; then what was asked to be added may be missing, and
 * nothing else.
 */
export function appendLines(file: string, values: readonly unknown[]): void {
  try {
    makeFolder(dirname(file));
    // "a+": opened with "a" alone its end could not be looked at.
    const handle = openSync(file, "a+");
    try {
      const { size } = fstatSync(handle);
      const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
      const bytes = Buffer.from(endsLine(handle, size) ? text : `\n${text}`);
      if (writeSync(handle, bytes) < bytes.length)
        throw new UserError(
          "the disk is full, so the last ratings are not kept. Make room and give them again.",
          {
            file,
          },
        );
      fsyncSync(handle);
      if (size === 0) syncFolderOf(file);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw writeFailure(error, file);
  }
}

function endsLine(handle: number, size: number): boolean {
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(handle, last, 0, 1, size - 1);
  return last[0] === NEWLINE;
}

const NEWLINE = 0x0a;

/** A new file's name is on disk once its folder is. Windows has no such call and needs none. */
function syncFolderOf(file: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(dirname(file), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * The values that are as `schema` says, in order, and the numbers (from 1) of the lines that are not: what a crash left
 * half written, or another hand changed. Nothing where there is no file.
 */
export function readJsonLines<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): { values: z.infer<Schema>[]; unreadable: number[] } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      return { values: [], unreadable: [] };
    throw error;
  }
  const values: z.infer<Schema>[] = [];
  const unreadable: number[] = [];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const parsed = schema.safeParse(parseJson(line));
    if (parsed.success) values.push(parsed.data);
    else unreadable.push(i + 1);
  });
  return { values, unreadable };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
