/**
 * Reward-weighted regression: −Σ w·log π_θ with w = exp(R/T) / Σ exp(R′/T) over the kept candidates of the same source. The
 * soft relative of a threshold: T → 0 leaves each source its best candidate, T → ∞ weighs all alike. Not in the paper;
 * Peters and Schaal 2007 weigh actions so.
 */

import { logLikelihood } from "../../policy/loss.js";
import type { ImproveLoss } from "./loss.js";

export interface RwrOptions {
  /** T above, in units of reward; above 0. */
  readonly temperature: number;
}

export const rwr: ImproveLoss<RwrOptions> = {
  needs: [],
  prepare: ({ reward, sourceRewards }, { temperature }) => {
    // Shifted by the best reward, so that the exponentials neither overflow nor all vanish.
    const best = Math.max(...sourceRewards);
    const share = (one: number) => Math.exp((one - best) / temperature);
    return { weight: share(reward) / sourceRewards.reduce((sum, one) => sum + share(one), 0) };
  },
  make: () => logLikelihood,
};
