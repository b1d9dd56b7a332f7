/** How well a reward agrees with a target metric, overall and among the candidates of one source. */

import { UserError } from "../errors.js";
import { kendall, pairwiseAccuracy, spearman } from "../evaluate/correlation.js";
import type { Reward, RewardInput } from "./reward.js";

/** One candidate, scored twice. */
export interface ScoredTwice {
  /** The source's number in its corpus: two sources may have the same text. */
  sourceId: number;
  predicted: number;
  target: number;
}

/** Rank agreement; a figure that is not defined (all values equal) is NaN. */
export interface Agreement {
  /** Over all candidates: does the reward know good from bad, easy sources from hard ones included? */
  overall: { kendall: number; spearman: number };
  /**
   * Among the candidates of one source, which is what selection needs: the mean over the sources where both sides
   * vary, and how many these are.
   */
  withinSource: { kendall: number; spearman: number; sources: number };
  /** Share of pairs of one source's candidates put in the target's order; ties of the reward count half. */
  pairwiseAccuracy: number;
  /** Pairs behind that share: those with different targets. */
  pairs: number;
  candidates: number;
  sources: number;
}

/**
 * Kendall's τ-b, Spearman's ρ and pairwise accuracy of `predicted` against `target`.
 * Throws a UserError where there is nothing to compare.
 */
export function agreement(scored: readonly ScoredTwice[]): Agreement {
  if (scored.length === 0) {
    throw new UserError("there are no held-out candidates to compare rewards on; hold some sources out");
  }
  const bySource = new Map<number, ScoredTwice[]>();
  for (const candidate of scored) {
    const siblings = bySource.get(candidate.sourceId);
    if (siblings) siblings.push(candidate);
    else bySource.set(candidate.sourceId, [candidate]);
  }
  // Where either side is constant no order can agree or disagree.
  const within = [...bySource.values()].map(rankAgreement).filter((each) => !Number.isNaN(each.kendall));
  const { accuracy, pairs } = pairwiseAccuracy(
    scored.map((each) => each.predicted),
    scored.map((each) => each.target),
    scored.map((each) => each.sourceId),
  );
  return {
    overall: rankAgreement(scored),
    withinSource: {
      kendall: mean(within.map((each) => each.kendall)),
      spearman: mean(within.map((each) => each.spearman)),
      sources: within.length,
    },
    pairwiseAccuracy: accuracy,
    pairs,
    candidates: scored.length,
    sources: bySource.size,
  };
}

/**
 * Scores `inputs` with both rewards and compares them; `sourceIds[i]` is the source of `inputs[i]`. Use sources that
 * neither reward has been trained on.
 *
 * @example await measureAgreement(learned, chrfReward(), inputs, sourceIds)
 */
export async function measureAgreement(
  reward: Reward,
  target: Reward,
  inputs: readonly RewardInput[],
  sourceIds: readonly number[],
): Promise<Agreement> {
  const predicted = await reward.score(inputs);
  const targets = await target.score(inputs);
  return agreement(
    sourceIds.map((sourceId, i) => ({ sourceId, predicted: predicted[i]!, target: targets[i]! })),
  );
}

function rankAgreement(scored: readonly ScoredTwice[]): { kendall: number; spearman: number } {
  const predicted = scored.map((each) => each.predicted);
  const target = scored.map((each) => each.target);
  return { kendall: kendall(predicted, target), spearman: spearman(predicted, target) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
