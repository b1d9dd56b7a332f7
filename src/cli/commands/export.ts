/** `coppice export`: a policy for other programs. */
import { type Command, Option } from "commander";
import { addCommand } from "../command.js";
import type { Layout } from "../export.js";
import type { OutputOptions } from "../terminal.js";

interface ExportCommandOptions extends OutputOptions {
  policy?: string;
  to: Layout;
  base?: string;
}

export function addExport(program: Command): void {
  addCommand(program, "export <dir> <out>", {
    summary: "write a policy for other programs",
    description:
      "Writes a policy of the run in DIR into the new folder OUT, as Hugging Face Transformers reads it: safetensors, " +
      "configuration and, for a model that was imported, its SentencePiece models and vocabulary as they were. A policy that " +
      "was trained with improve.lora has its adapter merged into the weights; --to peft writes the adapter alone.",
    examples: [
      ["coppice export runs/mine my-model", "the last policy"],
      ["coppice export runs/mine --policy G1I2 --to huggingface my-model", "another policy"],
      [
        "coppice export runs/mine --to peft my-adapter --base me/my-base",
        "its adapter alone, in PEFT's layout",
      ],
    ],
  })
    .option("--policy <name>", "policy to write, such as G1I4; the last one when left out")
    .addOption(
      new Option("--to <layout>", "whose layout the folder has")
        .choices(["huggingface", "peft"] satisfies Layout[])
        .default("huggingface" satisfies Layout),
    )
    .option(
      "--base <model>",
      "name or folder of the model that the adapter is to name as its base; G0I0 of the run when left out",
    )
    .action(async (dir: string, out: string, { policy, to, base, json, quiet }: ExportCommandOptions) => {
      const { exportPolicy } = await import("../export.js");
      await exportPolicy({
        dir,
        out,
        to,
        ...(base !== undefined && { base }),
        ...(policy !== undefined && { policy }),
        ...(json !== undefined && { json }),
        ...(quiet !== undefined && { quiet }),
      });
    });
}
