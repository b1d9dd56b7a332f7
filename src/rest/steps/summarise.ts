/** Gathers a run's figures into `summary.json` and draws `report.html` from them. */

import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "../../store/atomic.js";
import type { ExampleTranslations, OnlineSummary, PolicyCosts, RunSummary } from "../../store/summary.js";
import { writeSummaryFile } from "../../store/summary-file.js";
import { version } from "../../version.js";
import { askedBy } from "../asked.js";
import { type RunContext, resultOf } from "../context.js";
import { heldOutMetric } from "../held-out.js";
import { isOnlinePolicy, parsePolicyName, stepNames } from "../names.js";
import { differences } from "./differences.js";
import { type Evaluation, evaluationSignatures } from "./evaluate.js";
import type { GrowResult, ScoreResult } from "./grow.js";
import type { ImproveResult } from "./improve.js";
import { loadPrepared, type PreparedCounts } from "./prepare.js";
import { type RewardResult, rewardSummary } from "./reward.js";

/** What figures are gathered from: a run's context has it, and so has whoever only reads the folder. */
export type FinishedSteps = Pick<RunContext, "config" | "folder" | "manifest">;

/** The summary of what is finished: all policies that were evaluated, in the order in which they came to be. */
export async function summarise(run: RunContext): Promise<RunSummary> {
  const evaluations = await finishedEvaluations(run);
  return gather(run, evaluations, {
    differences: differences(evaluations, (await loadPrepared(run)).test, {
      tokenize: run.config.evaluate.bleuTokenizer,
      seed: run.config.seed,
    }),
    examples: await examples(run, evaluations),
  });
}

/**
 * The same without what takes a while to work out (differences between policies, examples); the data must have been
 * prepared.
 */
export async function summariseSoFar(run: FinishedSteps): Promise<RunSummary> {
  return gather(run, await finishedEvaluations(run), { examples: [] });
}

async function finishedEvaluations({ manifest, folder }: FinishedSteps): Promise<Evaluation[]> {
  const evaluated = manifest.steps
    .filter((step) => step.name.startsWith("evaluate-"))
    .map((step) => step.name.slice("evaluate-".length))
    .sort(byPlace);
  const evaluations: Evaluation[] = [];
  for (const name of evaluated)
    evaluations.push(
      JSON.parse(await readFile(folder.inside(`evaluation/${name}.json`), "utf8")) as Evaluation,
    );
  return evaluations;
}

function gather(
  run: FinishedSteps,
  evaluations: readonly Evaluation[],
  { differences, examples }: Pick<RunSummary, "differences" | "examples">,
): RunSummary {
  const { manifest, config } = run;
  const counts = resultOf<PreparedCounts>(manifest, stepNames.prepare);
  const online = manifest.steps
    .filter(({ name }) => isOnlinePolicy(name))
    .map(({ result }) => result as unknown as OnlineSummary);
  const signatures = evaluationSignatures(config);
  const asked = askedBy(manifest.steps);
  return {
    format: 1,
    coppice: version,
    finishedAt: manifest.steps.at(-1)!.time.finishedAt,
    seed: config.seed,
    machine: manifest.machine,
    data: {
      train: counts.train,
      rewardPart: counts.reward,
      validation: counts.validation,
      test: counts.test,
    },
    reward: rewardSummary(run),
    heldOut: heldOutMetric(config),
    beam: config.evaluate.beam,
    bleuSignature: signatures.bleu,
    chrfSignature: signatures.chrf,
    policies: evaluations.map(({ summary }) => ({ ...summary, ...costs(run, summary) })),
    ...(asked === undefined ? {} : { asked }),
    ...(differences === undefined ? {} : { differences }),
    improves: manifest.steps
      .filter((step) => (parsePolicyName(step.name)?.grow ?? 0) > 0)
      .map((step) => ({ ...(step.result as unknown as ImproveResult), seconds: step.time.seconds })),
    ...(online.length > 0 ? { online } : {}),
    bestOfN: evaluations.flatMap(({ summary, bestOfN }) =>
      bestOfN.map((point) => ({ policy: summary.name, ...point })),
    ),
    ...(config.evaluate.rerank && {
      rerank: evaluations.flatMap(({ summary, rerank }) =>
        rerank ? [{ policy: summary.name, ...rerank }] : [],
      ),
    }),
    examples,
    config,
  };
}

export async function writeSummary(run: RunContext): Promise<RunSummary> {
  const summary = await summarise(run);
  await writeSummaryFile(run.folder.summary, summary);
  const { renderReport } = await import("../../report/report.js");
  await writeFileAtomic(run.folder.report, await renderReport(summary));
  return summary;
}

/** BC first, then by Grow and Improve; a control behind its counterpart. */
function byPlace(a: string, b: string): number {
  const [x, y] = [parsePolicyName(a)!, parsePolicyName(b)!];
  return x.grow - y.grow || x.improve - y.improve || Number(x.control) - Number(y.control);
}

/** Samples, reward calls and seconds that led to a policy; evaluation is not counted. */
export function costs(
  run: Pick<RunContext, "manifest">,
  policy: { name: string; grow: number; improve: number; control: boolean },
): PolicyCosts {
  let samplesDrawn = 0;
  let rewardCalls = 0;
  let validationSamples = 0;
  let lessonSamples = 0;
  let seconds = 0;
  for (const step of run.manifest.steps) {
    if (!leadsTo(step.name, policy)) continue;
    seconds += step.time.seconds;
    if (step.name.startsWith("grow-")) samplesDrawn += (step.result as unknown as GrowResult).samples;
    if (isOnlinePolicy(step.name)) {
      const spent = step.result as unknown as OnlineSummary;
      samplesDrawn += spent.samplesDrawn;
      rewardCalls += spent.rewardCalls;
    }
    if (step.name.startsWith("score-")) rewardCalls += (step.result as unknown as ScoreResult).rewardCalls;
    if (/^reward(-\d+)?$/.test(step.name))
      lessonSamples += (step.result as Partial<RewardResult>).lessonSamples ?? 0;
    if (step.name !== stepNames.bc && parsePolicyName(step.name))
      validationSamples += (step.result as unknown as ImproveResult).validationSamples ?? 0;
  }
  return { samplesDrawn, rewardCalls, validationSamples, lessonSamples, seconds };
}

function leadsTo(
  step: string,
  policy: { name: string; grow: number; improve: number; control: boolean },
): boolean {
  if (step === stepNames.prepare || step === stepNames.bc) return true;
  if (step === stepNames.reward) return policy.grow > 0 || policy.improve > 0;
  const sampled = /^(?:reward|grow|score|value)-(\d+)$/.exec(step);
  if (sampled) return Number(sampled[1]) <= policy.grow;
  if (isOnlinePolicy(step)) return step === policy.name;
  const trained = parsePolicyName(step);
  if (!trained) return false;
  if (trained.grow < policy.grow) return !trained.control;
  // I=0 is trained on everything, for the control too.
  const sameLine = trained.improve === 0 || trained.control === policy.control;
  return trained.grow === policy.grow && trained.improve <= policy.improve && sameLine;
}

/** The first test sentences of middling length, the same for every policy. */
async function examples(run: RunContext, evaluations: readonly Evaluation[]): Promise<ExampleTranslations[]> {
  const { test } = await loadPrepared(run);
  const shown = test
    .map((pair, index) => ({ pair, index, words: pair.target.split(/\s+/).length }))
    .slice(0, evaluations[0]?.translations.length ?? 0)
    .filter(({ words, pair }) => (words >= 6 && words <= 18) || !/\s/.test(pair.target))
    .slice(0, run.config.evaluate.examples);
  return shown.map(({ pair, index }) => ({
    source: pair.source,
    reference: pair.target,
    translations: Object.fromEntries(
      evaluations.map(({ summary, translations }) => [summary.name, translations[index]!]),
    ),
  }));
}
