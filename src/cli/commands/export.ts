/** `coppice export`: a policy for other programs. */
import { type Command, Option } from "commander";
import { UserError } from "../../errors.js";
import { isRecordTarget, type RecordTarget, recordTargets } from "../../export/names.js";
import { addCommand } from "../command.js";
import { type LayoutName, layoutNames } from "../export-layouts.js";
import type { OutputOptions } from "../terminal.js";

interface ExportCommandOptions extends OutputOptions {
  policy?: string;
  to: LayoutName | RecordTarget;
  base?: string;
  experiment: string;
}

export function addExport(program: Command): void {
  addCommand(program, "export <dir> <out>", {
    summary: "write a policy, figures or candidates for other programs",
    description:
      "Writes a policy of the run in DIR into the new folder OUT, with a card (README.md) of what the run measured. " +
      "huggingface, for Transformers: safetensors, configuration and tokenizer; of a model that was imported, its " +
      "SentencePiece models and vocabulary as they were. transformers-js, for Transformers.js in Node and in browsers: ONNX " +
      "models with 32-bit weights and with 8-bit ones, configuration and tokenizer. A policy that was trained with " +
      "improve.lora has its adapter merged into the weights; peft writes the adapter alone. Of a policy behind a server, card " +
      "writes what was measured. The other targets take the run's " +
      "figures (tensorboard, mlflow, wandb, csv, jsonl, parquet) or its candidates (datasets); docs/exports.md says more. OUT " +
      "is then a new folder or file, and for mlflow the server's address.",
    examples: [
      ["coppice export runs/mine my-model", "the last policy"],
      ["coppice export runs/mine --policy G1I2 --to huggingface my-model", "another policy"],
      ["coppice export runs/mine --to transformers-js my-web-model", "for Node and for a browser"],
      [
        "coppice export runs/mine --to peft my-adapter --base me/my-base",
        "its adapter alone, in PEFT's layout",
      ],
      ["coppice export runs/mine --to tensorboard logs/mine", "then: tensorboard --logdir logs"],
      [
        "coppice export runs/mine --to mlflow http://127.0.0.1:5000",
        "again later: what is there is not sent twice",
      ],
      ["coppice export runs/mine --to datasets candidates", "for load_dataset of Hugging Face"],
    ],
  })
    .option("--policy <name>", "policy to write, such as G1I4; the last one when left out")
    .addOption(
      new Option("--to <target>", "whose layout the folder has, or who the figures are for")
        .choices([...layoutNames, ...recordTargets])
        .default("huggingface" satisfies LayoutName),
    )
    .option(
      "--base <model>",
      "name or folder of the model that the adapter is to name as its base; G0I0 of the run when left out",
    )
    .option("--experiment <name>", "MLflow's experiment", "coppice")
    .action(async (dir: string, out: string, options: ExportCommandOptions) => {
      const { policy, to, base, experiment, json, quiet } = options;
      const output = { ...(json !== undefined && { json }), ...(quiet !== undefined && { quiet }) };
      if (isRecordTarget(to)) {
        for (const [option, given] of Object.entries({ policy, base }))
          if (given !== undefined)
            throw new UserError(
              `--${option} has no effect with --to ${to}, which is of the whole run. Remove it.`,
            );
        const { exportRecordCommand } = await import("../export-record.js");
        return exportRecordCommand({ dir, out, to, experiment, ...output });
      }
      const { exportPolicy } = await import("../export.js");
      await exportPolicy({
        dir,
        out,
        to,
        ...(base !== undefined && { base }),
        ...(policy !== undefined && { policy }),
        ...output,
      });
    });
}
