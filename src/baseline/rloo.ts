/**
 * RLOO, REINFORCE with a leave-one-out baseline (Kool et al. 2019; for language models Ahmadian et al. 2024, section 3): of k
 * samples yᵢ of a source, each is compared with the mean of the others, and the whole sequence is one action:
 *
 *     −Σᵢ Aᵢ·log π_θ(yᵢ|x)      Aᵢ = R(yᵢ) − 1/(k − 1)·Σ_{j≠i} R(yⱼ)      R(y) = Σₜ rₜ, the divergence from BC in it
 */

import type { Loss } from "../policy/loss.js";
import { mul, neg, total } from "../tensor/operations.js";
import type { OnlineMethod } from "./method.js";
import { placesBySource } from "./shaping.js";

export const rloo: OnlineMethod<unknown> = {
  epochs: 1,
  needsValue: false,
  credit: (batch) => {
    const rewards = batch.map((rollout) => Array.from(rollout.rewards).reduce((sum, r) => sum + r, 0));
    const advantages = leaveOneOut(
      rewards,
      batch.map(({ sourceId }) => sourceId),
    );
    return {
      advantages: batch.map((rollout, i) => new Float32Array(rollout.rewards.length).fill(advantages[i]!)),
      returns: [],
    };
  },
  loss: (): Loss => ({
    columns: ["advantage"],
    record: ({ weight, logProbs, column }) => ({
      loss: neg(total(mul(weight, mul(column("advantage"), logProbs)))),
    }),
  }),
};

/** Each reward less the mean of the other rewards of its source, of which there are two or more. */
export function leaveOneOut(rewards: readonly number[], sources: readonly number[]): number[] {
  const bySource = placesBySource(sources);
  return rewards.map((reward, i) => {
    const others = bySource.get(sources[i]!)!.filter((j) => j !== i);
    return reward - others.reduce((sum, j) => sum + rewards[j]!, 0) / others.length;
  });
}
