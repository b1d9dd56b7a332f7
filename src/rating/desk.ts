/** Where raters get their next item and leave their ratings: what a page or a program needs, and no names of policies. */

import { randomUUID } from "node:crypto";
import { UserError } from "../errors.js";
import { type Answer, appendLine, type LogLine, readLog, standingAnswers } from "./log.js";
import { shownOrder } from "./plan.js";
import type { Round } from "./round.js";
import { COMMENT_LIMIT, HIGHEST, LOWEST, NAME_LIMIT } from "./scale.js";

/** An item as a rater sees it. */
export interface ShownItem {
  /** From 0, in the order of the round. */
  item: number;
  source: string;
  /** In this rater's order. */
  outputs: string[];
}

export interface Progress {
  rated: number;
  skipped: number;
  total: number;
}

export interface Desk {
  round: string;
  rater: string;
  /** Null where nothing is left. */
  next: ShownItem | null;
  progress: Progress;
}

/** An answer that was taken back, in the order of its showing, to begin with again. */
export interface Undone {
  scores: number[] | null;
  comment: string;
}

/** An answer as it comes in; `scores` are in the shown order. */
export interface GivenAnswer {
  item: number;
  comment?: string | undefined;
}

export class RatingDesk {
  constructor(
    private readonly round: Round,
    private readonly file: string,
  ) {}

  /** Where the rater goes on. Throws a UserError where the name is empty, too long or not printable. */
  at(name: string): Desk {
    const rater = raterName(name);
    return this.#desk(rater, this.#answers(rater));
  }

  /** Keeps scores, one for each shown output. The same once more changes nothing: a page may send twice. */
  rate(name: string, { item, scores, comment }: GivenAnswer & { scores: readonly number[] }): Desk {
    const rater = raterName(name);
    const order = this.#order(item, rater);
    if (
      scores.length !== order.length ||
      scores.some((score) => !Number.isInteger(score) || score < LOWEST || score > HIGHEST)
    )
      throw new UserError(
        `item ${item + 1} asks for ${order.length} whole numbers from ${LOWEST} to ${HIGHEST}: rate every translation.`,
      );
    const inRound = order.map(() => 0);
    order.forEach((output, shown) => {
      inRound[output] = scores[shown]!;
    });
    return this.#add(rater, { action: "rate", item, scores: inRound, ...remark(comment) });
  }

  /** Passes an item by. */
  skip(name: string, { item, comment }: GivenAnswer): Desk {
    const rater = raterName(name);
    this.#order(item, rater);
    return this.#add(rater, { action: "skip", item, ...remark(comment) });
  }

  /** Takes the rater's last answer back and gives it out again; `undone` is null where there was none. */
  undo(name: string): Desk & { undone: Undone | null } {
    const rater = raterName(name);
    const last = this.#answers(rater).at(-1);
    if (!last) return { ...this.at(rater), undone: null };
    this.#append({ action: "undo", rater, undoes: last.id });
    const order = this.#order(last.item, rater);
    const scores = last.action === "rate" ? order.map((output) => last.scores[output]!) : null;
    return {
      ...this.#desk(rater, this.#answers(rater)),
      // Items before it may be open too, as after a second page; the one taken back comes first.
      next: this.#shown(last.item, rater),
      undone: { scores, comment: last.comment ?? "" },
    };
  }

  /** Everybody who has answered something. */
  raters(): { name: string; progress: Progress }[] {
    const { lines } = readLog(this.file);
    return [...standingAnswers(lines, this.round.id)].map(([name, answers]) => ({
      name,
      progress: this.#progress(answers),
    }));
  }

  #answers(rater: string): Answer[] {
    return standingAnswers(readLog(this.file).lines, this.round.id).get(rater) ?? [];
  }

  #add(rater: string, answer: Unsigned<Answer>): Desk {
    const known = this.#answers(rater).find(({ item }) => item === answer.item);
    if (!known || !isSame(known, answer)) this.#append({ ...answer, rater });
    return this.#desk(rater, this.#answers(rater));
  }

  #append(line: Unsigned<LogLine> & { rater: string }): void {
    appendLine(this.file, {
      id: randomUUID(),
      at: new Date().toISOString(),
      round: this.round.id,
      ...line,
    });
  }

  #desk(rater: string, answers: readonly Answer[]): Desk {
    const done = new Set(answers.map(({ item }) => item));
    const next = this.round.items.findIndex((_, item) => !done.has(item));
    return {
      round: this.round.id,
      rater,
      next: next < 0 ? null : this.#shown(next, rater),
      progress: this.#progress(answers),
    };
  }

  #progress(answers: readonly Answer[]): Progress {
    const skipped = answers.filter(({ action }) => action === "skip").length;
    return { rated: answers.length - skipped, skipped, total: this.round.items.length };
  }

  #shown(item: number, rater: string): ShownItem {
    const { source, outputs } = this.round.items[item]!;
    return { item, source, outputs: this.#order(item, rater).map((output) => outputs[output]!.text) };
  }

  #order(item: number, rater: string): number[] {
    if (!Number.isInteger(item) || item < 0 || item >= this.round.items.length)
      throw new UserError(
        `there is no item ${item + 1} in this round of ${this.round.items.length}: load the page again.`,
      );
    return shownOrder(this.round, item, rater);
  }
}

/** A line before it has its number, time, round and rater. */
type Unsigned<Line> = Line extends LogLine ? Omit<Line, "id" | "at" | "round" | "rater"> : never;

function remark(comment: string | undefined): { comment?: string } {
  const text = comment?.trim() ?? "";
  if (text.length > COMMENT_LIMIT)
    throw new UserError(`the comment has ${text.length} characters: ${COMMENT_LIMIT} are kept, shorten it.`);
  return text === "" ? {} : { comment: text };
}

function isSame(a: Unsigned<Answer>, b: Unsigned<Answer>): boolean {
  return (
    a.action === b.action &&
    a.comment === b.comment &&
    JSON.stringify(a.action === "rate" && a.scores) === JSON.stringify(b.action === "rate" && b.scores)
  );
}

/**
 * A rater's name as it is kept: without white space around it, in one form of Unicode. Throws a UserError for an empty or
 * long one, and for characters that act on the text around them.
 */
export function raterName(name: string): string {
  const plain = name.normalize("NFC").trim().replace(/\s+/gu, " ");
  if (
    plain === "" ||
    plain.length > NAME_LIMIT ||
    /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufeff]/u.test(plain)
  )
    throw new UserError(`a rater's name has 1 to ${NAME_LIMIT} printable characters: give yours.`);
  return plain;
}
