/** Which configuration keys a step's result follows from: a change of any of them means doing it again. */

import { lessonKeys } from "./config-schema.js";
import {
  CALIBRATION_CONTENT,
  COMMAND_CONTENT,
  JUDGE_CONTENT,
  MODULE_CONTENT,
  PRETRAINED_CONTENT,
  RATINGS_CONTENT,
  TRAINER_CONTENT,
} from "./inputs.js";
import { BC, isOnlinePolicy } from "./names.js";

/** Whether a reward is learned says whether a part of the data is set aside for it. */
const prepared = ["data", "policy.kind", "model", "reward.kind", "reward.parts"];
const firstPolicy = ["data", "policy", "model", "bc"];
const scoring = [
  "reward",
  MODULE_CONTENT,
  COMMAND_CONTENT,
  PRETRAINED_CONTENT,
  RATINGS_CONTENT,
  CALIBRATION_CONTENT,
];
/** What BLEU sees, as a reward and as what a learned reward is taught. */
const TOKENIZER = "evaluate.bleuTokenizer";
/** What a learned reward follows from: not what is done with its scores afterwards. */
const lessons = [...lessonKeys, "parts"].map((key) => `reward.${key}`);
/** Kept checkpoints have the best reward of samples at the evaluation's temperature. */
const chosen = [...firstPolicy, ...scoring, "grow", "evaluate.temperature", TOKENIZER];
const evaluated = ["evaluate", JUDGE_CONTENT];
const everything = [...chosen, "improve", TRAINER_CONTENT];
const online = [...chosen, "online"];

/**
 * Keys of a step by its name, those of `prepare` before it left out; `improve` stands for all below it. The seed counts
 * for every step. What comes before the first Improve step does not follow from `improve`, so that other thresholds can
 * be tried on the same candidates.
 */
export function dependenciesOf(step: string): string[] {
  if (step === "prepare") return prepared;
  if (step === "reward") return [...firstPolicy, ...lessons, "grow.maxTokens", TOKENIZER];
  if (step.startsWith("reward-")) return everything;
  const [, kind, name] = /^(evaluate|grow|score|value)-(.+)$/.exec(step) ?? [undefined, "train", step];
  if (isOnlinePolicy(name!)) return kind === "evaluate" ? [...online, ...evaluated] : online;
  const first = name === "1" || name === BC;
  if (!first) return kind === "evaluate" ? [...everything, ...evaluated] : everything;
  switch (kind) {
    case "grow":
      return [...firstPolicy, "grow"];
    case "score":
      return [...firstPolicy, "grow", ...scoring, TOKENIZER];
    case "value":
      return [...firstPolicy, "grow", ...scoring, "improve.value", TOKENIZER];
    case "evaluate":
      return [...firstPolicy, ...scoring, ...evaluated, "grow.maxTokens"];
    default:
      return firstPolicy;
  }
}
