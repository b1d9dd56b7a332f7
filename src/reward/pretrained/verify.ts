/** Compares a loaded checkpoint with the scores that its authors have published. */

import type { PretrainedFamily, PretrainedScorer } from "./family.js";

export interface CheckedScore {
  readonly source: string;
  readonly candidate: string;
  readonly reference?: string;
  readonly published: number;
  readonly raw: number;
  readonly equal: boolean;
}

/** One entry a published score of the scorer's variant; none where none is published. */
export async function checkKnown(
  family: PretrainedFamily,
  scorer: PretrainedScorer,
): Promise<CheckedScore[]> {
  const checks: CheckedScore[] = [];
  for (const { variant, inputs, raw, tolerance } of family.known) {
    if (variant !== scorer.variant) continue;
    const scores = await scorer.score(inputs);
    inputs.forEach((input, i) => {
      const [published, found] = [raw[i]!, scores[i]!.raw];
      checks.push({ ...input, published, raw: found, equal: Math.abs(found - published) <= tolerance });
    });
  }
  return checks;
}
