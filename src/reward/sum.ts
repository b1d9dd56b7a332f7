/** A weighted sum of rewards, for aims that no single reward covers. */

import { UserError } from "../errors.js";
import { type CheckOptions, checked } from "./contract.js";
import type { Reward, RewardInput } from "./reward.js";

export interface WeightedReward {
  reward: Reward;
  /** Above 0; only the ratios between weights matter. */
  weight: number;
}

export interface SumReward extends Reward {
  /** The weights after division by their sum, by name of the part. */
  readonly weights: Readonly<Record<string, number>>;
  /** The parts' own scores, unweighted, by name: `parts.chrF2[i]` belongs to `batch[i]`. */
  scoreParts(batch: readonly RewardInput[]): Promise<{ total: number[]; parts: Record<string, number[]> }>;
}

/** Whether a reward is a sum, whose parts can be asked for. */
export function isSum(reward: Reward): reward is SumReward {
  return "scoreParts" in reward && "weights" in reward;
}

/**
 * Σ wₖ rₖ / Σ wₖ. Each part is checked on its own, so that an error names the part and not the sum.
 * Throws a UserError where there is no part, a weight is not above 0, or two parts share a name.
 *
 * @example sumReward([{ reward: chrfReward(), weight: 3 }, { reward: bleuReward(), weight: 1 }])
 */
export function sumReward(parts: readonly WeightedReward[], check: CheckOptions = {}): SumReward {
  if (parts.length === 0) {
    throw new UserError("a sum of rewards has no parts but needs one at least; name the rewards to add");
  }
  const names = new Set<string>();
  for (const { reward, weight } of parts) {
    if (!(weight > 0 && Number.isFinite(weight))) {
      throw new UserError(
        `the weight of reward "${reward.name}" is ${weight} but must be above 0; raise it or remove that reward`,
      );
    }
    if (names.has(reward.name)) {
      throw new UserError(
        `two parts of a sum of rewards are called "${reward.name}"; give one of them another name or add their weights`,
      );
    }
    names.add(reward.name);
  }

  const weightSum = parts.reduce((sum, part) => sum + part.weight, 0);
  const terms = parts.map(({ reward, weight }) => ({
    reward: checked(reward, check),
    weight: weight / weightSum,
  }));

  async function scoreParts(batch: readonly RewardInput[]) {
    const total = new Array<number>(batch.length).fill(0);
    const scoresByName: Record<string, number[]> = {};
    // One after another: two networks at once would share the same cores.
    for (const { reward, weight } of terms) {
      const scores = await reward.score(batch);
      scoresByName[reward.name] = scores;
      for (let i = 0; i < batch.length; i++) total[i]! += weight * scores[i]!;
    }
    // Normalised weights can add up to 1 + 2⁻⁵², which the contract would refuse.
    return { total: total.map((score) => Math.min(1, score)), parts: scoresByName };
  }

  return {
    name: `sum(${terms.map(({ reward, weight }) => `${Number(weight.toPrecision(3))} ${reward.name}`).join(" + ")})`,
    needsReference: terms.some(({ reward }) => reward.needsReference),
    weights: Object.fromEntries(terms.map(({ reward, weight }) => [reward.name, weight])),
    scoreParts,
    score: async (batch) => (await scoreParts(batch)).total,
    close: async () => {
      for (const { reward } of terms) await reward.close?.();
    },
  };
}
