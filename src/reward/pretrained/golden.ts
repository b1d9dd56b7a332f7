/** A few pairs that show whether a checkpoint still gives the scores that it gave before. */

import { UserError } from "../../errors.js";
import type { RewardInput } from "../reward.js";
import type { PretrainedScorer } from "./family.js";

/** Good and bad translations, short and long, in several scripts. */
export const GOLDEN: readonly Required<RewardInput>[] = [
  {
    source: "Der Zug fährt heute zehn Minuten später ab.",
    candidate: "The train leaves ten minutes later today.",
    reference: "Today the train departs ten minutes late.",
  },
  {
    source: "Der Zug fährt heute zehn Minuten später ab.",
    candidate: "The train is ten minutes long.",
    reference: "Today the train departs ten minutes late.",
  },
  {
    source: "我们明天在图书馆见面，好吗？",
    candidate: "Shall we meet at the library tomorrow?",
    reference: "Let's meet at the library tomorrow, all right?",
  },
  {
    source: "Сегодня ночью выпал снег.",
    candidate: "",
    reference: "It snowed last night.",
  },
];

/** Another machine, or another number of threads, changes less; another checkpoint changes more. */
const TOLERANCE = 1e-3;

/** The raw scores of `GOLDEN`. */
export async function goldenScores(scorer: PretrainedScorer): Promise<number[]> {
  return (await scorer.score(GOLDEN)).map(({ raw }) => raw);
}

/** Where scores of a checkpoint that was trained on ratings from 0 to 1 can lie; it has no bounds of its own. */
const UNIT = { from: -0.5, to: 1.5 };

/**
 * Throws where `golden`, the scores of `GOLDEN`, cannot be of the scale that the scorer's variant has: most rewards would be cut
 * at 0 or 1, and say nothing. The other way round nothing can be told: some standardised models score between 0 and 1.
 * @throws UserError naming `model`, the checkpoint's folder.
 */
export function refuseOtherScale(scorer: PretrainedScorer, golden: readonly number[], model: string): void {
  if (scorer.scale !== "unit") return;
  const at = golden.findIndex((raw) => !(raw >= UNIT.from && raw <= UNIT.to));
  if (at < 0) return;
  throw new UserError(
    `the candidate ${JSON.stringify(GOLDEN[at]!.candidate)} has the raw score ${golden[at]!.toFixed(2)}, but ${scorer.variant} ` +
      "scores about 0 to 1. If the checkpoint was trained on standardised ratings, give its own variant, or comet-z for a model of your own.",
    { file: model },
  );
}

/** The first golden pair whose score differs by more than rounding; undefined where none does. */
export function goldenDifference(
  was: readonly number[],
  is: readonly number[],
): { input: RewardInput; was: number; is: number } | undefined {
  const at = GOLDEN.findIndex(
    (_, i) => !(Math.abs(was[i]! - is[i]!) <= TOLERANCE * Math.max(1, Math.abs(was[i]!))),
  );
  return at < 0 ? undefined : { input: GOLDEN[at]!, was: was[at]!, is: is[at]! };
}
