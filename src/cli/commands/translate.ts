/** `coppice translate`: lines in, translations out. */
import type { Command } from "commander";
import { UserError } from "../../errors.js";
import { addCommand, positiveNumber, wholeNumber } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface TranslateCommandOptions extends OutputOptions {
  policy?: string;
  bestOf?: number;
  rerank?: boolean;
  temperature?: number;
  beam?: number;
}

export function addTranslate(program: Command): void {
  addCommand(program, "translate <dir>", {
    summary: "translate lines from standard input",
    description:
      "Reads one sentence a line from standard input and prints one translation a line: greedy, by beam search, or the best " +
      "of N samples by the run's reward. With --json every line is an object.",
    examples: [
      ["echo 'Datei öffnen' | coppice translate runs/demo", "the last policy, greedy"],
      [
        "coppice translate runs/demo --policy G1I2 --beam 4 < in.txt > out.txt",
        "another policy, beam search",
      ],
      [
        "coppice translate runs/demo --best-of 16 < in.txt",
        "sample 16, print the one with the highest reward",
      ],
      [
        "coppice translate runs/demo --best-of 16 --rerank < in.txt",
        "by reward and log-probability, as tuned with evaluate.rerank",
      ],
    ],
  })
    .option("--policy <name>", "policy to translate with, such as G1I4; the last one when left out")
    .option("--best-of <n>", "sample so many and print the best by reward", wholeNumber(1))
    .option("--rerank", "choose them by the sum of scores that evaluation tuned (evaluate.rerank)")
    .option(
      "--temperature <t>",
      "temperature of those samples; grow.temperature when left out",
      positiveNumber,
    )
    .option("--beam <k>", "beam width; 1, greedy, when left out", wholeNumber(1))
    .action(async (dir: string, given: TranslateCommandOptions) => {
      const { policy, bestOf, rerank, temperature, beam, ...output } = given;
      if (bestOf !== undefined && beam !== undefined) {
        throw new UserError("--best-of samples and --beam searches: give one of the two.");
      }
      if (temperature !== undefined && bestOf === undefined) {
        throw new UserError("--temperature is for sampling: give --best-of N with it.");
      }
      if (rerank && bestOf === undefined)
        throw new UserError("--rerank chooses among samples: give --best-of N with it.");
      const { translateCommand } = await import("../translate.js");
      await translateCommand({
        ...output,
        dir,
        beam: beam ?? 1,
        ...(policy !== undefined && { policy }),
        ...(bestOf !== undefined && { bestOf }),
        ...(rerank && { rerank }),
        ...(temperature !== undefined && { temperature }),
      });
    });
}
