/** Training speed against a plain PyTorch loop over Transformers' MarianMTModel: same sizes, dtype and threads. */

import { presets } from "../src/model/config.js";
import { compare, machine, needPeers, ours, peer } from "./rounds.js";

const ROUNDS = 5;

export async function trainBench(): Promise<object> {
  needPeers();
  const { width, inner, heads, layers } = presets.small;
  const settings = {
    model: width,
    inner,
    heads,
    encoderLayers: layers,
    decoderLayers: layers,
    vocab: 8000,
    batch: 64,
    sourceTime: 32,
    time: 32,
    dropout: 0.1,
    threads: 2,
    warmup: 3,
    rounds: 1,
    stepsPerRound: 10,
  };
  let share = 0;
  let peak = 0;
  const ratio = await compare(
    ROUNDS,
    async () => {
      const result = await ours("ours-train.ts", settings);
      share = Math.max(share, result.shareOfPeak!);
      peak = Math.max(peak, result.peakGflops!);
      return result.targetTokensPerSecond!;
    },
    async () => (await peer("train.py", { ...settings, activation: "relu" })).targetTokensPerSecond!,
  );
  return {
    ...ratio,
    unit: "target tokens/s",
    shareOfPeak: share,
    peakGflops: peak,
    equal: "preset small, 64 × 32 source and target tokens, float32, dropout 0.1, AdamW, 2 threads",
    ...machine(),
  };
}
