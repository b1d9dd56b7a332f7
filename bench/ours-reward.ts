/** Our side of `bench reward`: tokens a second of MetricX's forward pass, after loading and its memory. */

import { readFileSync } from "node:fs";
import { WORKER } from "../src/reward/pretrained/metricx/metricx.js";
import type { ScoreRequest } from "../src/reward/pretrained/metricx/worker.js";
import { packSequences } from "../src/reward/pretrained/packed.js";
import { Thread } from "../src/tensor/thread.js";

const s = JSON.parse(process.argv[2]!) as { folder: string; sequences: string; threads: number };

process.env.COPPICE_THREADS = String(s.threads);
const all = JSON.parse(readFileSync(s.sequences, "utf8")) as number[][];
const opened = performance.now();
const thread = new Thread();
const remote = await thread.open(WORKER, { folder: s.folder });
const loadSeconds = (performance.now() - opened) / 1000;
const score = async (sequences: readonly number[][]) =>
  (await remote.call("score", {
    sequences: packSequences(sequences),
  } satisfies ScoreRequest)) as Float32Array;

await score(all.slice(0, Math.ceil(all.length / 8)));
const start = performance.now();
const scores = await score(all);
const seconds = (performance.now() - start) / 1000;
await thread.close();
const tokens = all.reduce((sum, { length }) => sum + length, 0);
const size = scores.reduce((sum, each) => sum + Math.abs(each), 0) / scores.length;
// In kilobytes, as getrusage gives it.
const peakMegabytes = process.resourceUsage().maxRSS / 1000;
console.log(
  JSON.stringify({ tokensPerSecond: tokens / seconds, meanSize: size, loadSeconds, peakMegabytes }),
);
