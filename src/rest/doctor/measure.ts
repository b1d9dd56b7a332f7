/** Measures what the doctor asks, with the first policy and the reward, on validation sources alone. */

import type { Pair } from "../../data/pair.js";
import { UserError } from "../../errors.js";
import { bestOfN } from "../../evaluate/best-of-n.js";
import { bleuScorer } from "../../evaluate/bleu.js";
import { chrfScorer } from "../../evaluate/chrf.js";
import { tokenEntropy, uniqueShare } from "../../evaluate/diversity.js";
import type { SampledCandidate } from "../../policy/policy.js";
import type { Reward, RewardInput } from "../../reward/reward.js";
import { plannedSteps } from "../algorithm.js";
import type { Config } from "../config.js";
import type { RunContext } from "../context.js";
import { secondsLeft } from "../estimate.js";
import { heldOutMetric } from "../held-out.js";
import { BC, stepNames, streams } from "../names.js";
import { rewardIsRemote, rewardParts } from "../reward-parts.js";
import { chosenSources } from "../steps/grow.js";
import { loadPrepared } from "../steps/prepare.js";
import { rewardAsItIs } from "../steps/reward.js";
import type { BestOf, Cost, Repeat, Spread, TemperatureRow } from "./diagnose.js";

/** The configured temperature times these. */
const TEMPERATURES = [0.7, 1, 1.3];
/** Samples a source: as many as Grow draws, within these. */
const LEAST_SAMPLES = 4;
const MOST_SAMPLES = 16;
/** Candidates scored twice, and edited harmlessly. */
const REPEATED = 400;

export interface DoctorOptions {
  /** Validation sources at most. */
  sources: number;
  /** Hours that the rest of the run may take. */
  hours: number;
}

export interface Measurements {
  spread: Spread;
  bestOf: BestOf;
  temperatures: { temperature: number; rows: TemperatureRow[] };
  cost: Cost;
  repeat: Repeat;
}

/** Stores nothing. @throws UserError where the run has no first policy or its reward is not taught yet. */
export async function measure(run: RunContext, options: DoctorOptions): Promise<Measurements> {
  if (!run.manifest.isDone(stepNames.bc))
    throw new UserError(
      "the first policy of this run is not trained yet, and the doctor samples from it. Train it with coppice run, " +
        "which can be stopped once it is evaluated, or with coppice train-reward where the reward is learned.",
      { file: run.folder.root },
    );
  const reward = await rewardAsItIs(run);
  const pairs = (await loadPrepared(run)).validation.slice(0, options.sources);
  if (pairs.length < 2)
    throw new UserError(
      `the doctor compares validation sources, and this run has ${pairs.length}. Raise data.validationSize.`,
      { file: run.folder.config },
    );
  const { temperature } = run.config.grow;
  const n = Math.min(MOST_SAMPLES, Math.max(LEAST_SAMPLES, run.config.grow.samples));
  const metric = sentenceMetric(run.config);
  const total = TEMPERATURES.length * pairs.length * n;
  const progress = run.reporter.progress("Doctor", total, "samples");

  const pools: { temperature: number; pool: Pool; seconds: number }[] = [];
  for (const [stream, factor] of TEMPERATURES.entries()) {
    const at = Number((factor * temperature).toPrecision(3));
    const started = performance.now();
    const samples = await drawn(
      run,
      pairs,
      { n, temperature: factor === 1 ? temperature : at, stream },
      (done) => progress.update(stream * pairs.length * n + done),
    );
    const seconds = (performance.now() - started) / 1000;
    pools.push({
      temperature: factor === 1 ? temperature : at,
      pool: await scored(samples, pairs, reward, metric.score),
      seconds,
    });
  }
  progress.finish();
  const own = pools.find((each) => each.temperature === temperature)!;
  const inputs = own.pool.flatMap((row) => row.map(({ input }) => input)).slice(0, REPEATED);
  const first = await reward.score(inputs);
  const again = await reward.score(inputs);
  const started = performance.now();
  await reward.score(inputs);
  const perScore = (performance.now() - started) / 1000 / inputs.length;
  const spread = { spread: meanSpread(own.pool), noise: await noiseOf(reward, inputs, first, again) };
  const kept = rewardParts(run.config.reward).some(rewardIsRemote);
  return {
    spread,
    bestOf: bestOf(own.pool, n, metric.name),
    temperatures: { temperature, rows: pools.map((each) => temperatureRow(each.temperature, each.pool)) },
    cost: await cost(run, options.hours, (pairs.length * n) / own.seconds, perScore),
    repeat: {
      candidates: inputs.length,
      largestDifference: Math.max(...first.map((score, i) => Math.abs(score - again[i]!))),
      ...(kept && { kept: spread }),
    },
  };
}

interface Judged {
  input: RewardInput;
  sample: SampledCandidate;
  reward: number;
  /** Held-out metric, 0 to 100. */
  metric: number;
}

/** Candidates by source and sample number. */
type Pool = Judged[][];

async function drawn(
  run: RunContext,
  pairs: readonly Pair[],
  { n, temperature, stream }: { n: number; temperature: number; stream: number },
  onDone: (candidates: number) => void,
): Promise<SampledCandidate[][]> {
  const policy = await run.policy(BC);
  const pool: SampledCandidate[][] = pairs.map(() => []);
  let done = 0;
  for await (const batch of policy.sample(
    pairs.map(({ source }, sourceId) => ({ sourceId, text: source })),
    {
      n,
      temperature,
      maxTokens: run.config.grow.maxTokens,
      seed: run.seed(streams.doctor),
      grow: stream,
      ...(run.signal ? { signal: run.signal } : {}),
    },
  )) {
    for (const candidate of batch) pool[candidate.sourceId]![candidate.sampleId] = candidate;
    done += batch.length;
    onDone(done);
  }
  return pool;
}

async function scored(
  pool: readonly (readonly SampledCandidate[])[],
  pairs: readonly Pair[],
  reward: Reward,
  metric: (candidate: string, reference: string) => number,
): Promise<Pool> {
  const inputs = pool.map((row, i) =>
    row.map(({ text }) => ({ source: pairs[i]!.source, candidate: text, reference: pairs[i]!.target })),
  );
  const rewards = await reward.score(inputs.flat());
  let next = 0;
  return pool.map((row, i) =>
    row.map((sample, j) => ({
      input: inputs[i]![j]!,
      sample,
      reward: rewards[next++]!,
      metric: metric(sample.text, pairs[i]!.target),
    })),
  );
}

/** The metric that judges the run from outside, with its scores of one sentence. */
function sentenceMetric(config: Config): {
  name: "BLEU" | "chrF";
  score: (candidate: string, reference: string) => number;
} {
  const tokenize = { tokenize: config.evaluate.bleuTokenizer };
  if (heldOutMetric(config).metric === "bleu")
    return {
      name: "BLEU",
      score: (candidate, reference) => bleuScorer(reference, tokenize).score(candidate),
    };
  return { name: "chrF", score: (candidate, reference) => chrfScorer(reference).score(candidate) };
}

/** Mean over sources of the reward's standard deviation among their candidates (of a sample: n − 1). */
function meanSpread(pool: Pool): number {
  return mean(pool.map((row) => deviation(row.map(({ reward }) => reward))));
}

/**
 * Standard deviation of one score by chance, from pairs of scores that ought to be equal: √(Σ d² / 2n), Dahlberg's formula
 * (1940). The pairs are a candidate twice, and a candidate with its final stop or first capital taken away.
 */
async function noiseOf(
  reward: Reward,
  inputs: readonly RewardInput[],
  first: readonly number[],
  again: readonly number[],
): Promise<number> {
  const edited = inputs.flatMap((input, i) => {
    const candidate = harmlessEdit(input.candidate);
    return candidate === input.candidate ? [] : [{ input: { ...input, candidate }, was: first[i]! }];
  });
  const after = await reward.score(edited.map(({ input }) => input));
  return Math.max(
    dahlberg(first.map((score, i) => score - again[i]!)),
    dahlberg(edited.map(({ was }, i) => was - after[i]!)),
  );
}

/** The text without its final stop and with a small first letter: what no reader would call another translation. */
export function harmlessEdit(text: string): string {
  const bare = text.replace(/[.。]\s*$/u, "");
  const [head = ""] = bare;
  return head.toLowerCase() + bare.slice(head.length);
}

/** 0 where there are no differences. */
export function dahlberg(differences: readonly number[]): number {
  if (differences.length === 0) return 0;
  return Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0) / (2 * differences.length));
}

function bestOf(pool: Pool, n: number, metric: string): BestOf {
  const gains = pool.map((row) => {
    const metrics = row.map((each) => each.metric);
    const single = mean(metrics);
    const [chosen] = bestOfN(
      row.map(({ reward }) => reward),
      [n],
      metrics,
    );
    return { single, oracle: Math.max(...metrics) - single, reward: chosen!.metric! - single };
  });
  const byReward = gains.map(({ reward }) => reward);
  return {
    n,
    metric,
    sources: pool.length,
    single: mean(gains.map(({ single }) => single)),
    oracleGain: mean(gains.map(({ oracle }) => oracle)),
    rewardGain: mean(byReward),
    standardError: deviation(byReward) / Math.sqrt(byReward.length),
  };
}

function temperatureRow(temperature: number, pool: Pool): TemperatureRow {
  return {
    temperature,
    uniqueShare: uniqueShare(pool.map((row) => row.map(({ sample }) => sample.text))),
    entropy: tokenEntropy(pool.flat().map(({ sample }) => sample.sampleLogProbs)),
    spread: meanSpread(pool),
    oracle: mean(pool.map((row) => Math.max(...row.map(({ metric }) => metric)))),
    unfinishedShare: mean(pool.flat().map(({ sample }) => (sample.finished ? 0 : 1))),
  };
}

async function cost(
  run: RunContext,
  budgetHours: number,
  samplesPerSecond: number,
  perScore: number,
): Promise<Cost> {
  const plan = await plannedSteps(run.config);
  const left = await secondsLeft(run, plan);
  let leftSeconds = [...(left?.seconds.values() ?? [])].reduce((sum, value) => sum + value, 0);
  if (left?.unknown.has("score")) {
    const { train } = await loadPrepared(run);
    const scorings = plan.filter(({ kind, name }) => kind === "score" && !run.manifest.isDone(name)).length;
    leftSeconds +=
      scorings * chosenSources(run, train.length).length * (run.config.grow.samples + 1) * perScore;
  }
  return { doneSeconds: run.manifest.seconds, leftSeconds, samplesPerSecond, budgetHours };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample. */
function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
