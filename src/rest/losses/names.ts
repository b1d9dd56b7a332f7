/** The losses of an Improve step by name, and what each of them needs. */

export const lossNames = ["bc", "gold", "bvmpo", "oac", "rwr"] as const;
export type LossName = (typeof lossNames)[number];

/** Those that compare a reward with what the behaviour value function expected. */
export function needsValue(loss: LossName): boolean {
  return loss === "bvmpo" || loss === "oac";
}
