/** `coppice improve`: the next Improve step alone. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

export function addImprove(program: Command): void {
  addCommand(program, "improve <dir>", {
    summary: "train on the candidates above the next threshold",
    description:
      "Does the next Improve step of a run: keeps the candidates above its threshold and fine-tunes the latest policy on\n" +
      "them. An error names the step that is due where it is another one.",
    examples: [["coppice improve runs/mine", "once for each threshold in coppice.yaml"]],
  }).action(async (dir: string, output: OutputOptions) => {
    const { single } = await import("../run.js");
    await single("improve", { ...output, dir });
  });
}
