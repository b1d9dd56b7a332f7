/**
 * GOLD of Pang and He (2021), "Text generation by learning from demonstrations" (another library uses the name for a
 * distillation method): −Σₜ max(u, π̃(aₜ|sₜ))·Qₜ·log π_θ(aₜ|sₜ), with π̃ a stale copy of the policy and Qₜ a look-ahead of the
 * maximum-likelihood model, which ReST takes to be BC. As in the authors' code:
 *
 *     Qₜ = Σ_{k=0..K} γᵏ·max(r_{t+k}, c)      r = p_MLE (s),  log(p_MLE + 10⁻¹⁰) − b (p),  Q ≡ 1 (delta)
 *
 * Tokens past the end count as certain, p_MLE = 1: each adds max(1, c) to s and max(−b, c) to p.
 */

import type { Loss } from "../../policy/loss.js";
import { mul, neg, total } from "../../tensor/operations.js";
import type { ImproveLoss } from "./loss.js";

export interface GoldOptions {
  readonly variant: "s" | "p" | "delta";
  /** u, in [0, 1]: the least importance of a token. */
  readonly floor: number;
  /** K: tokens looked ahead, beside the token itself. */
  readonly lookAhead: number;
  /** γ, in (0, 1]. */
  readonly discount: number;
  /** c: the least reward of a token. */
  readonly rewardFloor: number;
  /** b: what log-probabilities are raised by, so that rewards of variant p are not below 0. */
  readonly baseline: number;
  /** Updates between two renewals of the stale copy. */
  readonly syncEvery: number;
}

export const gold: ImproveLoss<GoldOptions> = {
  needs: ["likelihood"],
  prepare: ({ logProbs }, options) => ({ weight: 1, columns: { q: lookAhead(logProbs, options) } }),
  make: ({ floor, syncEvery }): Loss => ({
    columns: ["q"],
    old: { every: syncEvery },
    compute: ({ oldLogProbs }) => ({
      importance: oldLogProbs.map((logProb) => Math.min(1, Math.max(floor, Math.exp(logProb)))),
    }),
    record: ({ weight, logProbs, column }) => ({
      loss: neg(total(mul(mul(weight, mul(column("importance"), column("q"))), logProbs))),
    }),
  }),
};

/** Qₜ for each of the T tokens whose log p_MLE is given. */
export function lookAhead(logProbs: ArrayLike<number>, options: GoldOptions): Float32Array {
  const { variant, lookAhead: most, discount, rewardFloor, baseline } = options;
  if (variant === "delta") return new Float32Array(logProbs.length).fill(1);
  const rewardOf = (t: number): number => {
    const p = t < logProbs.length ? Math.exp(logProbs[t]!) : 1;
    return Math.max(rewardFloor, variant === "s" ? p : Math.log(p + 1e-10) - baseline);
  };
  return Float32Array.from({ length: logProbs.length }, (_, t) => {
    let sum = 0;
    for (let k = 0; k <= most; k++) sum += discount ** k * rewardOf(t + k);
    return sum;
  });
}
