/** The rewards that a configured one is made of. */
import type { Config } from "./config-schema.js";

type Reward = Config["reward"];
export type RewardPart =
  | Exclude<Reward, { parts: unknown }>
  | Extract<Reward, { parts: unknown }>["parts"][number];
export type LearnedPart = Extract<RewardPart, { kind: "learned" }>;

/** Its parts, or itself where it has none. */
export function rewardParts(reward: Reward): readonly RewardPart[] {
  return "parts" in reward ? reward.parts : [reward];
}

/** The learned one among them; a sum and an ensemble have one at most. */
export function learnedPart(reward: Reward): LearnedPart | undefined {
  return rewardParts(reward).find((part): part is LearnedPart => part.kind === "learned");
}

/** How many learned rewards are taught: more than one for the members of an ensemble. */
export function learnedMembers(reward: Reward): number {
  const part = learnedPart(reward);
  if (!part) return 0;
  return "members" in part ? part.members : 1;
}

/** Whether the learned reward is taught again before each further Grow. */
export function retrainsReward({ reward }: Pick<Config, "reward">): boolean {
  return reward.kind === "learned" && reward.retrain;
}
