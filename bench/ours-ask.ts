/** Our side of `bench ask`: the sampling of a Grow step, as `coppice grow` does it. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderConfig, resolveConfig } from "../src/rest/config.js";
import { runSingle } from "../src/rest/single.js";
import { readMetrics } from "../src/store/metrics.js";
import { runFolder } from "../src/store/run-folder.js";

const s = JSON.parse(process.argv[2]!) as {
  url: string;
  choices: number;
  concurrency: number;
  requests: number;
  samples: number;
};

const dir = mkdtempSync(join(tmpdir(), "coppice-bench-ask-"));
try {
  const lines = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => `${JSON.stringify(problem(from + i))}\n`).join("");
  const sources = (s.requests * s.choices) / s.samples;
  writeFileSync(join(dir, "train.jsonl"), lines(0, sources));
  writeFileSync(join(dir, "validation.jsonl"), lines(sources, 8));
  writeFileSync(join(dir, "test.jsonl"), lines(sources + 8, 8));
  const { url, choices, concurrency } = s;
  const config = resolveConfig({
    data: { train: ["train.jsonl"], validation: "validation.jsonl", test: "test.jsonl" },
    policy: { kind: "server", url, model: "emulated", choices, concurrency },
    reward: { kind: "number" },
    grow: { steps: 1, samples: s.samples, maxTokens: 64 },
    improve: { human: "none", trainer: { command: ["false"] } },
    evaluate: { samples: 1, bestOfN: [1], bestOfNSamples: 1 },
  });
  writeFileSync(join(dir, "coppice.yaml"), renderConfig(config));
  const before = process.cpuUsage();
  await runSingle("grow", { dir });
  const spent = process.cpuUsage(before);
  const step = readMetrics(runFolder(dir).metrics).find(({ step }) => step === "grow-1");
  const { seconds } = step!.time as { seconds: number };
  console.log(
    JSON.stringify({
      requestsPerSecond: s.requests / seconds,
      // All threads together; what counts on a machine that does other things too.
      processorMilliseconds: (spent.user + spent.system) / 1000 / s.requests,
      peakMegabytes: process.resourceUsage().maxRSS / 1024,
    }),
  );
} finally {
  rmSync(dir, { recursive: true });
}

function problem(number: number): { source: string; target: string } {
  return {
    source:
      `Problem ${number}: a shop sells boxes of 12 pencils. Ann buys ${number + 3} of them, gives 8 pencils to her brother, ` +
      "and shares the rest with a friend. How many pencils are left?",
    target: "28",
  };
}
