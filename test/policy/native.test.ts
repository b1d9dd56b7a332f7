/** What a native policy says of texts: the same to whoever asks. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { NativePolicy } from "../../src/policy/native.js";
import type { SampledCandidate } from "../../src/policy/policy.js";
import { Thread } from "../../src/tensor/thread.js";
import * as toy from "./toy-policy.js";

let thread: Thread;
let policy: NativePolicy;
beforeAll(async () => {
  thread = new Thread();
  policy = await toy.policy(thread);
});
afterAll(async () => {
  await policy.release();
  await thread.close();
});

const sources = toy.pairs.slice(0, 30).map(({ source }, sourceId) => ({ sourceId, text: source }));

async function samples(over: { temperature: number; topK?: number }): Promise<SampledCandidate[]> {
  const found: SampledCandidate[] = [];
  for await (const batch of policy.sample(sources, { n: 3, maxTokens: 12, seed: 5, grow: 1, ...over }))
    found.push(...batch);
  return found;
}

const scored = (candidates: readonly SampledCandidate[]) =>
  policy.logProbabilities(
    candidates.map(({ sourceId, tokens }) => ({ source: sources[sourceId]!.text, tokens })),
  );

function largestDifference(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  expect(a.map((row) => row.length)).toEqual(b.map((row) => row.length));
  return Math.max(...a.flatMap((row, i) => row.map((value, t) => Math.abs(value - b[i]![t]!))));
}

test.each([{ temperature: 1 }, { temperature: 0.7, topK: 5 }])(
  "log-probabilities of its own samples at %j are those that sampling recorded, within 1e-4",
  async (over) => {
    const candidates = await samples(over);
    expect(candidates).toHaveLength(90);
    const found = await scored(candidates);
    const recorded = candidates.map(({ logProbs }) => logProbs);
    expect(
      largestDifference(
        found.map(({ logProbs }) => logProbs),
        recorded,
      ),
    ).toBeLessThan(1e-4);
  },
);

test("a pair alone, one of a single token included, and the same pair among others agree within 1e-4", async () => {
  const pairs = [
    { source: "1 2 3", target: "" },
    { source: "4 5", target: "5 4" },
    ...toy.pairs.slice(0, 20),
  ];
  const together = await policy.logProbabilities(pairs);
  expect(together[0]!.tokens).toHaveLength(1);
  const alone = [];
  for (const pair of pairs.slice(0, 3)) alone.push((await policy.logProbabilities([pair]))[0]!.logProbs);
  expect(
    largestDifference(
      alone,
      together.slice(0, 3).map(({ logProbs }) => logProbs),
    ),
  ).toBeLessThan(1e-4);
});
