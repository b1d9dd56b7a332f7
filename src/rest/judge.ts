/** The judge of `evaluate.judge`: a published metric beside BLEU and chrF, which no policy is trained for. */

import { createReward, pretrainedPlace } from "../reward/create.js";
import { familyOf } from "../reward/pretrained/open.js";
import type { Reward } from "../reward/reward.js";
import type { RunContext } from "./context.js";
import { rewardParts } from "./reward-parts.js";

/** The judge, loaded once; undefined where the configuration names none. @throws UserError where it does not load. */
export async function runJudge(run: RunContext): Promise<Reward | undefined> {
  const { judge } = run.config.evaluate;
  if (!judge) return undefined;
  return run.reward("judge", () =>
    createReward(judge, {
      configFile: run.folder.config,
      thread: run.thread,
      ...(run.signal && { signal: run.signal }),
      onPretrained: async ({ name, licence }) => {
        run.reporter.note(`Judge ${name} from ${judge.model}. Licence: ${licence}.`);
        if (await sharesFamily(run))
          run.reporter.note(
            `Warning: the judge ${name} is of the reward's own family and errs where it errs; name a checkpoint of another as evaluate.judge.`,
          );
      },
    }),
  );
}

/** Whether a part of the reward is another checkpoint of the judge's family. */
async function sharesFamily({ config, folder }: RunContext): Promise<boolean> {
  const family = (part: Parameters<typeof pretrainedPlace>[0]) => {
    const { folder: model, options } = pretrainedPlace(part, folder.config);
    return familyOf(model, options);
  };
  const own = config.evaluate.judge && (await family(config.evaluate.judge));
  for (const part of rewardParts(config.reward))
    if (part.kind === "pretrained" && (await family(part)) === own) return true;
  return false;
}
