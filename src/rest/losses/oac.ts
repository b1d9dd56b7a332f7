/**
 * OAC, offline actor-critic (paper A.8.3): −Σₜ max(Aₜ, f)·log π_θ(aₜ|sₜ) with Aₜ = γ^(T−t)·R − V^β(sₜ) and V^β the behaviour
 * value function. Below 0 an advantage pushes its token's probability down without bound, so a floor f holds it; f = −∞ is
 * the plain loss. The paper uses no V-trace, which did as well; with it (Espeholt et al. 2018) the advantage is corrected
 * for how far the policy has left the one that sampled:
 *
 *     δₜ = ρₜ·(rₜ + γ·V(sₜ₊₁) − V(sₜ))       vₜ = V(sₜ) + δₜ + γ·cₜ·(vₜ₊₁ − V(sₜ₊₁))
 *     Aₜ = ρₜ·(rₜ + γ·vₜ₊₁ − V(sₜ))          ρₜ = min(1, π̃(aₜ|sₜ)/π_β(aₜ|sₜ)),  cₜ = ρₜ,  V(s_{T+1}) = 0
 *
 * with π̃ the policy as of the last renewal of its stale copy.
 */

import type { Loss, LossBatch } from "../../policy/loss.js";
import { mul, neg, total } from "../../tensor/operations.js";
import { advantages, type ImproveLoss } from "./loss.js";

export interface OacOptions {
  /** γ, in (0, 1]. */
  readonly discount: number;
  /** f, the least advantage; null: none. */
  readonly advantageFloor: number | null;
  readonly vTrace: boolean;
  /** Updates between two renewals of the copy that V-trace compares with the behaviour. */
  readonly syncEvery: number;
}

export const oac: ImproveLoss<OacOptions> = {
  needs: ["likelihood", "value"],
  prepare: (candidate, { discount, vTrace }) => ({
    weight: 1,
    columns: vTrace
      ? {
          behaviorLogProb: Float32Array.from(candidate.logProbs),
          value: Float32Array.from(candidate.values),
          reward: new Float32Array(candidate.values.length).fill(candidate.reward),
        }
      : { advantage: advantages(candidate, discount) },
  }),
  make: (options): Loss => {
    const floored = (advantage: number) => Math.max(options.advantageFloor ?? -Infinity, advantage);
    return {
      columns: options.vTrace ? ["behaviorLogProb", "value", "reward"] : ["advantage"],
      ...(options.vTrace ? { old: { every: options.syncEvery } } : {}),
      compute: (batch) => ({
        held: (options.vTrace ? vTraceAdvantages(batch, options.discount) : batch.columns.advantage!).map(
          floored,
        ),
      }),
      record: ({ weight, logProbs, column }) => ({
        loss: neg(total(mul(mul(weight, column("held")), logProbs))),
      }),
    };
  },
};

/** Aₜ of V-trace over all targets of a batch, from columns `behaviorLogProb`, `value` and `reward`. */
export function vTraceAdvantages(
  { lengths, columns, oldLogProbs }: Pick<LossBatch, "lengths" | "columns" | "oldLogProbs">,
  discount: number,
): Float32Array {
  const { behaviorLogProb, value, reward } = columns;
  const found = new Float32Array(oldLogProbs.length);
  let end = 0;
  for (const length of lengths) {
    const start = end;
    end += length;
    // Behind the last token: no state is left, so both V and v are 0.
    let [nextValue, nextTarget] = [0, 0];
    for (let t = end - 1; t >= start; t--) {
      const ratio = Math.min(1, Math.exp(oldLogProbs[t]! - behaviorLogProb![t]!));
      const now = t === end - 1 ? reward![t]! : 0;
      found[t] = ratio * (now + discount * nextTarget - value![t]!);
      const delta = ratio * (now + discount * nextValue - value![t]!);
      nextTarget = value![t]! + delta + discount * ratio * (nextTarget - nextValue);
      nextValue = value![t]!;
    }
  }
  return found;
}
