/** Which metric judges the policies from outside: one of another family than what they are rewarded for. */

import type { HeldOut, Metric } from "../store/summary.js";
import type { Config } from "./config-schema.js";
import { type RewardPart, rewardIsRemote, rewardParts } from "./reward-parts.js";

const names: Record<Metric, string> = { bleu: "BLEU", chrf: "chrF" };

/** BLEU for a reward that is or learns chrF alone, else chrF. */
export function heldOutMetric({ reward }: Pick<Config, "reward">): HeldOut {
  const parts = rewardParts(reward);
  const seen = new Set(parts.flatMap(metricsOf));
  const judges = (["chrf", "bleu"] as const).filter((metric) => !seen.has(metric));
  const learns = parts.some(({ kind }) => kind === "learned") ? "learned from" : "is";
  const [metric] = judges;
  if (metric === undefined) {
    return {
      metric: "chrf",
      judges: ["chrf", "bleu"],
      why:
        `The reward ${learns} both chrF and BLEU, so that neither is of another family. ` +
        "They still compare with human translations, which a learned reward never sees.",
    };
  }
  const { kind } = reward;
  const own = parts.find((part) => part.kind === "module" || rewardIsRemote(part));
  if (own) {
    return {
      metric,
      judges,
      why: `${names[metric]} is held out. What a reward of kind ${own.kind} measures is not known here: whether it is of another family is for its author to say.`,
    };
  }
  const learned = [...seen].map((each) => names[each]);
  return {
    metric,
    judges,
    why:
      learned.length === 0
        ? `chrF and BLEU are of another family than the reward (${kind}); ${names[metric]} stands for them.`
        : `${names[metric]} is of another family than the reward, which ${learns} ${learned.join(" and ")}.`,
  };
}

/** The metrics that a part of the reward is, or learns to predict. */
function metricsOf(part: RewardPart): Metric[] {
  if (part.kind === "learned") return part.target === "both" ? ["chrf", "bleu"] : [part.target];
  return part.kind === "chrf" || part.kind === "bleu" ? [part.kind] : [];
}
