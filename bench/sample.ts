/** Sampling speed against Transformers' `generate` with the same weights, temperature, lengths and threads. */

import { UserError } from "../src/errors.js";
import { compare, machine, needPeers, ours, peer } from "./rounds.js";
import { sampleTask } from "./sample-task.js";

const ROUNDS = 3;
const NEW_TOKENS = 24;

/** Candidates a source, and as many sources as fill both sides' batches several times. */
const SIZES = [
  [1, 512],
  [16, 64],
  [100, 32],
] as const;

/** @param choices the N to measure; none: all. */
export async function sampleBench(choices: readonly string[]): Promise<object> {
  const sizes = SIZES.filter(([n]) => choices.length === 0 || choices.includes(String(n)));
  if (sizes.length === 0)
    throw new UserError(`Sampling is measured at N = ${SIZES.map(([n]) => n).join(", ")}, not ${choices}.`);
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
