/**
 * The whole of ReST on a task that anyone can judge: reverse a list of numbers. Ends in seconds.
 *
 *     node examples/run-toy.mjs [DIR]
 *
 * leaves policies, candidates, figures and report.html in DIR (runs/example when left out). Run it again and it reuses
 * what is there.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderConfig, resolveConfig, runAll, toyPairs, writePairs } from "coppice";

const dir = process.argv[2] ?? "runs/example";

await writePairs(join(dir, "pairs.tsv"), toyPairs({ pairs: 1500, seed: 1, maxLength: 4 }));
const config = resolveConfig({
  preset: "toy",
  data: { train: ["pairs.tsv"], validationSize: 60, testSize: 100 },
  bc: { steps: 80, validateEvery: 40 },
  grow: { samples: 4, maxSources: 300, maxTokens: 8 },
  improve: { trainSteps: 40, evaluateEvery: 20, control: false },
  evaluate: { samples: 4, bestOfN: [1, 2, 4], bestOfNSamples: 4 },
});
writeFileSync(join(dir, "coppice.yaml"), renderConfig(config));

const summary = await runAll({
  dir,
  // What the run says goes here; a progress bar would go into `progress`.
  reporter: { note: console.log, progress: () => ({ update() {}, finish() {} }) },
});
for (const { name, reward, bleu } of summary.policies)
  console.log(`${name}: mean reward ${(100 * reward.value).toFixed(1)}, BLEU ${bleu.value.toFixed(1)}`);
