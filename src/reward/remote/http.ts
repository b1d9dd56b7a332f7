/** A reward that a server of the user's computes: POST {"inputs": […]} brings {"rewards": […]}. */

import type { Place } from "../../errors.js";
import { type AddressOptions, addressName, addressOf } from "../../remote/address.js";
import { type ClientOptions, postJson, refusal } from "../../remote/client.js";
import { described } from "../contract.js";
import type { ScoreSource } from "../remembered.js";

export interface HttpOptions extends AddressOptions, ClientOptions {
  /** Name in tables; the address when null. */
  name: string | null;
  /** Whether the server gets the human translation too. */
  needsReference: boolean;
  batchSize: number;
  concurrency: number;
}

/** Throws a UserError where the address is not one, or a variable of the environment is not set. */
export function httpScores(options: HttpOptions, place: Place): ScoreSource {
  const address = addressOf(options, "reward", place);
  const name = options.name ?? `http ${addressName(options.url)}`;
  const who = `reward "${name}"`;
  return {
    name,
    needsReference: options.needsReference,
    identity: JSON.stringify(["http", options.url, options.needsReference]),
    repetitions: 1,
    batchSize: options.batchSize,
    concurrency: options.concurrency,
    async ask(questions, asking) {
      const inputs = questions.map(({ repetition: _, ...input }) => input);
      const answer = await postJson(who, address, { inputs }, options, asking);
      const rewards = Array.isArray(answer) ? answer : rewardsOf(answer);
      if (!Array.isArray(rewards))
        throw refusal(
          who,
          address,
          `answered with ${described(answer)} without rewards`,
          `{"rewards": […]} with one number for each of ${inputs.length} inputs was expected`,
        );
      return { scores: rewards };
    },
  };
}

function rewardsOf(answer: unknown): unknown {
  return typeof answer === "object" && answer !== null && "rewards" in answer ? answer.rewards : undefined;
}
