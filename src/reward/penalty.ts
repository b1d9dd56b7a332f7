/** Lowers a reward for candidates of a length that translations do not have, or in the source's language. */

import { type LanguageProfiles, learnLanguages } from "../data/language.js";
import type { Pair } from "../data/pair.js";
import { UserError } from "../errors.js";
import type { Reward, RewardInput } from "./reward.js";

export interface Penalties {
  /** A candidate may be so many times longer or shorter than expected, above 1; null: no penalty. */
  lengthRatio: number | null;
  /** Share of its reward that a candidate in the source's language loses, in [0, 1]; 0: no penalty. */
  language: number;
}

/** Characters added to both lengths before they are compared: of short sentences good translations differ much. */
const SLACK = 10;
/** Share of held-out sentences from which the languages count as told apart. */
const TOLD_APART = 0.9;

/** Rewards as given, what each was multiplied by, and the product. */
export interface PenalisedScores {
  raw: number[];
  /** In [0, 1]; 1: not penalised. */
  factors: number[];
  total: number[];
}

/** A reward times a factor a candidate; how long translations are and which language is which come from `pairs`. */
export class PenalisedReward implements Reward {
  readonly name: string;
  readonly needsReference: boolean;
  /** The reward without penalties. */
  readonly raw: Reward;
  readonly #penalties: Penalties;
  readonly #usualRatio: number;
  readonly #languages: LanguageProfiles | undefined;

  /** Throws a UserError where a language penalty is asked for and the two sides of `pairs` read alike. */
  constructor(reward: Reward, penalties: Penalties, pairs: readonly Pair[]) {
    this.name = `${reward.name}, penalised`;
    this.needsReference = reward.needsReference;
    this.raw = reward;
    this.#penalties = penalties;
    this.#usualRatio = usualRatio(pairs);
    if (penalties.language === 0) return;
    this.#languages = learnLanguages(pairs);
    // A share that is not a number, of too few pairs, is not enough either.
    if (!(this.#languages.heldOut >= TOLD_APART))
      throw new UserError(
        `reward.penalties.language needs source and target in languages that can be told apart, but ` +
          `${(100 * this.#languages.heldOut).toFixed(0)} % of ${pairs.length} pairs' held-out sentences were told right, ` +
          `and ${100 * TOLD_APART} % are needed; set it to 0 or give more pairs`,
      );
  }

  async scorePenalised(batch: readonly RewardInput[]): Promise<PenalisedScores> {
    const raw = await this.raw.score(batch);
    const factors = batch.map((input) => this.#factor(input));
    return { raw, factors, total: raw.map((score, i) => score * factors[i]!) };
  }

  async score(batch: readonly RewardInput[]): Promise<number[]> {
    return (await this.scorePenalised(batch)).total;
  }

  async close(): Promise<void> {
    await this.raw.close?.();
  }

  #factor({ source, candidate }: RewardInput): number {
    const { lengthRatio, language } = this.#penalties;
    const expected = this.#usualRatio * characters(source);
    const byLength = lengthRatio === null ? 1 : lengthFactor(characters(candidate), expected, lengthRatio);
    return this.#languages?.isSource(candidate) ? byLength * (1 - language) : byLength;
  }
}

/**
 * What the reward of a candidate of `length` characters is multiplied by where `expected` are expected: 1 up to `most`
 * times longer or shorter, then falling as the ratio rises, `most` / ratio.
 */
export function lengthFactor(length: number, expected: number, most: number): number {
  const [short, long] = length < expected ? [length, expected] : [expected, length];
  return Math.min(1, most / ((long + SLACK) / (short + SLACK)));
}

/** Median of target over source length, in characters. */
function usualRatio(pairs: readonly Pair[]): number {
  const ratios = pairs
    .map(({ source, target }) => characters(target) / Math.max(1, characters(source)))
    .sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length / 2)] ?? 1;
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
