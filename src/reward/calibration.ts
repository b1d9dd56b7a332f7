/**
 * Puts the scores of a learned reward on a scale that means the same for every model and corpus: by a policy's own samples,
 * or by what people gave.
 *
 * Of the first kind a calibrated reward is the share of the policy's own samples, held out from training, that score lower: 0.9 is
 * better than nine of ten. Their mean is therefore one half, the paper's thresholds (0.7 to 0.99) each keep a known
 * share of the first policy's samples, and the mean reward of a later policy is the chance that its sample scores above
 * one of the first policy's, each for a source drawn on its own. The map is a quantile function: straight between
 * knots, and beyond the outer knots a hyperbola that never reaches 0 or 1, so that order is kept and no ties arise.
 */

import { UserError } from "../errors.js";

/**
 * Serialisable as JSON: numbers that JSON carries exactly, and nothing else. `quantile`: the reward is a share of samples
 * that score lower; `isotonic`: it is what people gave, on average, to texts that score alike.
 */
export interface Calibration {
  kind: "quantile" | "isotonic";
  /** Raw scores, rising. */
  raw: number[];
  /** The reward at each of them, rising, within (0, 1). */
  reward: number[];
}

/** Shares of the samples at which knots stand: denser at the ends, where thresholds are. */
const KNOTS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8,
  0.85, 0.9, 0.95, 0.975, 0.99, 0.995,
] as const;

/** Two knots nearer than this share of their range would make a cliff of a few equal scores. */
const NEAREST = 1e-6;

/**
 * Fits the map to `scores`, the raw scores of the policy's samples on held-out sources (any real numbers, any
 * order). Throws a UserError where there are none or one is not finite.
 */
export function fitCalibration(scores: readonly number[]): Calibration {
  if (scores.length === 0) {
    throw new UserError("the reward cannot be calibrated without held-out samples; hold some sources out");
  }
  const bad = scores.find((score) => !Number.isFinite(score));
  if (bad !== undefined) {
    throw new UserError(
      `the learned reward gave ${bad} for a held-out sample, where a finite number was expected; lower its learning rate`,
    );
  }
  const sorted = Float64Array.from(scores).sort();
  const range = sorted[sorted.length - 1]! - sorted[0]!;
  const outermost = 0.5 / sorted.length;
  const raw: number[] = [];
  const reward: number[] = [];
  for (const share of KNOTS) {
    if (share < outermost || share > 1 - outermost) continue;
    const score = quantile(sorted, share);
    const rank = middleRank(sorted, score);
    const previous = raw.length - 1;
    if (previous >= 0 && (score - raw[previous]! <= NEAREST * range || rank <= reward[previous]!)) continue;
    raw.push(score);
    reward.push(rank);
  }
  return { kind: "quantile", raw, reward };
}

/** Groups of equally many scores that an isotonic map is fitted to at most, and scores of a group at least. */
const GROUPS = 50;
const GROUP_SCORES = 10;

/** Rewards of an isotonic map keep this distance from 0 and 1, so that order is kept beyond its ends. */
const MARGIN = 0.005;

/**
 * The map from `scores` to the mean of `people` (in [0, 1], the same texts in the same order) that never falls: least
 * squares by pooling neighbours that violate the order (Ayer et al. 1955), over groups of about equal size so that a few
 * texts make no step. It is straight between the groups' means, so that it keeps the order of all scores.
 *
 * @throws UserError where there are none, or one is not finite.
 */
export function fitIsotonic(scores: readonly number[], people: readonly number[]): Calibration {
  if (scores.length === 0 || scores.length !== people.length)
    throw new UserError(
      `there are ${scores.length} rewards beside ${people.length} ratings; rate some texts first`,
    );
  const bad = [...scores, ...people].find((value) => !Number.isFinite(value));
  if (bad !== undefined)
    throw new UserError(`a reward or a rating is ${bad}, where a finite number was expected`);
  const order = scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  const size = Math.max(GROUP_SCORES, Math.ceil(order.length / GROUPS));
  const blocks: { raw: number; mean: number; count: number }[] = [];
  for (let start = 0; start < order.length; ) {
    let end = Math.min(order.length, start + size);
    // A rest smaller than a group joins the last one, and equal scores are never parted.
    if (order.length - end < size) end = order.length;
    while (end < order.length && scores[order[end]!] === scores[order[end - 1]!]) end++;
    const group = order.slice(start, end);
    const of = (values: readonly number[]) => group.reduce((sum, i) => sum + values[i]!, 0) / group.length;
    blocks.push({ raw: of(scores), mean: of(people), count: group.length });
    start = end;
    while (blocks.length > 1 && blocks.at(-1)!.mean <= blocks.at(-2)!.mean) {
      const [a, b] = [blocks.at(-2)!, blocks.at(-1)!];
      const count = a.count + b.count;
      const pooled = (key: "raw" | "mean") => (a[key] * a.count + b[key] * b.count) / count;
      blocks.splice(-2, 2, { raw: pooled("raw"), mean: pooled("mean"), count });
    }
  }
  const raw: number[] = [];
  const reward: number[] = [];
  for (const block of blocks) {
    const mean = Math.min(1 - MARGIN, Math.max(MARGIN, block.mean));
    if (raw.length > 0 && (mean <= reward.at(-1)! || block.raw <= raw.at(-1)!)) continue;
    raw.push(block.raw);
    reward.push(mean);
  }
  return { kind: "isotonic", raw, reward };
}

/** The reward, in (0, 1), of one raw score; NaN for what is not finite, which the contract then reports. */
export function calibrate(calibration: Calibration, score: number): number {
  const { raw, reward } = calibration;
  if (!Number.isFinite(score)) return Number.NaN;
  const last = raw.length - 1;
  if (score <= raw[0]!) {
    const width = tailWidth(calibration, 0, reward[0]!);
    return (reward[0]! * width) / (width + raw[0]! - score);
  }
  if (score >= raw[last]!) {
    const left = 1 - reward[last]!;
    const width = tailWidth(calibration, last - 1, left);
    return 1 - (left * width) / (width + score - raw[last]!);
  }
  // The first knot above the score, by halving.
  let below = 0;
  let above = last;
  while (above - below > 1) {
    const middle = (below + above) >>> 1;
    if (raw[middle]! <= score) below = middle;
    else above = middle;
  }
  const t = (score - raw[below]!) / (raw[above]! - raw[below]!);
  return reward[below]! + t * (reward[above]! - reward[below]!);
}

/** `value` as a calibration, or a UserError that names the file it was read from. */
export function readCalibration(value: unknown, file: string): Calibration {
  const { kind, raw, reward } = (value ?? {}) as Record<string, unknown>; // any JSON value: each key is checked below
  if (
    (kind !== "quantile" && kind !== "isotonic") ||
    !isRising(raw) ||
    !isRising(reward) ||
    raw.length === 0 ||
    raw.length !== reward.length ||
    !(reward[0]! > 0 && reward[reward.length - 1]! < 1)
  ) {
    throw new UserError(
      "this is not the calibration of a reward (two rising lists of numbers, raw and reward); train the reward again",
      { file },
    );
  }
  return { kind, raw, reward };
}

/** Distance over which a tail of height `height` halves: it goes on with the slope of the segment beside it. */
function tailWidth({ raw, reward }: Calibration, segment: number, height: number): number {
  const last = raw.length - 1;
  if (last === 0) return 1; // one knot alone has no scale: any width keeps the order
  const slope = (reward[segment + 1]! - reward[segment]!) / (raw[segment + 1]! - raw[segment]!);
  // Many equal scores at an end make its segment steep; a tail as steep would run out of floating-point numbers.
  return Math.max(height / slope, 0.01 * (raw[last]! - raw[0]!));
}

/** The score below which `share` of `sorted` lies, between neighbours where it falls between (Hazen). */
function quantile(sorted: Float64Array, share: number): number {
  const at = Math.max(0, share * sorted.length - 0.5);
  const low = Math.min(sorted.length - 1, Math.floor(at));
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}

/** Share of `sorted` below `score`, with half of those equal to it: so their mean is one half, ties or not. */
function middleRank(sorted: Float64Array, score: number): number {
  let below = 0;
  let equal = 0;
  for (const other of sorted) {
    if (other < score) below++;
    else if (other === score) equal++;
    else break;
  }
  return (below + equal / 2) / sorted.length;
}

function isRising(values: unknown): values is number[] {
  return (
    Array.isArray(values) &&
    values.every((value, i) => Number.isFinite(value) && (i === 0 || value > values[i - 1]))
  );
}
