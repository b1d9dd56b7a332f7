/** Sources that are given up while others of the same batch are decoded. */

import { beforeAll, describe, expect, it } from "vitest";
import { type BeamResult, beamSearch } from "../../src/policy/beam.js";
import { type EncodedSource, type SampledSource, sampleAll } from "../../src/policy/sampler.js";
import { decoderFor, randomSource, type TinyPolicy, tinyPolicy } from "./tiny-policy.js";

let policy: TinyPolicy;
beforeAll(async () => {
  policy = await tinyPolicy({ width: 16, vocabulary: 50, threads: 1, endBias: 1 });
});

const N = 3;

/** Sources, some of which share one number by which they are given up. */
function sourcesWith(cancel: Int32Array): EncodedSource[] {
  return Array.from({ length: 9 }, (_, sourceId) => ({
    ...randomSource(policy.config, sourceId, 4 + sourceId),
    ...(sourceId % 3 === 0 ? { cancel } : {}),
  }));
}

/** Decodes and gives up after so many steps; `rows` are those that all steps computed. */
async function decode(how: "sample" | "beam", after: number) {
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  let steps = 0;
  const step = () => {
    if (steps++ === after) Atomics.store(cancel, 0, 1);
    return false;
  };
  const sources = sourcesWith(cancel);
  const { eosId, targetVocabulary: vocabulary } = policy.config;
  // Fewer rows than candidates: some are running, some wait.
  const decoder = decoderFor(policy, sources.length, N, { mostRows: 12 });
  const found = new Map<number, unknown>();
  if (how === "sample") {
    const options = {
      n: N,
      greedy: false,
      topK: 0,
      topP: 1,
      maxTokens: 30,
      seed: 5,
      grow: 1,
      eosId,
      vocabulary,
    };
    for await (const done of sampleAll(decoder, sources, options, step))
      for (const { sourceId, samples } of done satisfies SampledSource[]) found.set(sourceId, samples);
  } else {
    const options = { beams: N, lengthPenalty: 1, maxTokens: 30, eosId, vocabulary };
    for await (const done of beamSearch(decoder, sources, options, step))
      for (const { sourceId, tokens } of done satisfies BeamResult[]) found.set(sourceId, tokens);
  }
  return { found, rows: decoder.occupancy.rows };
}

describe.each(["sample", "beam"] as const)("given up in the middle (%s)", (how) => {
  it.each([0, 1, 5, 12])("after %i steps: the others are the same bits, in less work", async (after) => {
    const whole = await decode(how, Number.POSITIVE_INFINITY);
    const some = await decode(how, after);
    expect(whole.found.size).toBe(9);
    for (let sourceId = 0; sourceId < 9; sourceId++)
      if (sourceId % 3 !== 0) expect(some.found.get(sourceId)).toEqual(whole.found.get(sourceId));
    // What was given before stays given.
    for (const [sourceId, samples] of some.found) expect(samples).toEqual(whole.found.get(sourceId));
    expect(some.found.size).toBeLessThan(9);
    expect(some.rows).toBeLessThan(whole.rows);
  });
});

it("ends when nobody waits for anything", async () => {
  const cancel = Int32Array.of(1);
  const sources = [0, 1].map((id) => ({ ...randomSource(policy.config, id, 5), cancel }));
  const { eosId, targetVocabulary: vocabulary } = policy.config;
  const decoder = decoderFor(policy, 2, 1);
  const options = {
    n: 1,
    greedy: true,
    topK: 0,
    topP: 1,
    maxTokens: 30,
    seed: 5,
    grow: 1,
    eosId,
    vocabulary,
  };
  for await (const _ of sampleAll(decoder, sources, options, () => false))
    throw new Error("nothing was wanted");
  expect(decoder.occupancy.steps).toBe(0);
});
