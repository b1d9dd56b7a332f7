/** `coppice demo`: the whole method on text that anyone has, in minutes. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import { type OutputOptions, openTerminal } from "../terminal.js";

export function addDemo(program: Command): void {
  addCommand(program, "demo [dir]", {
    summary: "see it work: German to English in minutes",
    description:
      "Fetches German and English messages out of npm packages, trains a small translator on them, improves it by ReST\n" +
      "and writes a report. DIR is runs/demo when left out. Run it again after a stop: it goes on where it was.",
    examples: [
      ["coppice demo", "train, grow, improve and report in runs/demo"],
      [
        "coppice demo runs/toy --toy",
        "the toy: reverse a list of numbers, in seconds, with nothing to fetch",
      ],
    ],
  })
    .option("--toy", "reverse lists of numbers in place of translating", false)
    .action(async (dir: string | undefined, { toy, ...output }: OutputOptions & { toy: boolean }) => {
      const folder = dir ?? (toy ? "runs/toy" : "runs/demo");
      const [{ startDemo }, { run }] = await Promise.all([import("../demo.js"), import("../run.js")]);
      await startDemo({ dir: folder, toy, note: openTerminal(output).note });
      await run({ ...output, dir: folder }, `coppice demo ${folder}${toy ? " --toy" : ""}`);
    });
}
