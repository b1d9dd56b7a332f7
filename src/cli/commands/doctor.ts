/** `coppice doctor`: is ReST likely to help here? */
import type { Command } from "commander";
import { addCommand, positiveNumber, wholeNumber } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface Options extends OutputOptions {
  sources: number;
  hours: number;
}

export function addDoctor(program: Command): void {
  addCommand(program, "doctor <dir>", {
    summary: "is ReST likely to help, before it is paid for?",
    description:
      "Draws a few samples of a run's first policy for validation sources and says: does the reward tell them apart beyond " +
      "its noise, does choosing by it improve a metric of another family, is the temperature high enough, how long will the " +
      "run take, does the reward give the same twice. Needs the first policy and the reward; writes nothing.",
    examples: [
      ["coppice doctor runs/mine", "five answers with their figures, and one of all"],
      ["coppice doctor runs/mine --hours 8 --json", "for machines, with eight hours at hand"],
    ],
  })
    .option("--sources <n>", "validation sources at most", wholeNumber(2), 200)
    .option("--hours <n>", "how long the rest of the run may take", positiveNumber, 24)
    .action(async (dir: string, options: Options) => {
      const { doctorCommand } = await import("../doctor.js");
      await doctorCommand({ ...options, dir });
    });
}
