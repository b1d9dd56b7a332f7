/** A few pairs that show whether a checkpoint still gives the scores that it gave before. */

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
