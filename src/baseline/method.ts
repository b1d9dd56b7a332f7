/** What an online method is to the loop: how it gives every token its credit, and what loss it trains by. */

import type { Loss } from "../policy/loss.js";

/** One sampled candidate as a method sees it. */
export interface Rollout {
  /** Number of its source: candidates of one source in a batch share it. */
  readonly sourceId: number;
  /** rₜ of each token, [T]: the penalty for leaving BC, and the candidate's reward with the last one. */
  readonly rewards: ArrayLike<number>;
  /** V(sₜ), [T]; empty where the method asks for no value function. */
  readonly values: ArrayLike<number>;
}

/** What each token of each rollout of a batch is worth, [T] each. */
export interface Credit {
  /** Aₜ. */
  readonly advantages: readonly Float32Array[];
  /** What V is to learn; empty where the method asks for no value function. */
  readonly returns: readonly Float32Array[];
}

export interface OnlineMethod<Options> {
  /** Passes over each batch, where the configuration leaves it to the method. */
  readonly epochs: number;
  /** Whether it asks a value function, which is then taught beside the policy. */
  readonly needsValue: boolean;
  credit(batch: readonly Rollout[], options: Options): Credit;
  /** The policy's loss; examples carry columns `advantage` and `behavior`, log π of the token when it was sampled. */
  loss(options: Options): Loss;
}
