/** The figures of a study's finished runs, one entry a policy, read from the run folders. */

import { readFile } from "node:fs/promises";
import { readPairs } from "../data/read.js";
import { bleuFromStatistics, bleuStatistics } from "../evaluate/bleu.js";
import { chrfFromStatistics, chrfStatistics } from "../evaluate/chrf.js";
import { parsePolicyName } from "../rest/names.js";
import { withoutTransport } from "../rest/reward-parts.js";
import type { Evaluation } from "../rest/steps/evaluate.js";
import type { ImproveResult } from "../rest/steps/improve.js";
import { costs } from "../rest/steps/summarise.js";
import { type Json, Manifest } from "../store/manifest.js";
import { runFolder } from "../store/run-folder.js";
import type { Measured } from "./intervals.js";
import type { StudyRun, TimedStep } from "./plan.js";
import type { Arm } from "./study.js";

/** One policy of one run, evaluated. */
export interface PolicyResult {
  arm: Arm;
  seed: number;
  /** `G0I0`, `G1I2`, `G1I2-random`, `PPO`. */
  policy: string;
  grow: number;
  improve: number;
  control: boolean;
  /** Mean reward of samples, in [0, 1]. */
  reward: Measured;
  bleu: Measured;
  chrf: Measured;
  /** What `evaluate.judge` says of the translations, in [0, 1]; absent where its score of each was not kept. */
  judge?: { name: string; mean: Measured };
  klFromBc: number;
  samplesDrawn: number;
  rewardCalls: number;
  bestOfN: BestOfNResult[];
}

export interface BestOfNResult {
  n: number;
  /** Expected reward of the best of n, in [0, 1]. */
  reward: Measured;
  chrf: number;
}

/** A finished run with its figures. */
export interface RunResult {
  run: StudyRun;
  policies: PolicyResult[];
  steps: TimedStep[];
  /** What each Improve step kept. */
  improves: ImproveResult[];
}

/** The figures of a run; undefined where it is not finished, or was finished from another configuration. */
export async function readRun(run: StudyRun): Promise<RunResult | undefined> {
  const manifest = await Manifest.read(run.dir);
  if (!manifest || !run.steps.every((step) => manifest.isDone(step))) return undefined;
  // A configuration is what YAML holds, and so JSON.
  if (
    manifest.firstStale({ seed: run.seed, config: withoutTransport(run.config) as unknown as Json }) !==
    undefined
  )
    return undefined;
  const folder = runFolder(run.dir);
  const references = (await readPairs(folder.inside("data/test.jsonl"))).map(({ target }) => target);
  const policies: PolicyResult[] = [];
  const evaluated = manifest.steps.flatMap(({ name }) => /^evaluate-(.+)$/.exec(name)?.[1] ?? []);
  for (const policy of evaluated) {
    const text = await readFile(folder.inside(`evaluation/${policy}.json`), "utf8");
    const spent = costs({ manifest }, { name: policy, ...placeOf(policy) });
    policies.push(policyResult(run, policy, JSON.parse(text) as Evaluation, references, spent));
  }
  return {
    run,
    policies,
    steps: manifest.steps.map(({ name, time, takenFrom }) => ({
      name,
      seconds: time.seconds,
      taken: takenFrom !== undefined,
    })),
    improves: manifest.steps
      .filter(({ name }) => (parsePolicyName(name)?.grow ?? 0) > 0)
      // Written by the Improve step of that name.
      .map(({ result }) => result as unknown as ImproveResult),
  };
}

function placeOf(policy: string): { grow: number; improve: number; control: boolean } {
  const place = parsePolicyName(policy);
  if (!place) throw new Error(`${policy} is not the name of a policy`);
  return place;
}

function policyResult(
  { arm, seed, config }: StudyRun,
  policy: string,
  { summary, bestOfN, translations, bySource }: Evaluation,
  references: readonly string[],
  { samplesDrawn, rewardCalls }: { samplesDrawn: number; rewardCalls: number },
): PolicyResult {
  const hypotheses = translations.map(({ text }) => text);
  const used = references.slice(0, hypotheses.length);
  const tokenize = { tokenize: config.evaluate.bleuTokenizer };
  return {
    arm,
    seed,
    policy,
    ...placeOf(policy),
    reward: meanOf(seed, summary.reward.value, bySource.reward),
    bleu: {
      seed,
      value: summary.bleu.value,
      rows: () => bleuStatistics(hypotheses, used, tokenize),
      metric: (sum) => bleuFromStatistics(sum).score,
    },
    chrf: {
      seed,
      value: summary.chrf.value,
      rows: () => chrfStatistics(hypotheses, used),
      metric: chrfFromStatistics,
    },
    ...judged(seed, summary, translations),
    klFromBc: summary.klFromBc ?? Number.NaN,
    samplesDrawn,
    rewardCalls,
    bestOfN: bestOfN.map(({ n, reward, chrf }, at) => ({
      n,
      reward: meanOf(seed, reward, bySource.bestOfN[at]!),
      chrf,
    })),
  };
}

function judged(
  seed: number,
  { judge }: Evaluation["summary"],
  translations: Evaluation["translations"],
): Pick<PolicyResult, "judge"> {
  const scores = translations.flatMap(({ judge: score }) => score ?? []);
  if (!judge || scores.length < translations.length) return {};
  return { judge: { name: judge.name, mean: meanOf(seed, judge.mean.value, scores) } };
}

function meanOf(seed: number, value: number, bySource: readonly number[]): Measured {
  return {
    seed,
    value,
    rows: () => bySource.map((one) => [one, 1]),
    metric: ([sum, count]) => sum! / count!,
  };
}
