/** What people have rated in a run, one row a translation, for setting beside its reward. */

import type { Judgement } from "../rating/judgement.js";
import { readRatings } from "../rating/read.js";
import { parsePolicyName } from "../rest/names.js";

export interface RatedTranslation {
  policy: string;
  source: string;
  /** Empty where the ratings came without it. */
  reference: string;
  text: string;
  /** The run's reward of it, in [0, 1]. */
  reward: number;
  /** Mean of the ratings it got, 0 to 6. */
  rating: number;
}

/** In the order in which they were first rated; only policies' translations whose reward is known, on the 0 to 6 scale. */
export async function ratedTranslations(dir: string): Promise<RatedTranslation[]> {
  const { judgements } = await readRatings(dir);
  const rated = new Map<string, Judgement[]>();
  for (const judgement of judgements) {
    const { scale, kind, item, system, text } = judgement;
    if (scale !== "sqm" || kind !== "item" || !parsePolicyName(system)) continue;
    const key = JSON.stringify([item, system, text]);
    rated.set(key, [...(rated.get(key) ?? []), judgement]);
  }
  return [...rated.values()].flatMap((ratings) => {
    const { system, source, reference = "", text, reward } = ratings[0]!;
    if (reward === undefined) return [];
    const rating = ratings.reduce((sum, { score }) => sum + score, 0) / ratings.length;
    return [{ policy: system, source, reference, text, reward, rating }];
  });
}
