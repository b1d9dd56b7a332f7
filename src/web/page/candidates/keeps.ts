import type { ListedCandidate } from "../../../store/browse.js";

/** Whether an absolute threshold keeps a candidate, as `selectCandidates` does: what is cut off or empty is never kept. */
export function keeps({ reward, finished, characters }: ListedCandidate, threshold: number): boolean {
  return reward !== null && reward > threshold && finished && characters > 0;
}
