/** What an Improve step knows of a loss: what it needs to be told of each candidate, and how the worker makes it. */

import type { Loss } from "../../policy/loss.js";

/** One kept candidate y of a source x, with T tokens. */
export interface KnownCandidate {
  /** R(x, y), in [0, 1]. */
  readonly reward: number;
  /** Rewards of all kept candidates of x, this one among them. */
  readonly sourceRewards: readonly number[];
  /** log π_β(aₜ|sₜ) under BC, [T], in nats; empty unless the loss needs `likelihood`. */
  readonly logProbs: ArrayLike<number>;
  /** V^β(sₜ), [T]; empty unless the loss needs `value`. */
  readonly values: ArrayLike<number>;
}

export interface ImproveLoss<Options> {
  /** What has to be computed of every candidate before training begins. */
  readonly needs: readonly ("likelihood" | "value")[];
  /** Weight of a candidate, 0 or more, and its columns, [T] each. Absent: weight 1, no columns. */
  prepare?(
    candidate: KnownCandidate,
    options: Options,
  ): { weight: number; columns?: Readonly<Record<string, Float32Array>> };
  /** Made anew for each training. */
  make(options: Options): Loss;
}

/**
 * Gₜ = γ^(T−t)·R, the discounted return of a sequence whose only reward comes with its last token (t from 1). γ in (0, 1].
 */
export function monteCarloReturns(reward: number, length: number, discount: number): Float32Array {
  return Float32Array.from({ length }, (_, t) => discount ** (length - 1 - t) * reward);
}

/** Aₜ = Gₜ − V^β(sₜ). */
export function advantages({ reward, values }: KnownCandidate, discount: number): Float32Array {
  return monteCarloReturns(reward, values.length, discount).map((ret, t) => ret - values[t]!);
}
