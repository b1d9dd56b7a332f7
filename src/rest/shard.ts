/** One share of a Grow step, beside other processes that take the others. */

import { UserError } from "../errors.js";
import { lockWorker, workersIn } from "../store/lock.js";
import { algorithm, perform, plannedSteps } from "./algorithm.js";
import { renderConfig } from "./config.js";
import { type RunOptions, readConfig, readFinished, stepsOf, withFinished } from "./run.js";
import { nextStep, only } from "./single.js";
import { type ShardResult, sampleShard } from "./steps/grow.js";
import type { Shard } from "./steps/shared-parts.js";

export interface FinishedShard extends ShardResult {
  grow: number;
  policy: string;
}

/** `3/8` as a shard. Throws a UserError where it is none. */
export function parseShard(text: string): Shard {
  const [number, of] = (/^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text)?.slice(1) ?? []).map(Number);
  if (number === undefined || of === undefined || number > of)
    throw new UserError(
      `--shard ${JSON.stringify(text)} is not a share. Give number and count, from 1/8 to 8/8.`,
    );
  return { number, of };
}

/**
 * Samples the share of the Grow step that is due, and leaves part files; `coppice grow` without a shard puts them together,
 * and samples what is missing.
 *
 * @throws UserError where another step is due, where the configuration was changed since the last step, and where another
 * process works on the same share, on shares of another count, or on the run itself.
 */
export async function growShard(options: RunOptions, shard: Shard): Promise<FinishedShard> {
  const { dir } = options;
  // A folder that holds no run is refused before anything is put into it.
  await readFinished(dir);
  const lock = lockWorker(dir, `shard-${shard.number}-of-${shard.of}`);
  try {
    for (const { name, pid, host } of workersIn(dir))
      if (!name.endsWith(`-of-${shard.of}`))
        throw new UserError(
          `${name} is at work here (process ${pid} on ${host}), and shares of another count would sample the same sources. ` +
            "Give the same count, or wait until it ends.",
          { file: dir },
        );
    return await withFinished(options, async (run) => {
      const config = await readConfig(run.folder.config);
      // Each machine may have its parts elsewhere.
      const { store } = config.grow;
      if (renderConfig(config) !== renderConfig({ ...run.config, grow: { ...run.config.grow, store } }))
        throw new UserError(
          `it was changed since the last step. Run coppice grow ${dir} once without --shard, or put it back.`,
          { file: run.folder.config },
        );
      const due = nextStep(run, await plannedSteps(run.config));
      if (due?.kind !== "grow")
        throw new UserError(
          due
            ? `the step that is due is ${due.name}, which has no shares. Do it first: coppice run ${dir} does all, or its own command.`
            : "every step of this run is done. Its figures: coppice status.",
          { file: dir },
        );
      let found: FinishedShard | undefined;
      const steps = only(new Set([due.name]), {
        ...stepsOf(run),
        sample: async (policy, grow) => {
          found = { grow, policy, ...(await sampleShard(run, policy, grow, shard, { store })) };
        },
      });
      await perform(run.config, algorithm(run.config, steps), steps);
      if (!found) throw new Error(`step ${due.name} was not met`);
      return found;
    });
  } finally {
    lock.unlock();
  }
}
