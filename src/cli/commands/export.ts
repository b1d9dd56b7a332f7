/** `coppice export`: a policy for other programs. */
import { type Command, Option } from "commander";
import { addCommand } from "../command.js";
import { type LayoutName, layoutNames } from "../export-layouts.js";
import type { OutputOptions } from "../terminal.js";

interface ExportCommandOptions extends OutputOptions {
  policy?: string;
  to: LayoutName;
  base?: string;
}

export function addExport(program: Command): void {
  addCommand(program, "export <dir> <out>", {
    summary: "write a policy for other programs",
    description:
      "Writes a policy of the run in DIR into the new folder OUT, with a card (README.md) of what the run measured. " +
      "huggingface, for Transformers: safetensors, configuration and tokenizer; of a model that was imported, its " +
      "SentencePiece models and vocabulary as they were. transformers-js, for Transformers.js in Node and in browsers: ONNX " +
      "models with 32-bit weights and with 8-bit ones, configuration and tokenizer. A policy that was trained with " +
      "improve.lora has its adapter merged into the weights; peft writes the adapter alone.",
    examples: [
      ["coppice export runs/mine my-model", "the last policy"],
      ["coppice export runs/mine --policy G1I2 --to huggingface my-model", "another policy"],
      ["coppice export runs/mine --to transformers-js my-web-model", "for Node and for a browser"],
      [
        "coppice export runs/mine --to peft my-adapter --base me/my-base",
        "its adapter alone, in PEFT's layout",
      ],
    ],
  })
    .option("--policy <name>", "policy to write, such as G1I4; the last one when left out")
    .addOption(
      new Option("--to <layout>", "whose layout the folder has")
        .choices(layoutNames)
        .default("huggingface" satisfies LayoutName),
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
