/** What an adapter saves: an Improve step that trains A and B, against one that trains all weights. */

import { presets } from "../src/model/config.js";
import { machine, median, ours } from "./rounds.js";

const ROUNDS = 3;

export async function loraBench(): Promise<object> {
  const { width, inner, heads, layers } = presets.iwslt;
  const settings = {
    model: width,
    inner,
    heads,
    layers,
    vocab: 8000,
    batch: 32,
    time: 32,
    warmup: 1,
    steps: 4,
  };
  const lora = { rank: 8, alpha: 16, dropout: 0 };
  const arms = {
    whole: {},
    "q_proj, v_proj": { lora: { ...lora, targets: ["q_proj", "v_proj"] } },
    "all six": { lora: { ...lora, targets: ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"] } },
  };
  const found = Object.entries(arms).map(([arm, over]) => ({
    arm,
    settings: { ...settings, ...over },
    results: [] as Record<string, number>[],
  }));
  for (let round = 0; round < ROUNDS; round++)
    // Each goes first once: the machine's other work hits all alike.
    for (let i = 0; i < found.length; i++) {
      const one = found[(i + round) % found.length]!;
      one.results.push(await ours("ours-lora.ts", one.settings));
      console.error(`round ${round + 1} of ${ROUNDS}, ${one.arm}: ${JSON.stringify(one.results.at(-1))}`);
    }
  return {
    arms: found.map(({ arm, results }) => ({
      arm,
      ...Object.fromEntries(
        Object.keys(results[0]!).map((key) => [key, median(results.map((result) => result[key]!))] as const),
      ),
    })),
    equal:
      "preset iwslt, 8,000 tokens, rank 8, 32 × 32 source and target tokens, dropout 0.1, a moving average and the best weights kept",
    ...machine(),
  };
}
