/** Best of N: samples put in order by their rewards, or by a tuned sum. */

import type { Output } from "./policies.js";

/** The best first; of equal rewards, and without any, the one that was drawn first. */
export function ranked(samples: readonly Output[]): Output[] {
  const worth = ({ rank, reward }: Output) => rank ?? reward ?? 0;
  return [...samples].sort((a, b) => worth(b) - worth(a));
}
