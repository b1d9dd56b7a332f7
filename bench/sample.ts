/** Sampling speed against Transformers' `generate` with the same weights, temperature, lengths and threads. */

import { compare, machine, needPeers, ours, peer } from "./rounds.js";
import { sampleTask } from "./sample-task.js";

const ROUNDS = 3;
const NEW_TOKENS = 24;

export async function sampleBench(): Promise<object> {
  needPeers();
  const task = await sampleTask();
  const rows = [];
  for (const [candidates, sources] of [
    [1, 512],
    [16, 64],
    [100, 64],
  ] as const) {
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
    unit: "candidates/s, the ratio is that of N = 100",
    rows,
    equal: `preset small, vocabulary 8,000, ${NEW_TOKENS} new tokens, float32, temperature 0.8, 2 threads`,
    ...machine(),
  };
}
