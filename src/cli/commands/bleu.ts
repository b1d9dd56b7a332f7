/** `coppice bleu`: corpus BLEU of two text files, as sacreBLEU prints it. */
import { type Command, Option } from "commander";
import type { BleuTokenizer } from "../../evaluate/tokenize/tokenizers.js";
import { addCommand } from "../command.js";
import { type OutputOptions, openTerminal } from "../terminal.js";
import { readTexts } from "../texts.js";

interface BleuCommandOptions extends OutputOptions {
  tokenize: BleuTokenizer;
}

export function addBleu(program: Command): void {
  addCommand(program, "bleu <reference> <hypothesis>", {
    summary: "BLEU of a translated file",
    description: "Corpus BLEU of the lines of HYPOTHESIS against those of REFERENCE, equal to sacreBLEU's.",
    examples: [
      ["coppice bleu test.en output.en", "print the score with its signature"],
      ["coppice bleu test.zh output.zh --tokenize zh --json", "Chinese, for machines"],
    ],
  })
    .addOption(
      new Option("--tokenize <name>", "sacreBLEU's tokenizer")
        .choices(["13a", "zh", "char", "intl"])
        .default("13a"),
    )
    .action(async (reference: string, hypothesis: string, options: BleuCommandOptions) => {
      const { corpusBleu, formatBleu } = await import("../../evaluate/bleu.js");
      const { references, hypotheses } = await readTexts(reference, hypothesis);
      const score = corpusBleu(hypotheses, references, { tokenize: options.tokenize });
      openTerminal(options).result({ metric: "bleu", ...score, n: hypotheses.length }, () =>
        formatBleu(score, score.signature),
      );
    });
}
