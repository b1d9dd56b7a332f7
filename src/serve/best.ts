/** Best of N: samples put in order by their rewards. */

import type { Output } from "./policies.js";

/** The best first; of equal rewards, and without any, the one that was drawn first. */
export function ranked(samples: readonly Output[]): Output[] {
  return [...samples].sort((a, b) => (b.reward ?? 0) - (a.reward ?? 0));
}
