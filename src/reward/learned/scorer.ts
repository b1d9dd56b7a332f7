/** Asks the worker for raw scores of texts: one encoder pass a source, each different candidate once. */

import type { Encoder } from "../../policy/encoder.js";
import { packGroups } from "../../policy/packed.js";
import type { Remote } from "../../tensor/thread.js";
import type { RewardInput } from "../reward.js";

interface Asked {
  readonly source: string;
  /** Candidates by text, with the inputs that asked for each. */
  readonly candidates: Map<string, number[]>;
}

/** One raw score for each input, in order: any real number, higher is better. */
export async function rawScores(
  remote: Remote,
  encoder: Encoder,
  batch: readonly RewardInput[],
): Promise<number[]> {
  const bySource = new Map<string, Asked>();
  batch.forEach(({ source, candidate }, i) => {
    const asked = bySource.get(source) ?? { source, candidates: new Map<string, number[]>() };
    bySource.set(source, asked);
    const inputs = asked.candidates.get(candidate);
    if (inputs) inputs.push(i);
    else asked.candidates.set(candidate, [i]);
  });
  const groups = [...bySource.values()].map(({ source, candidates }) => ({
    source: encoder.source(source),
    targets: Array.from(candidates.keys(), (text) => ({ tokens: encoder.target(text), weight: 1 })),
  }));
  const scores = (await remote.call("score", packGroups(groups))) as Float32Array;
  const result = new Array<number>(batch.length);
  let next = 0;
  for (const { candidates } of bySource.values())
    for (const inputs of candidates.values()) {
      for (const input of inputs) result[input] = scores[next]!;
      next++;
    }
  return result;
}
