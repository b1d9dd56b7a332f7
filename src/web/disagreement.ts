/** Where a reward and another judge of the same translations part. */

import { averageRanks } from "../evaluate/correlation.js";

export interface Disagreement {
  /** Place in the lists. */
  index: number;
  /** Share of translations that the reward ranks below this one minus the judge's, −1 to 1: above 0, the reward overrates it. */
  gap: number;
}

/**
 * Every translation with its gap, the most overrated first; ties in rank share their mean, equal gaps stay in order.
 * Ranks are compared because the two are on scales of their own. Throws a RangeError for lists of different lengths.
 */
export function disagreements(reward: readonly number[], judge: readonly number[]): Disagreement[] {
  if (reward.length !== judge.length)
    throw new RangeError(`${reward.length} rewards against ${judge.length} judgements`);
  const [byReward, byJudge] = [averageRanks(reward), averageRanks(judge)];
  return reward
    .map((_, index) => ({ index, gap: (byReward[index]! - byJudge[index]!) / reward.length }))
    .sort((a, b) => b.gap - a.gap || a.index - b.index);
}

/** Translations of similar reward. */
export interface RewardBand {
  /** Lowest and highest reward in it, in [0, 1]. */
  low: number;
  high: number;
  reward: number;
  /** Mean of the other judge. */
  judge: number;
  count: number;
}

/** The translations by rising reward in `bands` parts of equal size (to one); fewer where there are fewer translations. */
export function rewardBands(
  reward: readonly number[],
  judge: readonly number[],
  bands: number,
): RewardBand[] {
  const order = reward.map((_, index) => index).sort((a, b) => reward[a]! - reward[b]! || a - b);
  const parts = Math.min(bands, order.length);
  return Array.from({ length: parts }, (_, part) => {
    const members = order.slice(
      Math.round((part * order.length) / parts),
      Math.round(((part + 1) * order.length) / parts),
    );
    return {
      low: reward[members[0]!]!,
      high: reward[members.at(-1)!]!,
      reward: mean(members.map((index) => reward[index]!)),
      judge: mean(members.map((index) => judge[index]!)),
      count: members.length,
    };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
