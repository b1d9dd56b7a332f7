/** The ratings as they were given: one line each in `RUN/ratings/ratings.jsonl`, only ever added to. */

import { z } from "zod";
import { appendLines, readJsonLines } from "./append.js";
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

/** Adds one line; see `appendLines`. */
export function appendLine(file: string, line: LogLine): void {
  appendLines(file, [line]);
}

/** All lines; none where there is no file yet. A line that cannot be read costs itself and no other. */
export function readLog(file: string): ReadLog {
  const { values, unreadable } = readJsonLines(file, LogLine);
  return { lines: values, unreadable };
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
