/**
 * PPO (Schulman et al. 2017, Eq. 7): −Σₜ min(ρₜ·Aₜ, clip(ρₜ, 1 − ε, 1 + ε)·Aₜ) with ρₜ = π_θ(aₜ|sₜ) / π_old(aₜ|sₜ) and π_old the
 * policy that sampled the batch. Advantages by generalised advantage estimation (Schulman et al. 2016, Eq. 16), on a value
 * function of its own:
 *
 *     δₜ = rₜ + γ·V(sₜ₊₁) − V(sₜ)      Aₜ = δₜ + γλ·Aₜ₊₁      V(s_{T+1}) = A_{T+1} = 0      Gₜ = Aₜ + V(sₜ)
 */

import type { Loss } from "../policy/loss.js";
import { exp, maximum, minimum, mul, neg, sub, total } from "../tensor/operations.js";
import type { OnlineMethod } from "./method.js";
import { LEAST_DEVIATION, moments } from "./shaping.js";

export interface PpoOptions {
  /** ε, above 0. */
  readonly clip: number;
  /** γ and λ, in [0, 1]. */
  readonly discount: number;
  readonly lambda: number;
  /** Give the advantages of a batch mean 0 and deviation 1. */
  readonly whiten: boolean;
}

export const ppo: OnlineMethod<PpoOptions> = {
  epochs: 4,
  needsValue: true,
  credit: (batch, { discount, lambda, whiten }) => {
    const found = batch.map(({ rewards, values }) => advantageEstimates(rewards, values, discount, lambda));
    return {
      advantages: (whiten ? whitened(found) : found).map((one) => Float32Array.from(one)),
      returns: found.map((one, i) =>
        Float32Array.from(one, (advantage, t) => advantage + batch[i]!.values[t]!),
      ),
    };
  },
  loss: ({ clip }): Loss => ({
    columns: ["advantage", "behavior"],
    record: ({ weight, logProbs, column }) => {
      const ratio = exp(sub(logProbs, column("behavior")));
      const clipped = maximum(minimum(ratio, 1 + clip), 1 - clip);
      const advantage = column("advantage");
      return { loss: neg(total(mul(weight, minimum(mul(ratio, advantage), mul(clipped, advantage))))) };
    },
  }),
};

/** Aₜ of one sequence from its rewards and values, [T] each. */
export function advantageEstimates(
  rewards: ArrayLike<number>,
  values: ArrayLike<number>,
  discount: number,
  lambda: number,
): Float64Array {
  const advantages = new Float64Array(rewards.length);
  let [nextValue, nextAdvantage] = [0, 0];
  for (let t = rewards.length - 1; t >= 0; t--) {
    const delta = rewards[t]! + discount * nextValue - values[t]!;
    nextAdvantage = delta + discount * lambda * nextAdvantage;
    nextValue = values[t]!;
    advantages[t] = nextAdvantage;
  }
  return advantages;
}

/** Shifted and scaled together to mean 0 and deviation 1 over all tokens; as they are where all are equal. */
export function whitened(advantages: readonly Float64Array[]): Float64Array[] {
  const { mean, deviation } = moments(advantages.flatMap((one) => Array.from(one)));
  const scale = deviation < LEAST_DEVIATION ? 1 : 1 / deviation;
  return advantages.map((one) => one.map((advantage) => (advantage - mean) * scale));
}
