/** Policies and steps by the paper's names: `G1I4` is the policy after one Grow and four Improve steps. */

export const BC = "G0I0";

export function policyName(grow: number, improve: number, control = false): string {
  return `G${grow}I${improve}${control ? "-random" : ""}`;
}

/** What trains online in place of Grow and Improve, as `method` of the configuration names it. */
export const onlineMethodNames = ["ppo", "rloo"] as const;
export type OnlineMethodName = (typeof onlineMethodNames)[number];

const onlinePolicies = { ppo: "PPO", rloo: "RLOO" } as const satisfies Record<OnlineMethodName, string>;

export function onlinePolicyName(method: OnlineMethodName): string {
  return onlinePolicies[method];
}

export function isOnlinePolicy(name: string): boolean {
  return Object.values<string>(onlinePolicies).includes(name);
}

/** Where a policy stands: `G1I3-random` → grow 1, improve 3, control. An online one follows BC without a Grow. */
export function parsePolicyName(
  name: string,
): { grow: number; improve: number; control: boolean } | undefined {
  if (isOnlinePolicy(name)) return { grow: 0, improve: 1, control: false };
  const match = /^G(\d+)I(\d+)(-random)?$/.exec(name);
  if (!match) return undefined;
  return { grow: Number(match[1]), improve: Number(match[2]), control: match[3] !== undefined };
}

export const stepNames = {
  prepare: "prepare",
  bc: BC,
  reward: "reward",
  /** The reward taught again for a Grow after the first. */
  retrain: (grow: number) => `reward-${grow}`,
  grow: (grow: number) => `grow-${grow}`,
  score: (grow: number) => `score-${grow}`,
  value: (grow: number) => `value-${grow}`,
  improve: policyName,
  evaluate: (policy: string) => `evaluate-${policy}`,
} as const;

/** A number that seeds one stream of draws, different for each use. */
export const streams = {
  model: 1,
  bc: 2,
  reward: 3,
  improve: 4,
  evaluate: 5,
  validate: 6,
  control: 7,
  sources: 8,
  value: 9,
  probe: 10,
  retrain: 11,
  doctor: 12,
  online: 13,
  critic: 14,
} as const;
