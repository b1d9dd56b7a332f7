/** Holds any reward to its contract, so that a wrong number stops the run where it arises and says why. */

import { UserError } from "../errors.js";
import type { Reward, RewardInput } from "./reward.js";

export interface CheckOptions {
  /** Most inputs handed to the reward in one call; all at once when absent. */
  batchSize?: number;
  /** The first so many inputs are scored twice, to see that a second call gives the same; none when absent. */
  repeat?: number;
}

/** A network may round differently in another batch; what differs by more than this is not rounding. */
const REPEAT_TOLERANCE = 1e-4;

/**
 * The same reward, checked: a wrong count, something that is not a number, a number outside [0, 1], a missing
 * reference or (with `repeat`) another number at a second call throws a UserError that names the reward and the
 * input. Inputs keep their order whatever the batch size.
 *
 * @example const reward = checked(chrfReward(), { batchSize: 256 });
 */
export function checked(reward: Reward, options: CheckOptions = {}): Reward {
  const batchSize = options.batchSize ?? Number.POSITIVE_INFINITY;
  if (!(batchSize >= 1) || (batchSize !== Number.POSITIVE_INFINITY && !Number.isInteger(batchSize))) {
    throw new UserError(
      `the batch size of reward "${reward.name}" is ${batchSize} but must be a whole number from 1; correct it`,
    );
  }
  let toRepeat = options.repeat ?? 0;

  return {
    name: reward.name,
    needsReference: reward.needsReference,
    async score(batch) {
      if (reward.needsReference) requireReferences(reward, batch);
      const scores: number[] = [];
      for (let start = 0; start < batch.length; start += batchSize) {
        const part = batch.slice(start, start + batchSize);
        const partScores = checkScores(reward, part, await reward.score(part));
        if (toRepeat > 0) {
          const sample = part.slice(0, toRepeat);
          toRepeat -= sample.length;
          compareScores(reward, sample, partScores, checkScores(reward, sample, await reward.score(sample)));
        }
        for (const score of partScores) scores.push(score);
      }
      return scores;
    },
    ...(reward.close && { close: () => reward.close!() }),
  };
}

/** Throws a UserError for the first input without a reference. */
function requireReferences(reward: Reward, batch: readonly RewardInput[]): void {
  const missing = batch.find((input) => input.reference === undefined);
  if (missing) {
    throw new UserError(
      `reward "${reward.name}" compares with a reference, and source ${shortened(missing.source)} has none; ` +
        "give it a translation or use a reward that needs no reference",
    );
  }
}

/** `scores` as numbers in [0, 1], one an input; it is unknown because rewards come from users' JavaScript too. */
function checkScores(reward: Reward, batch: readonly RewardInput[], scores: unknown): number[] {
  if (!Array.isArray(scores)) {
    throw new UserError(
      `reward "${reward.name}" returned ${described(scores)} where an array of ${batch.length} numbers was ` +
        "expected; return one number for each input, in order",
    );
  }
  if (scores.length !== batch.length) throw new UserError(countIssue(reward.name, batch, scores.length));
  // By index: `forEach` and `map` would skip the holes of a sparse array.
  for (let i = 0; i < batch.length; i++) {
    const issue = scoreIssue(reward.name, scores[i], batch[i]!);
    if (issue !== undefined) throw new UserError(issue);
  }
  return scores;
}

/** Says that `count` scores came for the inputs of `batch`. */
export function countIssue(name: string, batch: readonly RewardInput[], count: number): string {
  return (
    `reward "${name}" returned ${count} ${count === 1 ? "number" : "numbers"} for ${batch.length} inputs, the first of them ` +
    `${where(batch[0])}; return one number for each input, in order`
  );
}

/** What is wrong with one score; undefined for a number in [0, 1]. */
export function scoreIssue(name: string, score: unknown, input: RewardInput): string | undefined {
  if (typeof score !== "number" || Number.isNaN(score))
    return (
      `reward "${name}" returned ${described(score)} for ${where(input)}; a reward must be a number ` +
      "from 0 to 1, so mend the reward for this input"
    );
  if (score < 0 || score > 1)
    return `reward "${name}" returned ${score} for ${where(input)}; a reward must lie in [0, 1], so scale or clamp it`;
  return undefined;
}

function compareScores(
  reward: Reward,
  sample: readonly RewardInput[],
  first: readonly number[],
  second: readonly number[],
): void {
  for (let i = 0; i < sample.length; i++) {
    if (Math.abs(first[i]! - second[i]!) > REPEAT_TOLERANCE) {
      throw new UserError(
        `reward "${reward.name}" returned ${first[i]} and then ${second[i]} for ${where(sample[i])}; a reward must ` +
          "be the same at every call, so take chance and state out of it",
      );
    }
  }
}

function where(input: RewardInput | undefined): string {
  if (!input) return "(no input)";
  return `source ${shortened(input.source)}, candidate ${shortened(input.candidate)}`;
}

/** A text quoted on one line and cut to a length that still tells which one it is. */
function shortened(text: string, length = 60): string {
  const characters = Array.from(text);
  return JSON.stringify(characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : text);
}

/** A value as an error message shows it. */
export function described(value: unknown): string {
  if (typeof value === "string") return `the text ${shortened(value, 30)}`;
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
