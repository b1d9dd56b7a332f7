/** `coppice import`: starts a run folder from a model that the user has. */
import type { Command } from "commander";
import { UserError } from "../../errors.js";
import { addCommand } from "../command.js";
import { type OutputOptions, openTerminal } from "../terminal.js";

interface ImportCommandOptions extends OutputOptions {
  pairs?: string[];
  preset?: string;
  sourceColumn?: string;
  targetColumn?: string;
}

export function addImport(program: Command): void {
  addCommand(program, "import <folder> <dir>", {
    summary: "start a run folder from a Marian model",
    description:
      "Reads the Marian model in FOLDER (OPUS-MT and others: Hugging Face's safetensors or pytorch_model.bin with SentencePiece " +
      "models or tokenizer.json, or Marian's own .npz), and writes DIR/coppice.yaml for a run whose first policy, G0I0, is that model as it is. " +
      "Copies nothing: the configuration names the folder where it is.",
    examples: [
      ["coppice import opus-mt-de-en runs/mine --pairs pairs.tsv", "then: coppice run runs/mine"],
      ["coppice import opus-mt-de-en runs/mine --pairs train.de,train.en", "two text files, line by line"],
    ],
  })
    .option("--pairs <file...>", "files of pairs: TSV, JSONL (also gzipped), Parquet, or two texts as a,b")
    .option(
      "--source-column <name>",
      "where the source stands: key of JSONL, column of Parquet, number in TSV",
    )
    .option("--target-column <name>", "where its human translation stands")
    .option("--preset <name>", "values to start from; coppice init --keys lists them all")
    .action(async (from: string, dir: string, given: ImportCommandOptions) => {
      const { pairs, preset, sourceColumn, targetColumn, ...output } = given;
      const [first, ...more] = pairs ?? [];
      if (first === undefined)
        throw new UserError(
          `no pairs are given. Add --pairs FILE, for example coppice import ${from} ${dir} --pairs pairs.tsv`,
        );
      const [{ importModel }, { plural }] = await Promise.all([
        import("../import.js"),
        import("../../report/format.js"),
      ]);
      const found = await importModel({
        from,
        dir,
        pairs: [first, ...more],
        ...(preset !== undefined && { preset }),
        ...(sourceColumn !== undefined && { sourceColumn }),
        ...(targetColumn !== undefined && { targetColumn }),
      });
      openTerminal(output).result(found, () =>
        [
          `A Marian model of ${plural(found.parameters, "parameter")}: ${found.encoderLayers} encoder and ` +
            `${found.decoderLayers} decoder layers of width ${found.width}, ${plural(found.vocabulary, "token")}.`,
          `Licence: ${found.licence ?? "the folder names none; ask whoever made the model"}.`,
          `${plural(found.pairs, "pair")}, ${plural(found.duplicatePairs, "duplicate")} among them.`,
          `Wrote ${found.config}. Look through it, then run: coppice run ${dir}`,
        ].join("\n"),
      );
    });
}
