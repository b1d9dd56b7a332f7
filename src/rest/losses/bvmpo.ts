/**
 * BVMPO (paper A.8.1): V-MPO of Song et al. (2019) with the behaviour value function, plus a divergence from the behaviour
 * policy, L = L_π + L_η + L_α + λ·KL(π_β ‖ π_θ). D̃ is the half of the batch with the largest advantages Aₜ = Gₜ − V^β(sₜ):
 *
 *     L_π = −Σ_{D̃} ψ·log π_θ,  ψ = exp(A/η) / Σ_{D̃} exp(A/η)
 *     L_η = η·ε_η + η·log[ (1/|D̃|)·Σ_{D̃} exp(A/η) ]
 *     L_α = mean over the batch of α·(ε_α − sg KL) + sg(α)·KL,  KL = KL(π_old(·|s) ‖ π_θ(·|s))
 *
 * η and α are learned by Adam and held at 10⁻⁸ or above; π_old is renewed now and then. λ falls from its first value to its
 * last in equal ratios over the Improve step (the paper: 1 to 10⁻⁵; that it is log-linear is ours). Both divergences are over the
 * full vocabulary at every token. A pass is one batch: with this loss, gradients are not accumulated.
 */

import type { Loss } from "../../policy/loss.js";
import type { Value } from "../../tensor/graph.js";
import { add, exp, mul, neg, reshape, sub, sum, total } from "../../tensor/operations.js";
import { advantages, type ImproveLoss } from "./loss.js";

export interface BvmpoOptions {
  /** γ, in (0, 1]. */
  readonly discount: number;
  /** Bound on the temperature's divergence, ε_η, and on the step's, ε_α; above 0. */
  readonly etaEpsilon: number;
  readonly alphaEpsilon: number;
  /** η and α at the start; above 0. */
  readonly eta: number;
  readonly alpha: number;
  /** Adam's learning rate of η and α. */
  readonly dualLearningRate: number;
  /** Updates between two renewals of π_old. */
  readonly syncEvery: number;
  /** λ at the first and at the last update. */
  readonly klFirst: number;
  readonly klLast: number;
}

/** The share of the batch with the largest advantages that V-MPO learns from. */
const TOP_SHARE = 0.5;
const LEAST_DUAL = 1e-8;

export const bvmpo: ImproveLoss<BvmpoOptions> = {
  needs: ["value"],
  prepare: (candidate, { discount }) => ({
    weight: 1,
    columns: { advantage: advantages(candidate, discount) },
  }),
  make: (options): Loss => {
    const duals = new Duals(options);
    let etaGradient = 0;
    return {
      columns: ["advantage"],
      old: { every: options.syncEvery },
      compute: ({ columns: { advantage }, step, steps }) => {
        const half = topHalf(advantage!);
        const { psi, gradient } = temperatureStep(
          half.map((i) => advantage![i]!),
          duals.eta,
          options.etaEpsilon,
        );
        etaGradient = gradient;
        const all = new Float32Array(advantage!.length);
        // Weights of a batch sum to 1, ψ does too: times the number of tokens it stays a sum over D̃.
        half.forEach((i, k) => {
          all[i] = psi[k]! * all.length;
        });
        const even = (value: number) => new Float32Array(all.length).fill(value);
        return { psi: all, alpha: even(duals.alpha), lambda: even(klWeight(options, step, steps)) };
      },
      record: ({ weight, exactLogProbs, allLogProbs, column, distribution }) => {
        const policy = allLogProbs();
        const fromOld = divergence(distribution("old"), policy);
        const fromBehavior = divergence(distribution("behavior"), policy);
        const likelihood = mul(column("psi"), exactLogProbs);
        const held = add(mul(column("alpha"), fromOld), mul(column("lambda"), fromBehavior));
        return {
          loss: total(mul(weight, add(neg(likelihood), held))),
          seen: { kl: total(mul(weight, fromOld)) },
        };
      },
      // dL_α/dα = ε_α − KL
      learn: ({ kl }) => duals.update(etaGradient, options.alphaEpsilon - kl!),
      variables: duals.variables,
    };
  },
};

/** KL(p ‖ q) of each row, from log-probabilities [token, vocab]: [token]. */
function divergence(logP: Value, logQ: Value): Value {
  return reshape(sum(mul(exp(logP), sub(logP, logQ)), [1]), [logP.shape[0]!]);
}

/** Places of the largest half, at least one; of equal advantages the earlier ones. */
export function topHalf(advantage: Float32Array): number[] {
  const order = Array.from(advantage.keys()).sort((a, b) => advantage[b]! - advantage[a]!);
  return order.slice(0, Math.max(1, Math.floor(TOP_SHARE * order.length)));
}

/** ψ over the chosen advantages, and dL_η/dη = ε_η + log mean exp(A/η) − Σ ψ·A/η. */
export function temperatureStep(
  chosen: readonly number[],
  eta: number,
  epsilon: number,
): { psi: number[]; gradient: number } {
  const largest = Math.max(...chosen);
  const shares = chosen.map((advantage) => Math.exp((advantage - largest) / eta));
  const all = shares.reduce((a, b) => a + b, 0);
  const psi = shares.map((share) => share / all);
  const logMean = largest / eta + Math.log(all / chosen.length);
  const meanOf = psi.reduce((a, share, i) => a + share * chosen[i]!, 0);
  return { psi, gradient: epsilon + logMean - meanOf / eta };
}

/** λ at update `step` of `steps`. */
export function klWeight(
  { klFirst, klLast }: Pick<BvmpoOptions, "klFirst" | "klLast">,
  step: number,
  steps: number,
): number {
  const share = steps > 1 ? step / (steps - 1) : 0;
  return klFirst * (klLast / klFirst) ** share;
}

/** η and α with Adam's moments, in one buffer: η, α, their first moments, their second moments, updates. */
class Duals {
  readonly variables: Float32Array;
  readonly #rate: number;

  constructor({ eta, alpha, dualLearningRate }: BvmpoOptions) {
    this.variables = Float32Array.of(eta, alpha, 0, 0, 0, 0, 0);
    this.#rate = dualLearningRate;
  }

  get eta(): number {
    return this.variables[0]!;
  }

  get alpha(): number {
    return this.variables[1]!;
  }

  update(...derivatives: [eta: number, alpha: number]): void {
    const v = this.variables;
    const updates = ++v[6]!;
    derivatives.forEach((d, i) => {
      v[2 + i] = 0.9 * v[2 + i]! + 0.1 * d;
      v[4 + i] = 0.999 * v[4 + i]! + 0.001 * d * d;
      const first = v[2 + i]! / (1 - 0.9 ** updates);
      const second = v[4 + i]! / (1 - 0.999 ** updates);
      v[i] = Math.max(LEAST_DUAL, v[i]! - (this.#rate * first) / (Math.sqrt(second) + 1e-8));
    });
  }
}
