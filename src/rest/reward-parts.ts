/** The rewards that a configured one is made of. */
import { type Config, policyTransportKeys, transportKeys } from "./config-schema.js";

type Reward = Config["reward"];
export type RewardPart =
  | Exclude<Reward, { parts: unknown }>
  | Extract<Reward, { parts: unknown }>["parts"][number];
export type RemotePart = Extract<RewardPart, { kind: "http" | "command" | "judge" }>;
export type PretrainedPart = Extract<RewardPart, { kind: "pretrained" }>;
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

/** The configuration without what says how a reward or a policy is asked and not what it gives: nothing follows from that. */
export function withoutTransport(config: Config): Config {
  const bare = <Part extends object>(part: Part, keys: readonly string[]): Part => {
    const kept = { ...part };
    for (const name of keys) Reflect.deleteProperty(kept, name);
    return kept;
  };
  const { policy, reward, evaluate, grow } = config;
  const rest = {
    ...config,
    grow: bare(grow, ["store"]),
    policy: policy.kind === "server" ? bare(policy, policyTransportKeys) : policy,
    evaluate: evaluate.judge ? { ...evaluate, judge: bare(evaluate.judge, transportKeys) } : evaluate,
  };
  if (!("parts" in reward))
    return { ...rest, reward: hasTransport(reward) ? bare(reward, transportKeys) : reward };
  const parts = reward.parts.map((part) => (hasTransport(part) ? bare(part, transportKeys) : part));
  // Each part is as it was, less some keys.
  return { ...rest, reward: { ...reward, parts } as Reward };
}

/** Whether some of its keys say how it is asked alone. */
function hasTransport(part: Reward | RewardPart): part is RemotePart | PretrainedPart {
  return rewardIsRemote(part) || part.kind === "pretrained";
}

/** Whether it is computed outside of this process. */
export function rewardIsRemote(part: Reward | RewardPart): part is RemotePart {
  return part.kind === "http" || part.kind === "command" || part.kind === "judge";
}

/** Whether the learned reward is taught again before each further Grow. */
export function retrainsReward({ reward }: Pick<Config, "reward">): boolean {
  return reward.kind === "learned" && reward.retrain;
}
