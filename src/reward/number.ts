/** A verifiable reward: whether an answer ends on the right number. */

import { UserError } from "../errors.js";
import { answerIn, finalNumber } from "../evaluate/answers.js";
import type { Reward } from "./reward.js";

/** 1 where the candidate's final number is the reference's, else 0. Throws a UserError for a reference without a number. */
export function numberReward(): Reward {
  return {
    name: "number",
    needsReference: true,
    score: async (batch) =>
      batch.map(({ candidate, reference }) => {
        if (finalNumber(reference!) === undefined)
          throw new UserError(
            `reward "number" finds no number in the reference ${JSON.stringify(reference!.slice(0, 60))}; give it one, or leave the pair out`,
          );
        return answerIn("number", candidate) === answerIn("number", reference!) ? 1 : 0;
      }),
  };
}
