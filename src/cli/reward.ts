/** A run's reward for lines from standard input. */
import type { Line } from "../data/lines.js";
import { UserError } from "../errors.js";
import { withFinished } from "../rest/run.js";
import { runReward } from "../rest/steps/reward.js";
import type { RewardInput } from "../reward/reward.js";
import { lineBlocks, print } from "./blocks.js";
import type { FolderOptions } from "./command.js";
import { onFolder } from "./folder-work.js";

/** Lines scored at once. */
const BLOCK = 1024;

/** Lines of `source<TAB>candidate`, and `<TAB>reference` for rewards that need one, come from standard input. */
export async function rewardCommand(options: FolderOptions): Promise<void> {
  await onFolder(options, undefined, (work) =>
    withFinished(work, async (run) => {
      const reward = await runReward(run);
      for await (const block of lineBlocks(process.stdin, { size: BLOCK })) {
        const inputs = block.map((line) => inputOf(line, reward));
        const scores = await reward.score(inputs);
        const lines = inputs.map((input, i) =>
          // Six decimals are what 32-bit arithmetic can tell apart.
          options.json ? JSON.stringify({ ...input, reward: scores[i] }) : scores[i]!.toFixed(6),
        );
        await print(`${lines.join("\n")}\n`, work.signal);
      }
    }),
  );
}

/** A line of `source<TAB>candidate[<TAB>reference]`. @throws UserError naming the line where it is another. */
export function inputOf(
  { text, number }: Line,
  reward: { name: string; needsReference: boolean },
  file = "standard input",
): RewardInput {
  const place = { file, line: number };
  const [source = "", candidate, reference, ...more] = text.split("\t");
  if (candidate === undefined || more.length > 0)
    throw new UserError(
      `the line has ${text.split("\t").length - 1} tabs, expected source<TAB>candidate or source<TAB>candidate<TAB>reference.`,
      place,
    );
  if (reference === undefined && reward.needsReference)
    throw new UserError(
      `the line has no reference, and the reward ${reward.name} needs one: source<TAB>candidate<TAB>reference.`,
      place,
    );
  return { source, candidate, ...(reference === undefined ? {} : { reference }) };
}
