/** `coppice reward`: a run's reward for lines from standard input, and `coppice reward probe`: what a reward is blind to. */
import type { Command } from "commander";
import { addCommand, wholeNumber } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface ProbeCommandOptions extends OutputOptions {
  reward?: string;
  pairs?: string;
  limit: number;
  worst: number;
  seed: number;
}

export function addReward(program: Command): void {
  const reward = addCommand(program, "reward <dir>", {
    summary: "score translations from standard input; reward probe tests the reward",
    description:
      "Reads lines of source<TAB>candidate (<TAB>reference, where the reward needs one) from standard input and prints " +
      "the run's reward of each, 0 to 1, one a line. With --json every line is an object.",
    examples: [
      ["printf 'Guten Tag\\tGood day\\n' | coppice reward runs/demo", "one number"],
      ["coppice reward runs/demo --json < candidates.tsv", "for machines"],
      ["coppice reward probe runs/demo", "which damage the reward does not notice"],
    ],
  }).action(async (dir: string, output: OutputOptions) => {
    const { rewardCommand } = await import("../reward.js");
    await rewardCommand({ ...output, dir });
  });
  addCommand(reward, "probe [dir]", {
    summary: "which damage to a translation does a reward not notice?",
    description:
      "Damages human translations (words dropped, doubled, shuffled, a number or a name changed, the source copied, …) and " +
      "prints how often the reward falls, with the texts where it does not. Uses the run's validation pairs, or --pairs.",
    examples: [
      ["coppice reward probe runs/demo", "the reward of a run"],
      ["coppice reward probe --reward chrf --pairs pairs.tsv", "a metric"],
      ["coppice reward probe --reward module:my-reward.mjs --pairs pairs.tsv --json", "a reward of yours"],
      ["coppice reward probe --reward 'command:python3 my-reward.py' --pairs pairs.tsv", "in any language"],
    ],
  })
    .option(
      "--reward <kind>",
      "probe this instead of a run's: chrf, bleu, places, ratings:FOLDER, module:PATH, command:PROGRAM or http://…",
    )
    .option(
      "--pairs <file>",
      "pairs of source and human translation; the run's validation part when left out",
    )
    .option("--limit <n>", "pairs to probe with at most", wholeNumber(2), 100)
    .option("--worst <n>", "texts to show of each kind that was missed", wholeNumber(0), 2)
    .option("--seed <n>", "where the damage falls", wholeNumber(0), 1)
    .action(async (dir: string | undefined, _: unknown, command: Command) => {
      const { probeCommand } = await import("../probe.js");
      // `reward` has --json and --quiet too, and takes them first.
      const options = command.optsWithGlobals<ProbeCommandOptions>();
      await probeCommand({ ...options, ...(dir === undefined ? {} : { dir }) });
    });
}
