/** `coppice chrf`: corpus chrF of two text files, as sacreBLEU prints it. */
import { type Command, Option } from "commander";
import { addCommand } from "../command.js";
import { type OutputOptions, openTerminal } from "../terminal.js";
import { readTexts } from "../texts.js";

interface ChrfCommandOptions extends OutputOptions {
  wordOrder: "0" | "2";
}

export function addChrf(program: Command): void {
  addCommand(program, "chrf <reference> <hypothesis>", {
    summary: "chrF of a translated file",
    description: "Corpus chrF of the lines of HYPOTHESIS against those of REFERENCE, equal to sacreBLEU's.",
    examples: [
      ["coppice chrf test.en output.en", "print chrF2 with its signature"],
      ["coppice chrf test.en output.en --word-order 2", "chrF2++"],
    ],
  })
    .addOption(new Option("--word-order <n>", "2 makes it chrF++").choices(["0", "2"]).default("0"))
    .action(async (reference: string, hypothesis: string, options: ChrfCommandOptions) => {
      const { corpusChrf, formatChrf } = await import("../../evaluate/chrf.js");
      const wordOrder = options.wordOrder === "2" ? 2 : 0;
      const { references, hypotheses } = await readTexts(reference, hypothesis);
      const { score, signature } = corpusChrf(hypotheses, references, { wordOrder });
      openTerminal(options).result({ metric: "chrf", score, signature, n: hypotheses.length }, () =>
        formatChrf(score, signature, { wordOrder }),
      );
    });
}
