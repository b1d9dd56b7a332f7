/** The toy's reward: the share of places that hold the right word. */

import type { Reward } from "./reward.js";

/**
 * Number of positions at which the words of candidate and reference agree, divided by the length of the longer of
 * the two, so that a missing word and one too many both cost. Words are what stands between white space.
 * Two empty texts agree: 1.
 */
export function sharePlaces(candidate: string, reference: string): number {
  const given = words(candidate);
  const right = words(reference);
  const longer = Math.max(given.length, right.length);
  if (longer === 0) return 1;
  return right.filter((word, place) => word === given[place]).length / longer;
}

/** `sharePlaces` as a reward. */
export function placesReward(): Reward {
  return {
    name: "places",
    needsReference: true,
    score: async (batch) => batch.map((input) => sharePlaces(input.candidate, input.reference!)),
  };
}

function words(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== "");
}
