/** `coppice score`: rewards for the candidates of the last Grow step. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

export function addScore(program: Command): void {
  addCommand(program, "score <dir>", {
    summary: "score the candidates of the last Grow step",
    description:
      "Gives every candidate of the last Grow step its reward, once, and stores it beside the candidate. An error names " +
      "the step that is due where it is another one.",
    examples: [["coppice score runs/mine", "after coppice grow runs/mine"]],
  }).action(async (dir: string, output: OutputOptions) => {
    const { single } = await import("../run.js");
    await single("score", { ...output, dir });
  });
}
