/** Typed sentences by the policies of a run folder. */

import { UserError } from "../errors.js";
import { ranked } from "../serve/best.js";
import { type Output, RunPolicies } from "../serve/policies.js";
import type { TypedTranslator } from "./typed-translator.js";
import type { ScoredText } from "./views.js";

/** Throws a UserError where nothing of the run is finished. */
export async function openRunTranslator(dir: string): Promise<TypedTranslator> {
  const policies = await RunPolicies.open({ dir });
  return {
    translate: async ({ text, policy, bestOf, temperature, signal }) => {
      const sources = [{ sourceId: 0, text }];
      const score = (await policies.whyUnscored()) === undefined;
      const [greedy] = await policies.translate(sources, { policy, score, signal });
      if (greedy!.sourceCut)
        throw new UserError(
          `the text has ${greedy!.sourceTokens} tokens, which is more than ${policy} reads. Shorten it.`,
        );
      const [samples] =
        bestOf > 0 && score
          ? await policies.sample(sources, { policy, n: bestOf, temperature, score, signal })
          : [];
      return {
        policy,
        greedy: scoredText(greedy!.outputs[0]!),
        samples: ranked(samples?.outputs ?? []).map(scoredText),
      };
    },
    close: () => policies.close(),
  };
}

function scoredText({ text, reward, finished }: Output): ScoredText {
  return { text, reward, finished };
}
