/** `coppice export`: a policy for other programs. */
import { type Command, Option } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface ExportCommandOptions extends OutputOptions {
  policy?: string;
}

export function addExport(program: Command): void {
  addCommand(program, "export <dir> <out>", {
    summary: "write a policy for other programs",
    description:
      "Writes a policy of the run in DIR into the new folder OUT, as Hugging Face Transformers reads it: safetensors, " +
      "configuration and, for a model that was imported, its SentencePiece models and vocabulary as they were.",
    examples: [
      ["coppice export runs/mine my-model", "the last policy"],
      ["coppice export runs/mine --policy G1I2 --to huggingface my-model", "another policy"],
    ],
  })
    .option("--policy <name>", "policy to write, such as G1I4; the last one when left out")
    .addOption(
      new Option("--to <layout>", "whose layout the folder has")
        .choices(["huggingface"])
        .default("huggingface"),
    )
    .action(async (dir: string, out: string, { policy, json, quiet }: ExportCommandOptions) => {
      const { exportHuggingFace } = await import("../export.js");
      await exportHuggingFace({
        dir,
        out,
        ...(policy !== undefined && { policy }),
        ...(json !== undefined && { json }),
        ...(quiet !== undefined && { quiet }),
      });
    });
}
