/** `coppice evaluate`: every policy of a run on sources never trained on. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface EvaluateCommandOptions extends OutputOptions {
  test?: string;
  policy?: string[];
  out?: string;
}

export function addEvaluate(program: Command): void {
  addCommand(program, "evaluate <dir>", {
    summary: "reward, BLEU and chrF of every policy",
    description:
      "Measures the policies of a run on its test part, or on pairs of your own: mean reward of samples, BLEU and chrF with " +
      "their intervals, diversity, distance from the first policy.",
    examples: [
      ["coppice evaluate runs/demo", "all policies on the run's test part"],
      ["coppice evaluate runs/demo --test news.tsv --policy G0I0 G1I3", "two of them on other pairs"],
      ["coppice evaluate runs/demo --json", '{"policies":[{"name":"G1I2","reward":…,"bleu":…}, …]}'],
    ],
  })
    .option("--test <file>", "file of pairs to evaluate on; two text files as a,b")
    .option("--policy <name...>", "policies to evaluate, such as G0I0 G1I4; all when left out")
    .option("--out <file>", "write the result as JSON to this file too")
    .action(async (dir: string, { test, policy, out, ...output }: EvaluateCommandOptions) => {
      const { evaluateCommand } = await import("../evaluate.js");
      await evaluateCommand({
        ...output,
        dir,
        ...(test !== undefined && { test }),
        ...(policy !== undefined && { policies: policy }),
        ...(out !== undefined && { out }),
      });
    });
}
