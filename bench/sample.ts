/** Sampling speed against Transformers' `generate` with the same weights, temperature, lengths and threads. */

import { compare, machine, needPeers, ours, peer } from "./rounds.js";
import { chosenSizes, NEW_TOKENS, sampleTask } from "./sample-task.js";

const ROUNDS = 3;

/** @param choices the N to measure; none: all. */
export async function sampleBench(choices: readonly string[]): Promise<object> {
  const sizes = chosenSizes(choices);
  needPeers();
  const task = await sampleTask();
  const rows = [];
  for (const [candidates, sources] of sizes) {
    const settings = {
      folder: task.folder,
      sources: task.sources(sources),
      candidates,
      newTokens: NEW_TOKENS,
      temperature: 0.8,
      threads: 2,
    };
    const ratio = await compare(
      ROUNDS,
      async () =>
        (await ours("ours-sample.ts", { ...settings, rows: 256, apart: false })).candidatesPerSecond!,
      async () =>
        (await peer("generate.py", { ...settings, rounds: 1, tune: [64, 128, 256, 512] }))
          .candidatesPerSecond!,
    );
    rows.push({ n: candidates, ...ratio });
  }
  const last = rows.at(-1)!;
  return {
    ratio: last.ratio,
    low: last.low,
    high: last.high,
    unit: `candidates/s, the ratio is that of N = ${last.n}`,
    rows,
    equal: `preset small, vocabulary 8,000, ${NEW_TOKENS} new tokens, float32, temperature 0.8, 2 threads`,
    ...machine(),
  };
}
