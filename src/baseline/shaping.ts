/** From a candidate's reward to a reward for each token: normalised by its source, less the divergence from BC. */

/** A deviation below this is rounding: all values are alike. */
export const LEAST_DEVIATION = 1e-6;
/** Ziegler et al. 2019, section 2.2: the error counts up to ±0.2, and K_β = 0.1. */
const MOST_ERROR = 0.2;
const RATE = 0.1;

/** Mean, and deviation around it (over n, not n − 1). */
export function moments(values: ArrayLike<number>): { mean: number; deviation: number } {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** Places in the batch by source. */
export function placesBySource(sources: readonly number[]): Map<number, number[]> {
  const places = new Map<number, number[]>();
  sources.forEach((source, i) => {
    const known = places.get(source);
    if (known) known.push(i);
    else places.set(source, [i]);
  });
  return places;
}

/**
 * (R − mean) / deviation over the candidates of the same source in the batch, so that easy and hard sources weigh alike. Where
 * all of a source's candidates score alike the deviation is 0 and nothing is to be learned: then 0.
 *
 * @param sources which source each reward belongs to
 */
export function normaliseBySource(rewards: readonly number[], sources: readonly number[]): number[] {
  const normalised: number[] = [];
  for (const places of placesBySource(sources).values()) {
    const { mean, deviation } = moments(places.map((i) => rewards[i]!));
    for (const i of places)
      normalised[i] = deviation < LEAST_DEVIATION ? 0 : (rewards[i]! - mean) / deviation;
  }
  return normalised;
}

/** Log-probabilities of a sampled sequence's tokens, [T] each, in nats, under the policy that sampled it and under BC. */
export interface Divergence {
  readonly logProbs: ArrayLike<number>;
  readonly bcLogProbs: ArrayLike<number>;
}

/** Σₜ log π(aₜ|sₜ) − log π_BC(aₜ|sₜ): its mean over samples of π is KL(π ‖ BC) a sequence. */
export function divergence({ logProbs, bcLogProbs }: Divergence): number {
  let sum = 0;
  for (let t = 0; t < logProbs.length; t++) sum += logProbs[t]! - bcLogProbs[t]!;
  return sum;
}

/** rₜ = −β·(log π(aₜ|sₜ) − log π_BC(aₜ|sₜ)) + 1[t = T]·R, [T] (Ziegler et al. 2019, Eq. 2). */
export function tokenRewards(
  { logProbs, bcLogProbs }: Divergence,
  reward: number,
  klCoefficient: number,
): Float64Array {
  const last = logProbs.length - 1;
  return Float64Array.from(
    { length: logProbs.length },
    (_, t) => -klCoefficient * (logProbs[t]! - bcLogProbs[t]!) + (t === last ? reward : 0),
  );
}

/**
 * β for the next batch, which brings the divergence towards its target (Ziegler et al. 2019, section 2.2):
 * β·(1 + K_β·e) with e = clip((KL − target) / target, −0.2, 0.2). Without a target β stays.
 */
export function adaptKlCoefficient(klCoefficient: number, kl: number, target: number | null): number {
  if (target === null) return klCoefficient;
  const error = Math.min(MOST_ERROR, Math.max(-MOST_ERROR, (kl - target) / target));
  return klCoefficient * (1 + RATE * error);
}
