/**
 * The measured study behind docs/results.md: ReST on multi30k German-English, resumable.
 *
 *     npm run study -- DATA RUN      DATA holds train, val, test_2016_flickr and test_2017_flickr (.de-en.tsv.gz)
 *
 * Nothing is chosen on a test part. Ctrl-C and the same command goes on; at the end its section of docs/results.md is written anew.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { evaluateCommand } from "../src/cli/evaluate.js";
import { bestOfNTable, improveTable, policyTable, toMarkdown } from "../src/report/tables.js";
import { verdict } from "../src/report/verdict.js";
import { type Config, renderConfig } from "../src/rest/config.js";
import { BC } from "../src/rest/names.js";
import { readConfig, runAll } from "../src/rest/run.js";
import { Manifest } from "../src/store/manifest.js";
import { runFolder } from "../src/store/run-folder.js";
import type { RunSummary } from "../src/store/summary.js";
import { writeSection } from "./sections.js";

/** The configuration of the study; paths are put in front. Values were chosen before any test figure was seen. */
function configuration(data: string): string {
  const file = (part: string) => join(data, `${part}.de-en.tsv.gz`);
  return `seed: 1
data:
  train: [${file("train")}]
  validation: ${file("val")}
  test: ${file("test_2016_flickr")}
  rewardShare: 0.2
model: { preset: small, vocabulary: 6000, dropout: 0.3 }
bc:
  steps: 4000
  batchTokens: 2048
  learningRate: 0.002
  warmupSteps: 800
  validateEvery: 250
  patience: 4
reward: { kind: learned, steps: 600, temperatures: [0.8] }
grow: { steps: 1, samples: 16, temperature: 0.8, maxTokens: 64, maxSources: 4000 }
improve:
  steps: 3
  thresholds: { kind: percentile, values: [50, 75, 90] }
  trainSteps: 200
  batchTokens: 2048
  learningRate: 0.0005
  learningRateFactor: 0.7
  evaluateEvery: 100
evaluate: { samples: 8, beam: 4, bestOfN: [1, 2, 4, 8, 16], bestOfNSamples: 16 }
`;
}

const [data, dir] = process.argv.slice(2);
if (!data || !dir) {
  console.error("npm run study -- DATA RUN");
  process.exit(2);
}
mkdirSync(dir, { recursive: true });
const config = join(dir, "coppice.yaml");
if (!existsSync(config)) writeFileSync(config, configuration(resolve(data)));

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());
let printed = 0;
const summary = await runAll({
  dir,
  signal: stop.signal,
  reporter: {
    note: (sentence) => console.log(`${new Date().toISOString().slice(11, 19)} ${sentence}`),
    progress: (label, total, unit) => ({
      update: (done, detail) => {
        if (Date.now() - printed < 20_000) return;
        printed = Date.now();
        console.log(
          `${new Date().toISOString().slice(11, 19)} ${label} ${done}/${total} ${unit} ${detail ?? ""}`,
        );
      },
      finish: () => {},
    }),
  },
});
const other = join(dir, "test_2017.json");
if (!existsSync(other))
  await evaluateCommand({
    dir,
    test: join(resolve(data), "test_2017_flickr.de-en.tsv.gz"),
    out: other,
    json: true,
    quiet: true,
  });
writeSection(
  "docs/results.md",
  "multi30k, German to English",
  page(
    await bcLine(dir),
    await readConfig(runFolder(dir).resolvedConfig),
    summary,
    JSON.parse(readFileSync(other, "utf8")) as OtherTest,
  ),
);

interface OtherTest {
  policies: { name: string; reward: number; bleu: number; chrf: number; n: number }[];
}

/** Whether BC was still getting better when its steps ended, as the manifest has it. */
async function bcLine(folder: string): Promise<string> {
  const manifest = await Manifest.read(folder);
  const step = manifest?.step(BC);
  if (!step) throw new Error(`${folder} has no finished BC`);
  const { bestStep, steps } = step.result as { bestStep: number; steps: number };
  return bestStep === steps
    ? `BC's validation loss was lowest at its last step, ${steps}: it had not stopped falling.`
    : `BC's validation loss was lowest at step ${bestStep} of ${steps}.`;
}

/** The configuration that the run was done by, without where its files lay on the machine that did it. */
function configurationText(config: Config): string {
  const { data } = config;
  const name = (file: string) => basename(file);
  return renderConfig({
    ...config,
    data: {
      ...data,
      train: data.train.map(name),
      validation: data.validation === null ? null : name(data.validation),
      test: data.test === null ? null : name(data.test),
    },
  });
}

function page(bc: string, config: Config, run: RunSummary, otherTest: OtherTest): string {
  const { machine } = run;
  const { headline, findings } = verdict(run);
  const minutes =
    run.improves.length > 0 ? Math.round(Math.max(...run.policies.map((p) => p.seconds)) / 60) : 0;
  const rows = otherTest.policies.map(
    ({ name, reward, bleu, chrf, n }) =>
      `| ${name} | ${(100 * reward).toFixed(1)} | ${bleu.toFixed(1)} | ${chrf.toFixed(1)} | ${n} |`,
  );
  return `\`npm run study -- DATA runs/multi30k\`, where DATA holds the corpus (task 1, raw: [multi30k](https://github.com/multi30k/dataset)),
with seed ${run.seed}, on ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}; ended ${run.finishedAt.slice(0, 10)}.
The last policy took ${minutes} minutes, evaluation not counted. Preset \`${config.model.preset}\`; ${run.data.train} pairs train BC and are
Grow's sources, ${run.data.rewardPart} teach the learned reward, ${run.data.validation} validate. The whole
configuration stands at the end. Thresholds, learning rates and stopping use validation only. Marks to hold BC against: small Transformers
trained on this corpus alone are reported at 26 to 36 BLEU on test_2016. ${bc} The corpus itself may be used for research only, so no sentence of it stands here.

${headline}

${findings.map(({ text }) => `- ${text}`).join("\n")}

### test_2016_flickr

${toMarkdown(policyTable(run), 4)}

${toMarkdown(improveTable(run), 4)}

${toMarkdown(bestOfNTable(run), 4)}

Signatures: \`${run.bleuSignature}\`, \`${run.chrfSignature}\`.

### test_2017_flickr

| policy | mean reward | BLEU | chrF | sentences |
|---|---|---|---|---|
${rows.join("\n")}

### Configuration

As the run's \`coppice.resolved.yaml\` has it, files by their names alone:

\`\`\`yaml
${configurationText(config)}\`\`\`
`;
}
