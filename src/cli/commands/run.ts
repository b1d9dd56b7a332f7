/** `coppice run`: the whole run of a folder, or what is left of it. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

export function addRun(program: Command): void {
  addCommand(program, "run <dir>", {
    summary: "run DIR/coppice.yaml from start to report",
    description:
      "Trains the first policy, then grows and improves as DIR/coppice.yaml says, evaluates every policy and writes " +
      "summary.json and report.html. Finished steps are reused; after a stop or a crash the same command goes on. " +
      "With --json the summary is printed at the end.",
    examples: [
      ["coppice run runs/mine", "start, or go on"],
      ["coppice run runs/mine --quiet --json > summary.json", "for machines"],
    ],
  }).action(async (dir: string, output: OutputOptions) => {
    const { run } = await import("../run.js");
    await run({ ...output, dir });
  });
}
