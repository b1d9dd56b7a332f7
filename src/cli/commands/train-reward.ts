/** `coppice train-reward`: the learned reward of a run alone, or a reward of people's ratings. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { UserError } from "../../errors.js";
import { addCommand, wholeNumber } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface TrainRewardOptions extends OutputOptions {
  ratings?: string;
  out?: string;
  test?: string;
  use?: string[];
  sourceTexts?: string[];
  targetTexts?: string[];
  pairs?: string[];
  seed: number;
}

/** What a model of ratings may look at beside the two texts. */
const USES = ["log-prob", "features", "reference"] as const;

export function addTrainReward(program: Command): void {
  addCommand(program, "train-reward [dir]", {
    summary: "train the reward that a run learns, or one of people's ratings",
    description:
      "Trains the reward of DIR/coppice.yaml (reward.kind: learned) on its own part of the pairs, after the first policy, " +
      "and says how well it ranks candidates of sources it has not seen. With --ratings instead of DIR it teaches a reward " +
      "from what people gave: direct assessments, or preferences. The file's own splits are kept. docs/ratings.md says more.",
    examples: [
      ["coppice train-reward runs/mine", "the first policy is trained first where it is missing"],
      [
        "coppice train-reward --ratings da.tsv.gz --out models/people",
        "reward: { kind: ratings, model: models/people }",
      ],
      ["coppice train-reward --ratings runs/mine --out models/people", "of what was rated with coppice rate"],
      [
        "coppice train-reward --ratings da.tsv.gz --out models/qe --use log-prob --pairs more.tsv",
        "looks at the system's log-probability too, and at other pairs of the two languages",
      ],
      [
        "coppice train-reward --ratings da.tsv.gz --test models/people",
        "how it does on the file's test part",
      ],
    ],
  })
    .option(
      "--ratings <file>",
      "ratings or preferences (.tsv, .jsonl; .gz or not), or the folder of a run that was rated",
    )
    .addOption(new Option("--out <folder>", "folder for the reward").conflicts("test"))
    .option("--test <folder>", "measure this reward on the test part of the ratings; nothing is trained")
    .option("--use <what>", `look at more than the two texts: ${USES.join(", ")}, with commas between`, uses)
    .option("--source-texts <file...>", "sentences in the sources' language, one a line, to count words in")
    .option("--target-texts <file...>", "sentences in the translations' language")
    .option(
      "--pairs <file...>",
      "pairs of source and human translation, for both and for which word means which",
    )
    .option("--seed <n>", "draws of splits, parts and trees", wholeNumber(0), 1)
    .action(async (dir: string | undefined, options: TrainRewardOptions) => {
      const { ratings, out, test, use, sourceTexts, targetTexts, pairs, seed, ...output } = options;
      if (ratings === undefined) {
        const idle = Object.entries({
          out,
          test,
          use,
          "source-texts": sourceTexts,
          "target-texts": targetTexts,
          pairs,
        })
          .filter(([, value]) => value !== undefined)
          .map(([name]) => `--${name}`);
        if (idle.length > 0) throw new UserError(`${idle.join(" and ")} need ratings: give --ratings FILE.`);
        if (dir === undefined)
          throw new UserError("give the folder of a run, or --ratings FILE with --out FOLDER.");
        const { single } = await import("../run.js");
        return single("train-reward", { ...output, dir });
      }
      if (dir !== undefined)
        throw new UserError(
          "DIR trains a run's own reward and --ratings one of people's: give one of the two.",
        );
      const { testRatings, trainRatings } = await import("../train-ratings.js");
      if (test !== undefined) return testRatings({ ...output, ratings, folder: test, seed });
      if (out === undefined)
        throw new UserError(
          "give --out FOLDER for the reward, or --test FOLDER to measure one that is there.",
        );
      return trainRatings({
        ...output,
        ratings,
        folder: out,
        seed,
        use: use ?? [],
        sourceTexts: sourceTexts ?? [],
        targetTexts: targetTexts ?? [],
        pairs: pairs ?? [],
      });
    });
}

function uses(text: string): string[] {
  const found = text.split(",").map((name) => name.trim());
  if (found.some((name) => !USES.some((known) => known === name)))
    throw new InvalidArgumentError(`It must be of ${USES.join(", ")}, with commas between.`);
  return found;
}
