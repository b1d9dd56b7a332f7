/** `coppice export`: a policy for other programs. */
import { type Command, Option } from "commander";
import { UserError } from "../../errors.js";
import { isRecordTarget, recordTargets } from "../../export/names.js";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface ExportCommandOptions extends OutputOptions {
  policy?: string;
  to: string;
  experiment: string;
}

export function addExport(program: Command): void {
  addCommand(program, "export <dir> <out>", {
    summary: "write a policy, figures or candidates for other programs",
    description:
      "Writes a policy of the run in DIR into the new folder OUT, as Hugging Face Transformers reads it: safetensors, " +
      "configuration and, for a model that was imported, its SentencePiece models and vocabulary as they were. The other " +
      "targets take the run's figures (tensorboard, mlflow, wandb, csv, jsonl, parquet) or its candidates (datasets); " +
      "docs/exports.md says more. OUT is then a new folder or file, and for mlflow the server's address.",
    examples: [
      ["coppice export runs/mine my-model", "the last policy"],
      ["coppice export runs/mine --policy G1I2 --to huggingface my-model", "another policy"],
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
      new Option("--to <layout>", "whose layout the folder has")
        .choices(["huggingface", ...recordTargets])
        .default("huggingface"),
    )
    .option("--experiment <name>", "MLflow's experiment", "coppice")
    .action(async (dir: string, out: string, options: ExportCommandOptions) => {
      const { policy, to, experiment, json, quiet } = options;
      const output = { ...(json !== undefined && { json }), ...(quiet !== undefined && { quiet }) };
      if (isRecordTarget(to)) {
        if (policy !== undefined)
          throw new UserError(
            `--policy has no effect with --to ${to}, which is of the whole run. Remove it.`,
          );
        const { exportRecordCommand } = await import("../export-record.js");
        return exportRecordCommand({ dir, out, to, experiment, ...output });
      }
      const { exportHuggingFace } = await import("../export.js");
      await exportHuggingFace({
        dir,
        out,
        ...(policy !== undefined && { policy }),
        ...output,
      });
    });
}
