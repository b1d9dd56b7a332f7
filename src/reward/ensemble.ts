/** Several rewards of the same thing, taken at their least or less their disagreement: harder to game than any of them. */

import { UserError } from "../errors.js";
import { type CheckOptions, checked } from "./contract.js";
import type { Reward, RewardInput } from "./reward.js";

export interface EnsembleOptions {
  /** `minimum`, or `mean-minus-deviation`: mean − deviations × standard deviation among the parts. */
  combine: "minimum" | "mean-minus-deviation";
  /** Standard deviations taken off the mean, from 0. */
  deviations: number;
}

/** Candidates below which a spread says too little. */
const LEAST_CANDIDATES = 20;
/** The widest spread may be so many times the narrowest. */
const MOST_TIMES_WIDER = 10;
/** Means may lie so many times the wider spread apart. */
const MOST_SPREADS_APART = 3;

export class EnsembleReward implements Reward {
  readonly name: string;
  readonly needsReference: boolean;
  readonly #parts: readonly Reward[];
  readonly #options: EnsembleOptions;

  /** Throws a UserError where there are not two parts at least. */
  constructor(parts: readonly Reward[], options: EnsembleOptions, check: CheckOptions = {}) {
    if (parts.length < 2)
      throw new UserError(
        `an ensemble of rewards has ${parts.length === 1 ? "one part" : "no parts"} but needs two at least; add parts, or members of a learned one`,
      );
    this.#parts = parts.map((part) => checked(part, check));
    this.#options = options;
    this.name = `${options.combine} of ${parts.map(({ name }) => name).join(", ")}`;
    this.needsReference = parts.some(({ needsReference }) => needsReference);
  }

  async score(batch: readonly RewardInput[]): Promise<number[]> {
    const scores = await this.#scoreParts(batch);
    return batch.map((_, i) =>
      combined(
        scores.map((part) => part[i]!),
        this.#options,
      ),
    );
  }

  /**
   * Throws a UserError where the parts score `batch` on scales so different that one of them would decide alone: one whose
   * standard deviation is more than 10 times another's, or means more than 3 of the wider standard deviations apart. Give
   * candidates as a policy samples them; fewer than 20 are not judged.
   */
  async compareScales(batch: readonly RewardInput[]): Promise<void> {
    if (batch.length < LEAST_CANDIDATES) return;
    const scores = await this.#scoreParts(batch);
    const found = scores.map((part, i) => ({ name: this.#parts[i]!.name, ...moments(part) }));
    const issue = scaleIssue(found);
    if (issue !== undefined) throw new UserError(issue);
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close?.();
  }

  /** Scores by part, then by input; one part after another, as two networks at once would share the same cores. */
  async #scoreParts(batch: readonly RewardInput[]): Promise<number[][]> {
    const scores: number[][] = [];
    for (const part of this.#parts) scores.push(await part.score(batch));
    return scores;
  }
}

/** One number in [0, 1] of the parts' scores for one candidate. */
export function combined(scores: readonly number[], { combine, deviations }: EnsembleOptions): number {
  if (combine === "minimum") return Math.min(...scores);
  const { mean, deviation } = moments(scores);
  return Math.max(0, Math.min(1, mean - deviations * deviation));
}

export interface PartScale {
  name: string;
  mean: number;
  /** Standard deviation among candidates. */
  deviation: number;
}

/** A sentence where the parts are on different scales; undefined where they are not. */
export function scaleIssue(parts: readonly PartScale[]): string | undefined {
  const byWidth = [...parts].sort((a, b) => a.deviation - b.deviation);
  const [narrow, wide] = [byWidth[0]!, byWidth.at(-1)!];
  const different = "the parts of the ensemble of rewards are on different scales:";
  if (narrow.deviation === 0 || wide.deviation > MOST_TIMES_WIDER * narrow.deviation)
    return (
      `${different} "${wide.name}" varies by ${shown(wide.deviation)} among candidates and "${narrow.name}" by ` +
      `${shown(narrow.deviation)}, and at most ${MOST_TIMES_WIDER} times less was expected; spread "${narrow.name}" over 0 to 1 or leave it out`
    );
  for (const a of parts)
    for (const b of parts)
      if (a.mean - b.mean > MOST_SPREADS_APART * Math.max(a.deviation, b.deviation))
        return (
          `${different} "${a.name}" has a mean of ${shown(a.mean)} and "${b.name}" of ${shown(b.mean)}, more than ` +
          `${MOST_SPREADS_APART} times their spread apart; shift one of them or leave it out`
        );
  return undefined;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(2)));
}

/** Mean and standard deviation, of all values and not of a sample. */
function moments(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}
