/** What a run's samples are put in order by beside the reward: the parts of a sum, and the policy's log-probability. */

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "../errors.js";
import { type Rerank, rerankScores } from "../evaluate/rerank.js";
import type { Reward, RewardInput } from "../reward/reward.js";
import { isSum } from "../reward/sum.js";
import type { RunContext } from "./context.js";
import { stepNames } from "./names.js";

/** What a sample needs to be scored. */
export interface Sample extends RewardInput {
  /** Of each token, in nats. */
  logProbs: readonly number[];
}

/** The names of `partScores`, the reward first; a part of a sum is one of its own. */
export function partNames(reward: Reward): string[] {
  return ["reward", ...(isSum(reward) ? Object.keys(reward.weights) : []), "log-probability a token"];
}

/** Scores by part, then by sample. `rewards`: those of the whole reward. */
export async function partScores(reward: Reward, samples: readonly Sample[]): Promise<number[][]> {
  const ofTokens = samples.map(
    ({ logProbs }) => logProbs.reduce((sum, one) => sum + one, 0) / Math.max(1, logProbs.length),
  );
  if (!isSum(reward)) return [await reward.score(samples), ofTokens];
  const { total, parts } = await reward.scoreParts(samples);
  return [total, ...Object.keys(reward.weights).map((name) => parts[name]!), ofTokens];
}

const stored = z.object({
  rerank: z
    .object({
      parts: z.array(
        z.object({ name: z.string(), weight: z.number(), mean: z.number(), deviation: z.number() }),
      ),
    })
    .optional(),
});

/** The weights that a policy's evaluation tuned. Throws a UserError where there are none. */
export async function storedRerank(
  run: Pick<RunContext, "manifest" | "folder">,
  policy: string,
): Promise<Pick<Rerank, "parts">> {
  const file = run.folder.inside(`evaluation/${policy}.json`);
  const found = run.manifest.isDone(stepNames.evaluate(policy))
    ? stored.parse(JSON.parse(await readFile(file, "utf8"))).rerank
    : undefined;
  if (found) return found;
  throw new UserError(
    `no weights are stored for ${policy}, so that its samples can be chosen by the reward alone. Set evaluate.rerank: true and go on with: coppice run ${run.folder.root}`,
    { file: run.folder.root },
  );
}

/** What `samples` are put in order by: one number each, higher is better. Throws where the reward has other parts by now. */
export async function rerankedScores(
  reward: Reward,
  samples: readonly Sample[],
  { parts }: Pick<Rerank, "parts">,
): Promise<{ rewards: number[]; ranks: number[] }> {
  const names = partNames(reward);
  if (names.join("\n") !== parts.map(({ name }) => name).join("\n"))
    throw new UserError(
      `the stored weights are for ${parts.map(({ name }) => name).join(", ")}, but the reward now has ${names.join(", ")}. Evaluate the run again: coppice run`,
    );
  const scores = await partScores(reward, samples);
  return { rewards: scores[0]!, ranks: rerankScores(parts, scores) };
}
