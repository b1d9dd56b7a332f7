/** The common form of ratings, wherever they come from: what one rater gave one text of one system. */

import { z } from "zod";
import { type ReadLog, standingAnswers } from "./log.js";
import type { Round } from "./round.js";

/**
 * What the scores mean; higher is better on each.
 *
 * - `sqm`: 0 to 6, as rated here
 * - `da`: direct assessment, 0 to 100
 * - `z`: the same after each rater's mean and spread are taken out
 * - `mqm`: the sum of marked errors, 0 (none) downwards
 */
export const SCALES = ["sqm", "da", "z", "mqm"] as const;
export type Scale = (typeof SCALES)[number];

/** `repeat`: shown a second time; `check`: a known damaged translation, or the human one beside it. */
export const KINDS = ["item", "repeat", "check"] as const;

export const Judgement = z.strictObject({
  scale: z.enum(SCALES),
  kind: z.enum(KINDS),
  /** The same for everything that was rated for one source: differences between systems are taken within it. */
  item: z.string(),
  rater: z.string(),
  /** A policy, `human`, `damaged:KIND`, or what a file calls it. */
  system: z.string(),
  source: z.string(),
  text: z.string(),
  reference: z.string().optional(),
  score: z.number(),
  /** In [0, 1], where the run has asked its reward. */
  reward: z.number().min(0).max(1).optional(),
  comment: z.string().optional(),
  /** ISO 8601. */
  at: z.string().optional(),
});
export type Judgement = z.infer<typeof Judgement>;

/** The ratings of a round as they stand: one for each writer of a rated output, so that a shared text counts for all. */
export function judgementsOf(round: Round, { lines }: Pick<ReadLog, "lines">): Judgement[] {
  return [...standingAnswers(lines, round.id)].flatMap(([rater, answers]) =>
    answers.flatMap((answer) => {
      const item = round.items[answer.item];
      // An answer that does not fit its item was not written by this program.
      if (answer.action === "skip" || item?.outputs.length !== answer.scores.length) return [];
      return item.outputs.flatMap(({ writers, text, reward }, output) =>
        writers.map(
          (system): Judgement => ({
            scale: "sqm",
            kind: item.kind,
            item: `${round.id}/${item.sourceId}`,
            rater,
            system,
            source: item.source,
            text,
            reference: item.reference,
            score: answer.scores[output]!,
            ...(reward === null ? {} : { reward }),
            ...(answer.comment === undefined ? {} : { comment: answer.comment }),
            at: answer.at,
          }),
        ),
      );
    }),
  );
}

/**
 * Ratings of several origins as one list: of two for the same text of the same item, system and rater the first
 * counts, so that a file that was exported here and comes back adds nothing. White space does not tell texts apart.
 */
export function merged(lists: readonly (readonly Judgement[])[]): Judgement[] {
  const known = new Map<string, Judgement>();
  for (const judgement of lists.flat()) {
    const { scale, kind, item, rater, system, source, text } = judgement;
    const key = JSON.stringify([scale, kind, item, rater, system, ...[source, text].map(oneSpaced)]);
    if (!known.has(key)) known.set(key, judgement);
  }
  return [...known.values()];
}

/** Those of one rater that read alike were one decision: a text is counted once, however many systems wrote it. */
export function byText(judgements: readonly Judgement[]): Judgement[] {
  const seen = new Set<string>();
  return judgements.filter(({ kind, item, rater, text }) => {
    const key = JSON.stringify([kind, item, rater, text]);
    return !seen.has(key) && seen.add(key);
  });
}

/** `text` with each stretch of white space as one space. */
export function oneSpaced(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}
