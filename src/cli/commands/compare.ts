/** `coppice compare`: ReST beside losses and baselines, on the same data, reward and seeds. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

export function addCompare(program: Command): void {
  addCommand(program, "compare <study>", {
    summary: "run a study: arms beside each other, tables, figures, verdicts",
    description:
      "Runs every arm of STUDY.yaml with every seed, each in a run folder of its own under DIR/runs, and does what arms " +
      "have in common once. Writes table1, figures (SVG, PNG, CSV), verdict and study.html into DIR, anew after each " +
      "finished run. Finished steps are kept: after a stop or a crash the same command goes on. With --json the rows, " +
      "findings and figures are printed at the end. docs/studies.md describes the file.",
    examples: [
      ["coppice compare examples/study.yaml --out runs/study", "start, or go on"],
      ["coppice compare examples/study-toy.yaml --out runs/toy-study", "a study of the toy, in a minute"],
      ["coppice compare study.yaml --out runs/mine --quiet --json > study.json", "for machines"],
    ],
  })
    .requiredOption("-o, --out <dir>", "folder for runs, tables, figures and verdicts")
    .action(async (file: string, options: OutputOptions & { out: string }) => {
      const { compare } = await import("../compare.js");
      await compare({ ...options, file });
    });
}
