/** People's ratings as a reward: what they would give, as far as the two texts tell. */

import { UserError } from "../../errors.js";
import { calibrate } from "../calibration.js";
import type { Reward } from "../reward.js";
import { loadRatingFacts, loadRatingModel } from "./files.js";
import { rawScore } from "./model.js";

/**
 * Loads what `coppice train-reward --ratings` wrote. The reward is what people gave, on average, to texts that score alike;
 * where their scale has no ends, the share of rated texts that they rated lower.
 *
 * @throws UserError where the folder holds something else, or a model that needs numbers which only a file of ratings has.
 * @example const reward = await ratingReward("models/en-de-ratings");
 */
export async function ratingReward(folder: string): Promise<Reward> {
  const { uses, calibration } = await loadRatingFacts(folder);
  if (uses.given.length > 0)
    throw new UserError(
      `this model looks at ${uses.given.join(", ")}, which new translations do not bring. Teach one for use as a reward without --use; this one is for files of ratings: coppice train-reward --ratings FILE --test ${folder}`,
      { file: folder },
    );
  const model = await loadRatingModel(folder);
  return {
    name: "ratings",
    needsReference: uses.reference,
    score: async (batch) => batch.map((input) => calibrate(calibration, rawScore(model, input))),
  };
}
