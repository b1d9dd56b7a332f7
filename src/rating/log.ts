/** The ratings as they were given: one line each in `RUN/ratings/ratings.jsonl`, only ever added to. */

import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import { writeFailure } from "../store/atomic.js";
import { COMMENT_LIMIT, HIGHEST, LOWEST, NAME_LIMIT } from "./scale.js";

const common = {
  id: z.uuid(),
  /** ISO 8601. */
  at: z.string(),
  round: z.string(),
  rater: z.string().min(1).max(NAME_LIMIT),
};
const item = z.int().nonnegative();
const comment = z.string().max(COMMENT_LIMIT);

const LogLine = z.discriminatedUnion("action", [
  z.strictObject({
    ...common,
    action: z.literal("rate"),
    /** Place of the item in the round, from 0. */
    item,
    /** One for each output of the item, in the order of the round, whatever the order they were shown in. */
    scores: z.array(z.int().min(LOWEST).max(HIGHEST)).min(1),
    comment: comment.optional(),
  }),
  z.strictObject({ ...common, action: z.literal("skip"), item, comment: comment.optional() }),
  /** Takes back the line with that id. */
  z.strictObject({ ...common, action: z.literal("undo"), undoes: z.uuid() }),
]);

export type LogLine = z.infer<typeof LogLine>;
/** What a rater did with an item. */
export type Answer = Exclude<LogLine, { action: "undo" }>;

export interface ReadLog {
  /** In the order in which they were written. */
  lines: LogLine[];
  /** Numbers, from 1, of lines that are none: what a crash left half written, or another hand changed. */
  unreadable: number[];
}

/**
 * Adds one line and waits until the disk has it. One write to a file opened for appending: lines of several
 * processes do not mix. What a crash left half written stays a line of its own.
 *
 * Throws a UserError where the disk is full or the folder read-only; then the line does not count.
 */
export function appendLine(file: string, line: LogLine): void {
  try {
    makeFolder(dirname(file));
    // "a+": with "a" alone the end could not be looked at.
    const handle = openSync(file, "a+");
    try {
      const { size } = fstatSync(handle);
      const bytes = Buffer.from(`${endsLine(handle, size) ? "" : "\n"}${JSON.stringify(line)}\n`);
      if (writeSync(handle, bytes) < bytes.length)
        throw new UserError("the disk is full, so the last rating is not kept; make room and rate again.", {
          file,
        });
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
  return last[0] === 0x0a;
}

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

/** All lines; none where there is no file yet. A line that cannot be read costs itself and no other. */
export function readLog(file: string): ReadLog {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      return { lines: [], unreadable: [] };
    throw error;
  }
  const lines: LogLine[] = [];
  const unreadable: number[] = [];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const parsed = LogLine.safeParse(parseJson(line));
    if (parsed.success) lines.push(parsed.data);
    else unreadable.push(i + 1);
  });
  return { lines, unreadable };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What counts of a round, for each rater: the last answer to each item that was not taken back, in the order in which
 * they were given. An answer taken back leaves the one before it to the same item, where there was one.
 */
export function standingAnswers(lines: readonly LogLine[], round: string): Map<string, Answer[]> {
  const ofRound = lines.filter((line) => line.round === round);
  // A line may only be taken back by its own rater.
  const undone = new Set(
    ofRound.flatMap((line) => (line.action === "undo" ? [`${line.rater}\n${line.undoes}`] : [])),
  );
  const raters = new Map<string, Map<number, Answer>>();
  for (const line of ofRound) {
    if (line.action === "undo" || undone.has(`${line.rater}\n${line.id}`)) continue;
    const answers = raters.get(line.rater) ?? new Map<number, Answer>();
    // Put at the end anew: what was answered last is what undo takes back.
    answers.delete(line.item);
    answers.set(line.item, line);
    raters.set(line.rater, answers);
  }
  return new Map([...raters].map(([rater, answers]) => [rater, [...answers.values()]]));
}
