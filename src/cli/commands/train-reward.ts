/** `coppice train-reward`: the learned reward of a run alone. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

export function addTrainReward(program: Command): void {
  addCommand(program, "train-reward <dir>", {
    summary: "train the reward that a run learns",
    description:
      "Trains the reward of DIR/coppice.yaml (reward.kind: learned) on its own part of the pairs, after the first policy, " +
      "and says how well it ranks candidates of sources it has not seen.",
    examples: [["coppice train-reward runs/mine", "the first policy is trained first where it is missing"]],
  }).action(async (dir: string, output: OutputOptions) => {
    const { single } = await import("../run.js");
    await single("train-reward", { ...output, dir });
  });
}
