/**
 * `coppice reward`: a run's reward, or a pretrained one, for lines; `coppice reward probe`: what a reward is blind to;
 * `coppice reward verify`: whether a pretrained one is whole.
 */
import type { Command } from "commander";
import { UserError } from "../../errors.js";
import { addCommand, wholeNumber } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface ProbeCommandOptions extends OutputOptions {
  reward?: string;
  pairs?: string;
  limit: number;
  worst: number;
  seed: number;
}

interface ModelOptions extends OutputOptions {
  variant?: string;
  tokenizer?: string;
}

interface RewardCommandOptions extends ModelOptions {
  model?: string;
  input?: string;
  batchTokens?: number;
}

const VARIANT = ["--variant <name>", "which metric it is, where its folder's name does not say"] as const;
const TOKENIZER = [
  "--tokenizer <path>",
  "the tokenizer's file or folder, where the model's has none",
] as const;

export function addReward(program: Command): void {
  const reward = addCommand(program, "reward [dir]", {
    summary: "score translations by a run's reward or a pretrained one; reward probe tests it",
    description:
      "Reads lines of source<TAB>candidate (<TAB>reference, where the reward needs one) from standard input and prints " +
      "the run's reward of each, 0 to 1, one a line. With --json every line is an object. With --model it is a published " +
      'metric that scores (MetricX, COMET, BLEURT): raw score and reward, as numbers or as {"raw": …, "reward": …}.',
    examples: [
      ["printf 'Guten Tag\\tGood day\\n' | coppice reward runs/demo", "one number"],
      ["coppice reward runs/demo --json < candidates.tsv", "for machines"],
      ["coppice reward --model metricx-23-qe-large-v2p0 --json < candidates.tsv", "a published metric"],
      ["coppice reward verify metricx-23-qe-large-v2p0", "is that checkpoint whole?"],
      ["coppice reward probe runs/demo", "which damage the reward does not notice"],
    ],
  })
    .option("--model <folder>", "score by this published checkpoint in place of a run's reward")
    .option(...VARIANT)
    .option(...TOKENIZER)
    .option(
      "--input <file>",
      "with --model: read lines from this file, which are then sorted by length as a whole",
    )
    .option("--batch-tokens <n>", "with --model: tokens scored at once, padding included", wholeNumber(1))
    .action(async (dir: string | undefined, options: RewardCommandOptions) => {
      const { model, json, quiet } = options;
      if ((dir === undefined) === (model === undefined))
        throw new UserError(
          dir === undefined
            ? "no reward is named. Give a run folder, or --model and the folder of a published checkpoint."
            : `both the run ${dir} and --model ${model} name a reward. Leave one of them out.`,
        );
      if (model !== undefined) {
        const { scoreLines } = await import("../pretrained.js");
        await scoreLines({ ...options, model });
        return;
      }
      for (const name of ["variant", "tokenizer", "input", "batchTokens"] as const)
        if (options[name] !== undefined)
          throw new UserError(
            `--${name === "batchTokens" ? "batch-tokens" : name} goes with --model alone. Leave it out.`,
          );
      const { rewardCommand } = await import("../reward.js");
      await rewardCommand({ dir: dir!, ...(json && { json }), ...(quiet && { quiet }) });
    });
  addCommand(reward, "verify <folder>", {
    summary: "is the checkpoint of a published metric whole, and does it give the published scores?",
    description:
      "Loads the whole checkpoint: every tensor must be there, and none beyond. Says which metric it is, what it scores and " +
      "its licence, and compares with the scores that its authors have published, where they have.",
    examples: [
      ["coppice reward verify metricx-23-qe-large-v2p0", "a folder as it was published"],
      ["coppice reward verify my-metricx --variant metricx-24-qe --tokenizer mt5-large", "named otherwise"],
    ],
  })
    .option(...VARIANT)
    .option(...TOKENIZER)
    .action(async (folder: string, _: unknown, command: Command) => {
      const { verifyModel } = await import("../pretrained.js");
      // `reward` has these options too, and takes them first.
      const { variant, tokenizer, json, quiet } = command.optsWithGlobals<ModelOptions>();
      await verifyModel({
        model: folder,
        ...(variant !== undefined && { variant }),
        ...(tokenizer !== undefined && { tokenizer }),
        ...(json && { json }),
        ...(quiet && { quiet }),
      });
    });
  addCommand(reward, "probe [dir]", {
    summary: "which damage to a translation does a reward not notice?",
    description:
      "Damages human translations (words dropped, doubled, shuffled, a number or a name changed, the source copied, …) and " +
      "prints how often the reward falls, with the texts where it does not. Uses the run's validation pairs, or --pairs.",
    examples: [
      ["coppice reward probe runs/demo", "the reward of a run"],
      ["coppice reward probe --reward chrf --pairs pairs.tsv", "a metric"],
      ["coppice reward probe --reward module:my-reward.mjs --pairs pairs.tsv --json", "a reward of yours"],
      ["coppice reward probe --reward 'command:python3 my-reward.py' --pairs pairs.tsv", "in any language"],
    ],
  })
    .option(
      "--reward <kind>",
      "probe this instead of a run's: chrf, bleu, places, ratings:FOLDER, pretrained:FOLDER, module:PATH, command:PROGRAM or http://…",
    )
    .option(
      "--pairs <file>",
      "pairs of source and human translation; the run's validation part when left out",
    )
    .option("--limit <n>", "pairs to probe with at most", wholeNumber(2), 100)
    .option("--worst <n>", "texts to show of each kind that was missed", wholeNumber(0), 2)
    .option("--seed <n>", "where the damage falls", wholeNumber(0), 1)
    .action(async (dir: string | undefined, _: unknown, command: Command) => {
      const { probeCommand } = await import("../probe.js");
      // `reward` has --json and --quiet too, and takes them first.
      const options = command.optsWithGlobals<ProbeCommandOptions>();
      await probeCommand({ ...options, ...(dir === undefined ? {} : { dir }) });
    });
}
