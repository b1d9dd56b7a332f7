/** Where an online baseline plugs in: one function that samples and trains from BC on, and says what that took. */

import type { RunContext } from "../rest/context.js";
import type { Arm } from "./study.js";

/** One look at the policy on the way. */
export interface OnlinePoint {
  /** Candidates sampled so far. */
  samples: number;
  rewardCalls: number;
  reward: number;
  bleu: number;
  klFromBc: number;
}

/** What a baseline leaves; the study evaluates the policy as it does all others. */
export interface OnlineOutcome {
  /** Name of the policy in the run folder, saved whole: `BC-ppo`. */
  policy: string;
  samplesDrawn: number;
  rewardCalls: number;
  /** In the order in which they were taken. */
  curve: OnlinePoint[];
}

/**
 * Trains a policy online in a run whose BC, reward and Grow-free configuration are at hand. A baseline does its work in
 * steps of the run (`RunContext.step`), so that it resumes as every other step does.
 */
export type OnlineBaseline = (run: RunContext, arm: Arm) => Promise<OnlineOutcome>;

/** By the `algorithm` of an online arm. */
export const onlineBaselines: Readonly<Record<string, OnlineBaseline>> = {};
