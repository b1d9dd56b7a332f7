/** What sharing saves: candidates of one source side by side, against each as a source of its own. */

import { compare, machine, ours } from "./rounds.js";
import { chosenSizes, NEW_TOKENS, sampleTask } from "./sample-task.js";

const ROUNDS = 3;

/** @param choices the N to measure; none: all. */
export async function decodeBench(choices: readonly string[]): Promise<object> {
  const sizes = chosenSizes(choices);
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
      rows: 256,
    };
    const rate = async (apart: boolean) =>
      (await ours("ours-sample.ts", { ...settings, apart })).candidatesPerSecond!;
    const ratio = await compare(
      ROUNDS,
      () => rate(false),
      () => rate(true),
    );
    rows.push({ n: candidates, ...ratio });
  }
  const { ratio, low, high, n } = rows.at(-1)!;
  return { ratio, low, high, unit: `candidates/s, the ratio is that of N = ${n}`, rows, ...machine() };
}
