/** When a finding holds: rules on intervals, apart from what the figures are. */

import type { Estimate } from "./intervals.js";

export type Outcome = "holds" | "does not hold" | "not decided";

/** BLEU that a policy may lose and still count as not losing any. Ours. */
export const BLEU_MARGIN = 1;

/** "Far fewer" samples: at most a quarter. Ours. */
export const FAR_FEWER = 4;

/** Whether a figure is above `bound`: decided where its whole interval lies on one side; none above is none. */
export function above({ low, high }: Pick<Estimate, "low" | "high">, bound = 0): Outcome {
  if (low > bound) return "holds";
  return high <= bound ? "does not hold" : "not decided";
}

/** A finding of several parts holds where all do, and fails with the first that fails. */
export function all(parts: readonly Outcome[]): Outcome {
  if (parts.length === 0) return "not decided";
  if (parts.includes("does not hold")) return "does not hold";
  return parts.includes("not decided") ? "not decided" : "holds";
}

/** The opposite of a claim. */
export function not(outcome: Outcome): Outcome {
  if (outcome === "not decided") return outcome;
  return outcome === "holds" ? "does not hold" : "holds";
}

/** The least of estimates by value: what a claim about all of them stands or falls with. */
export function weakest(estimates: readonly Estimate[]): Estimate | undefined {
  return estimates.reduce<Estimate | undefined>(
    (least, one) => (least === undefined || one.value < least.value ? one : least),
    undefined,
  );
}

/** A point of a best-of-N curve. */
export interface CurvePoint {
  n: number;
  reward: number;
}

/**
 * Doublings of N that a curve saves: log₂ of the largest N of the points over the N at which the curve reaches
 * `target`, read between points as a straight line over log₂ N. A curve that starts at `target` or above saves all; one
 * that never reaches it saves none.
 */
export function doublingsSaved(curve: readonly CurvePoint[], target: number): number {
  const last = Math.log2(curve.at(-1)!.n);
  for (const [at, { n, reward }] of curve.entries()) {
    if (reward < target) continue;
    if (at === 0) return last - Math.log2(n);
    const before = curve[at - 1]!;
    const share = (target - before.reward) / (reward - before.reward);
    return last - (Math.log2(before.n) + share * (Math.log2(n) - Math.log2(before.n)));
  }
  return 0;
}

/** Two policies compared by two judges: differences of the same two, in the same order. */
export interface JudgedPair {
  reward: Pick<Estimate, "low" | "high">;
  judge: Pick<Estimate, "low" | "high">;
}

/**
 * Whether two judges rank policies differently: so where they order one pair oppositely, both beyond noise; not so where
 * every pair that the reward separates is separated in the same order by the other judge; otherwise not decided.
 */
export function rankDifferently(pairs: readonly JudgedPair[]): Outcome {
  const separated = pairs.filter(({ reward }) => side(reward) !== 0);
  if (separated.some(({ reward, judge }) => side(reward) * side(judge) < 0)) return "holds";
  if (separated.length > 0 && separated.every(({ reward, judge }) => side(reward) === side(judge)))
    return "does not hold";
  return "not decided";
}

/** 1 where an interval lies above 0, −1 below, 0 where it holds 0. */
export function side({ low, high }: Pick<Estimate, "low" | "high">): number {
  return low > 0 ? 1 : high < 0 ? -1 : 0;
}
