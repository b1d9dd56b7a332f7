/** Speed of a pretrained reward against Transformers with the same weights, sequences and threads. */

import { UserError } from "../src/errors.js";
import { rewardTask, SIZES } from "./reward-task.js";
import { compare, machine, median, needPeers, ours, peer } from "./rounds.js";

const ROUNDS = 3;
const THREADS = 2;
/** Mean sizes of the raw scores may differ by rounding alone: otherwise both sides have not done the same. */
const TOLERANCE = 1e-4;

/** @param choices the size of the network, small or large; none: small. */
export async function rewardBench([choice = "small", ...more]: readonly string[]): Promise<object> {
  if (!(choice === "small" || choice === "large") || more.length > 0)
    throw new UserError(
      `The size of the network is ${[choice, ...more].join(" ")}, expected ${Object.keys(SIZES).join(" or ")}.`,
    );
  needPeers();
  const size = SIZES[choice];
  const { folder, sequences, tokens } = await rewardTask(size);
  const settings = { folder, sequences, threads: THREADS };
  const sizes: number[] = [];
  const loads: number[] = [];
  const peaks: number[] = [];
  const speed = async (side: Promise<Record<string, number>>) => {
    const { tokensPerSecond, meanSize } = await side;
    sizes.push(meanSize!);
    return tokensPerSecond!;
  };
  const own = async () => {
    const side = ours("ours-reward.ts", settings);
    const { loadSeconds, peakMegabytes } = await side;
    loads.push(loadSeconds!);
    peaks.push(peakMegabytes!);
    return speed(side);
  };
  const rows = [];
  // Of a large network the head is a small part, and a round takes minutes.
  const heads = choice === "large" ? (["row"] as const) : (["row", "all"] as const);
  for (const head of heads) {
    const ratio = await compare(ROUNDS, own, () =>
      speed(peer("reward.py", { ...settings, head, tune: [1024, 2048, 4096, 8192] })),
    );
    rows.push({ head, ...ratio });
  }
  const apart = Math.max(...sizes) - Math.min(...sizes);
  if (!(apart <= TOLERANCE * Math.max(...sizes)))
    throw new Error(`the two sides give other scores: mean sizes are ${sizes.join(", ")}`);
  const [row] = rows;
  const all =
    choice === "large"
      ? ""
      : "; head all: the peer computes the logits of the whole vocabulary, as MetricX's own program does";
  return {
    ratio: row!.ratio,
    low: row!.low,
    high: row!.high,
    unit: "tokens/s, padding not counted; the ratio is that of a peer that computes one logit, as we do",
    rows,
    loadSeconds: median(loads),
    peakMegabytes: median(peaks),
    equal: `the sizes of ${size.name}, random weights, ${tokens} tokens, one step of the decoder, float32, ${THREADS} threads${all}`,
    ...machine(),
  };
}
