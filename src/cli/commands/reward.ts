/** `coppice reward`: a run's reward for lines from standard input. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

export function addReward(program: Command): void {
  addCommand(program, "reward <dir>", {
    summary: "score translations from standard input",
    description:
      "Reads lines of source<TAB>candidate (<TAB>reference, where the reward needs one) from standard input and prints\n" +
      "the run's reward of each, 0 to 1, one a line. With --json every line is an object.",
    examples: [
      ["printf 'Guten Tag\\tGood day\\n' | coppice reward runs/demo", "one number"],
      ["coppice reward runs/demo --json < candidates.tsv", "for machines"],
    ],
  }).action(async (dir: string, output: OutputOptions) => {
    const { rewardCommand } = await import("../reward.js");
    await rewardCommand({ ...output, dir });
  });
}
