/** `coppice grow`: the next Grow step alone. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

export function addGrow(program: Command): void {
  addCommand(program, "grow <dir>", {
    summary: "sample candidates from the latest policy",
    description:
      "Does the next Grow step of a run: samples candidates for every source and stores them, to be scored next. Where no " +
      "reward is learned, the first policy is trained first. An error names the step that is due where it is another one.",
    examples: [["coppice grow runs/mine", "then: coppice score runs/mine, coppice improve runs/mine"]],
  }).action(async (dir: string, output: OutputOptions) => {
    const { single } = await import("../run.js");
    await single("grow", { ...output, dir });
  });
}
