/**
 * How far a policy has moved from another, estimated from its own samples: from their tokens' log-probabilities
 * (Schulman 2020, "Approximating KL divergence"), or with less spread from the whole distributions at their prefixes.
 */

/** One sequence sampled from the policy, with the log-probability of every token, in nats, at the same temperature. */
export interface SampledLogProbabilities {
  /** Under the policy that it was sampled from. */
  policy: ArrayLike<number>;
  /** Under the policy to compare with. */
  reference: ArrayLike<number>;
  /** Its source: samples of one source are not independent, and the standard error takes that into account. */
  group?: number | string;
}

export interface KlEstimate {
  /** KL(policy ‖ reference) a sequence, in nats: its mean over the samples. */
  mean: number;
  /** Infinity for a single group. */
  standardError: number;
  /** Sequences. */
  n: number;
  /** Mean tokens a sequence. */
  meanTokens: number;
}

/**
 * Two estimates of the KL divergence a sequence. Both are unbiased when the samples come from `policy` unchanged
 * (no top-k, the temperature of the log-probabilities):
 * - `k1`, Σ_t log π − log π₀: can be negative by chance, and is by more than chance when the log-probabilities are wrong;
 * - `k3`, Σ_t e^Δ − 1 − Δ with Δ = log π₀ − log π: never negative, and less spread while the policies are close.
 * @throws RangeError without samples, and when a sample's two lists differ in length
 */
export function sequenceKl(samples: readonly SampledLogProbabilities[]): { k1: KlEstimate; k3: KlEstimate } {
  if (samples.length === 0) throw new RangeError("no samples to estimate a KL divergence from");
  const k1: number[] = [];
  const k3: number[] = [];
  let tokens = 0;
  samples.forEach(({ policy, reference }, i) => {
    if (policy.length !== reference.length)
      throw new RangeError(`sample ${i} has ${policy.length} and ${reference.length} log-probabilities`);
    let first = 0;
    let third = 0;
    for (let t = 0; t < policy.length; t++) {
      const delta = reference[t] - policy[t];
      first -= delta;
      third += Math.expm1(delta) - delta;
    }
    k1.push(first);
    k3.push(third);
    tokens += policy.length;
  });
  const groups = samples.map(({ group }, i) => group ?? `sample ${i}`);
  const meanTokens = tokens / samples.length;
  return { k1: meanOf(k1, groups, meanTokens), k3: meanOf(k3, groups, meanTokens) };
}

/** One sequence sampled from the policy, with KL(π ‖ π₀) of the next token at each of its prefixes, in nats. */
export interface SampledDivergences {
  divergences: ArrayLike<number>;
  /** As in SampledLogProbabilities. */
  group?: number | string;
}

/**
 * KL(policy ‖ reference) a sequence by the chain rule, KL(π ‖ π₀) = E_{y~π} Σ_t KL(π(·|y_<t) ‖ π₀(·|y_<t)): only the
 * prefixes are a matter of chance. Never negative.
 * @throws RangeError without samples
 */
export function prefixKl(samples: readonly SampledDivergences[]): KlEstimate {
  if (samples.length === 0) throw new RangeError("no samples to estimate a KL divergence from");
  const sums = samples.map(({ divergences }) => {
    let sum = 0;
    for (let t = 0; t < divergences.length; t++) sum += divergences[t];
    return sum;
  });
  const tokens = samples.reduce((n, { divergences }) => n + divergences.length, 0);
  const groups = samples.map(({ group }, i) => group ?? `sample ${i}`);
  return meanOf(sums, groups, tokens / samples.length);
}

/**
 * Whether a `k1` estimate is negative beyond chance. A KL divergence cannot be: then sampling and scoring disagree on
 * the log-probabilities (another temperature, other weights, top-k), and no figure built on them can be trusted.
 * @param standardErrors how far below zero: 3 lets chance raise the alarm about once in 700 times
 * @param tokenTolerance rounding to allow for, in nats a token; sampling and training agree within 1e-4
 */
export function isCrediblyNegative(
  { mean, standardError, meanTokens }: KlEstimate,
  { standardErrors = 3, tokenTolerance = 1e-4 } = {},
): boolean {
  return mean + standardErrors * standardError < -tokenTolerance * meanTokens;
}

/** KL(best of n ‖ policy) = log n − (n − 1)/n, in nats a sequence; an upper bound when samples can tie. */
export function bestOfNKl(n: number): number {
  return Math.log(n) - (n - 1) / n;
}

/** Mean with the standard error that lets values of one group depend on each other (cluster-robust, G/(G−1)). */
function meanOf(
  values: readonly number[],
  groups: readonly (number | string)[],
  meanTokens: number,
): KlEstimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const deviations = new Map<number | string, number>();
  values.forEach((value, i) => {
    deviations.set(groups[i], (deviations.get(groups[i]) ?? 0) + value - mean);
  });
  const count = deviations.size;
  const squares = [...deviations.values()].reduce((sum, deviation) => sum + deviation ** 2, 0);
  const standardError = count > 1 ? Math.sqrt((squares * count) / (count - 1)) / n : Number.POSITIVE_INFINITY;
  return { mean, standardError, n, meanTokens };
}
