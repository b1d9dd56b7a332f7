/** Evaluation: every policy on sources never trained on, by the same draws. */

import { readFile, rm } from "node:fs/promises";
import type { Pair } from "../../data/pair.js";
import { type AnswerKind, answerIn } from "../../evaluate/answers.js";
import { bestOfN, bestOfNCurve } from "../../evaluate/best-of-n.js";
import { bleuFromStatistics, bleuScorer, bleuSignature, bleuStatistics } from "../../evaluate/bleu.js";
import { bootstrapCorpus, bootstrapMean } from "../../evaluate/bootstrap.js";
import { chrfFromStatistics, chrfScorer, chrfSignature, chrfStatistics } from "../../evaluate/chrf.js";
import {
  copyRate,
  distinctNPerSource,
  lengthRatio,
  repetitionRate,
  selfBleu,
  tokenEntropy,
  uniqueShare,
} from "../../evaluate/diversity.js";
import { isCrediblyNegative, prefixKl, sequenceKl } from "../../evaluate/kl.js";
import { majorityAtK, passAtK } from "../../evaluate/pass-at-k.js";
import { type RerankPart, rerankScores, tuneRerank } from "../../evaluate/rerank.js";
import type { Policy, SampledCandidate } from "../../policy/policy.js";
import { gaming } from "../../report/verdict.js";
import type { Reward } from "../../reward/reward.js";
import { writeJsonAtomic } from "../../store/atomic.js";
import type {
  AnswerFigures,
  BestOfNPoint,
  PolicyCosts,
  PolicySummary,
  RerankSummary,
  ScoredTranslation,
} from "../../store/summary.js";
import { deriveKey, permutation } from "../../tensor/random.js";
import type { Config } from "../config.js";
import type { RunContext } from "../context.js";
import { dependenciesOf } from "../dependencies.js";
import { heldOutMetric } from "../held-out.js";
import { runJudge } from "../judge.js";
import { BC, parsePolicyName, stepNames, streams } from "../names.js";
import { partNames, partScores } from "../rerank.js";
import { loadPrepared, readOutOfDomain } from "./prepare.js";
import { checkEnsemble, probeInSmall } from "./probe.js";
import { runReward } from "./reward.js";

/** Sources whose samples at temperature 1 estimate the KL divergence from BC, and samples of each. */
const KL_SOURCES = 500;
const KL_SAMPLES = 2;

/** Pairs of D, and of the out-of-domain file, whose likelihood is measured. */
const KNOWN_PAIRS = 500;

/** What is measured of one policy, without what depends on the run around it. */
export interface Evaluation {
  summary: Omit<PolicySummary, keyof PolicyCosts>;
  bestOfN: Omit<BestOfNPoint, "policy">[];
  /** What the best of N can be chosen by instead of the reward; absent where it was not asked for. */
  rerank?: Omit<RerankSummary, "policy">;
  /** Greedy (or beam) translations of the test sources, with their rewards and what the judge says of them. */
  translations: ScoredTranslation[];
  /** For each evaluated source, in the same order: what intervals and differences between policies are drawn from. */
  bySource: SourceFigures;
}

export interface SourceFigures {
  /** Mean reward of the source's samples. */
  reward: number[];
  /** Expected reward of the best of N, one list for each point of `bestOfN`. */
  bestOfN: number[][];
}

/** Pairs whose likelihood tells what the policy has forgotten. */
interface KnownPairs {
  /** Some of D, which BC has learned. */
  readonly train: readonly Pair[];
  readonly outOfDomain: readonly Pair[] | undefined;
}

/** Who and what an evaluation works with. */
interface EvaluationTask {
  readonly name: string;
  readonly policy: Policy;
  /** The first policy, for the divergence; the policy itself where it is the first. */
  readonly bc: Policy;
  readonly reward: Reward;
  readonly judge: Reward | undefined;
  readonly pairs: readonly Pair[];
  /** Pairs that weights of a sum of scores are tuned on; none: nothing is tuned. */
  readonly tuning: readonly Pair[];
  readonly known: KnownPairs;
  readonly config: Config;
  readonly seed: number;
  /** A file whose name begins so may keep what was paid for, until the evaluation is stored. */
  readonly state: string | undefined;
  readonly onProgress: (done: number, total: number, detail: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Evaluates a policy of the run on its test part, and keeps the figures as `evaluation/NAME.json`. */
export async function evaluatePolicy(run: RunContext, name: string): Promise<void> {
  const file = `evaluation/${name}.json`;
  const step = stepNames.evaluate(name);
  await run.step(step, { dependsOn: dependenciesOf(step), outputs: [file] }, async () => {
    const { test } = await loadPrepared(run);
    // Once a run, and before any Grow: by the first policy's evaluation the reward exists.
    if (name === BC) await checkEnsemble(run, await runReward(run));
    const state = run.folder.inside(`evaluation/${name}`);
    const evaluation = await measurePolicy(run, name, test, state);
    await writeJsonAtomic(run.folder.inside(file), evaluation);
    for (const path of stateFiles(state)) await rm(path, { force: true });
    const probe = name === BC ? await probeInSmall(run, await runReward(run)) : undefined;
    const { reward, bleu, chrf, judge, klFromBc, copyRate, lossOnTrain, lossOutOfDomain } =
      evaluation.summary;
    run.reporter.note(
      `${name}: mean reward ${(100 * reward.value).toFixed(1)}, BLEU ${bleu.value.toFixed(1)}, ` +
        `chrF ${chrf.value.toFixed(1)}${judge ? `, ${judge.name} ${(100 * judge.mean.value).toFixed(1)}` : ""}` +
        `${klFromBc === null ? "" : `, KL from BC ${klFromBc.toFixed(2)} nats a sequence`}.`,
    );
    for (const { text } of await partings(run, evaluation)) run.reporter.note(`${name}: Warning: ${text}`);
    const figures = {
      policy: name,
      scoredBy: stepNames.reward,
      copyRate,
      lossOnTrain,
      lossOutOfDomain,
      reward: reward.value,
      bleu: bleu.value,
      chrf: chrf.value,
      ...(judge && { judge: judge.mean.value }),
      klFromBc,
    };
    if (!probe) return { metrics: figures };
    const rows = probe.map((row) => ({ ...row }));
    return { result: { probe: rows }, metrics: { ...figures, probe: rows } };
  });
}

/** What in a policy's figures beside the first policy's speaks of gaming. */
async function partings(run: RunContext, { summary }: Evaluation) {
  if (summary.name === BC || !run.manifest.isDone(stepNames.evaluate(BC))) return [];
  const file = run.folder.inside(`evaluation/${BC}.json`);
  const first = JSON.parse(await readFile(file, "utf8")) as Evaluation;
  return gaming(first.summary, summary, heldOutMetric(run.config));
}

/**
 * Measures a policy of the run on `pairs`, or on as many of them as the configuration asks for; stores nothing.
 *
 * @param state What the names of files begin with that may keep what was paid for.
 */
export async function measurePolicy(
  run: RunContext,
  name: string,
  pairs: readonly Pair[],
  state?: string,
): Promise<Evaluation> {
  const progress = evaluationProgress(run, name);
  const evaluation = await evaluate({
    name,
    policy: await run.policy(name),
    bc: await run.policy(BC),
    reward: await runReward(run),
    judge: await runJudge(run),
    pairs: pairs.slice(0, run.config.evaluate.sources ?? pairs.length),
    tuning: run.config.evaluate.rerank
      ? (await loadPrepared(run)).validation.slice(0, run.config.evaluate.rerankSources)
      : [],
    known: await knownPairs(run),
    config: run.config,
    seed: run.seed(streams.evaluate),
    state,
    onProgress: progress.update,
    signal: run.signal,
  });
  progress.finish();
  return evaluation;
}

function stateFiles(state: string): [samples: string, translations: string] {
  return [`${state}.samples.jsonl`, `${state}.translations.jsonl`];
}

async function knownPairs(run: RunContext): Promise<KnownPairs> {
  const { train } = await loadPrepared(run);
  const drawn = permutation(deriveKey(run.seed(streams.evaluate), 0x6b6e6f77), train.length);
  return {
    train: Array.from(drawn.subarray(0, KNOWN_PAIRS), (i) => train[i]!),
    outOfDomain: (await readOutOfDomain(run))?.slice(0, KNOWN_PAIRS),
  };
}

/** A bar that begins when the work's size is known. */
function evaluationProgress({ reporter }: RunContext, name: string) {
  let bar: ReturnType<typeof reporter.progress> | undefined;
  return {
    update: (done: number, total: number, detail: string) => {
      bar ??= reporter.progress(`Evaluate ${name}`, total, "candidates");
      bar.update(done, detail);
    },
    finish: () => bar?.finish(),
  };
}

async function evaluate(task: EvaluationTask): Promise<Evaluation> {
  const { config, pairs, policy, reward, judge, onProgress } = task;
  const settings = config.evaluate;
  const n = Math.max(settings.samples, settings.bestOfN.length > 0 ? settings.bestOfNSamples : 0);
  const sources = pairs.map((pair, sourceId) => ({ sourceId, text: pair.source }));
  const total = sources.length * (n + 1) + task.tuning.length * settings.bestOfNSamples;
  const signal = task.signal ? { signal: task.signal } : {};
  const [sampled, searched] = task.state === undefined ? [] : stateFiles(task.state);

  const pool = await samplePool(
    task,
    sources,
    {
      n,
      temperature: settings.temperature,
      stream: 0,
      ...(sampled === undefined ? {} : { stateFile: sampled }),
    },
    (done) => onProgress(done, total, "sampling"),
  );
  const scores = await scorePool(reward, pairs, pool);
  const rewards = scores.map(([ofReward]) => ofReward!);
  const translated = await policy.translate(sources, {
    beams: settings.beam,
    maxTokens: config.grow.maxTokens,
    ...(searched === undefined ? {} : { stateFile: searched }),
    onProgress: (done) => onProgress(sources.length * n + done, total, "translating"),
    ...signal,
  });
  const hypotheses = translated.map(({ text }) => text);
  const references = pairs.map((pair) => pair.target);
  const translations = pairs.map((pair, i) => ({
    source: pair.source,
    candidate: hypotheses[i]!,
    reference: pair.target,
  }));
  const greedy = await reward.score(translations);
  const judged = await judge?.score(translations);
  const first = (row: readonly SampledCandidate[]) => row.slice(0, settings.samples);
  const drawn = sources.length * (n + 1);
  const rerank =
    task.tuning.length === 0
      ? undefined
      : await tuneOnValidation(task, (done) => onProgress(drawn + done, total, "tuning weights"));
  const texts = pool.map((row) => first(row).map(({ text }) => text));
  const sampleRewards = rewards.flatMap((row) => row.slice(0, settings.samples));
  const groups = rewards.flatMap((row, source) => row.slice(0, settings.samples).map(() => source));
  const tokenize = { tokenize: settings.bleuTokenizer };
  const place = parsePolicyName(task.name) ?? { grow: 0, improve: 0, control: false };
  const flat = texts.flat();
  return {
    summary: {
      name: task.name,
      ...place,
      reward: bootstrapMean(sampleRewards, { groups, seed: task.seed }),
      greedyReward: mean(greedy),
      bleu: bootstrapCorpus(
        bleuStatistics(hypotheses, references, tokenize),
        (sum) => bleuFromStatistics(sum).score,
        { seed: task.seed },
      ),
      chrf: bootstrapCorpus(chrfStatistics(hypotheses, references), chrfFromStatistics, { seed: task.seed }),
      ...(judge &&
        judged && { judge: { name: judge.name, mean: bootstrapMean(judged, { seed: task.seed }) } }),
      n: pairs.length,
      klFromBc: await klFromBc(task),
      diversity: {
        distinct1: distinctNPerSource(texts, 1, tokenize),
        distinct2: distinctNPerSource(texts, 2, tokenize),
        selfBleu: settings.samples > 1 ? selfBleu(texts, tokenize) : 0,
        uniqueShare: uniqueShare(texts),
        entropy: entropyOf(pool.flatMap((row) => first(row).map(({ sampleLogProbs }) => sampleLogProbs))),
      },
      ...(settings.answers === "none"
        ? {}
        : {
            answers: answerFigures(
              settings.answers,
              { hypotheses, pool, references },
              settings.bestOfN,
              task.seed,
            ),
          }),
      lengthRatio: lengthRatio(hypotheses, references),
      repetitionRate: repetitionRate(flat, tokenize),
      copyRate: copyRate(
        flat,
        texts.flatMap((row, i) => row.map(() => pairs[i]!.source)),
        tokenize,
      ),
      unfinishedShare: mean(pool.flatMap((row) => first(row).map(({ finished }) => (finished ? 0 : 1)))),
      lossOnTrain: (await policy.negativeLogLikelihood?.(task.known.train)) ?? null,
      lossOutOfDomain:
        (task.known.outOfDomain && (await policy.negativeLogLikelihood?.(task.known.outOfDomain))) ?? null,
    },
    bestOfN: curve(pool, rewards, pairs, settings, rerank && { parts: rerank.parts, scores }),
    ...(rerank && { rerank }),
    translations: hypotheses.map((text, i) => ({
      text,
      reward: greedy[i]!,
      ...(judged && { judge: judged[i]! }),
    })),
    bySource: {
      reward: rewards.map((row) => mean(row.slice(0, settings.samples))),
      bestOfN: bestOfNBySource(rewards, settings.bestOfN),
    },
  };
}

/** @param ks Numbers of samples that a source is given; those beyond the pool are left out. */
export function answerFigures(
  kind: AnswerKind,
  {
    hypotheses,
    pool,
    references,
  }: {
    hypotheses: readonly string[];
    pool: readonly (readonly { text: string }[])[];
    references: readonly string[];
  },
  ks: readonly number[],
  seed: number,
): AnswerFigures {
  const right = references.map((text) => answerIn(kind, text));
  const over = (figure: (source: number) => number) =>
    bootstrapMean(
      right.map((_, source) => figure(source)),
      { seed },
    );
  const given = pool.map((row) => row.map(({ text }) => answerIn(kind, text)));
  const known = (source: number) => right[source] !== undefined;
  return {
    exact: over((source) => Number(known(source) && answerIn(kind, hypotheses[source]!) === right[source])),
    attempts: ks
      .filter((k) => given.every((row) => row.length >= k))
      .map((k) => ({
        k,
        pass: over((source) => {
          const row = given[source]!;
          const correct = known(source) ? row.filter((answer) => answer === right[source]).length : 0;
          return passAtK(row.length, correct, k);
        }),
        majority: over((source) => (known(source) ? majorityAtK(given[source]!, right[source]!, k) : 0)),
      })),
  };
}

/** `curve` before its mean over sources is taken, by N. */
function bestOfNBySource(rewards: readonly (readonly number[])[], ns: readonly number[]): number[][] {
  const bySource = rewards.map((row) => bestOfN(row, ns));
  return ns.map((_, at) => bySource.map((points) => points[at]!.reward));
}

export function evaluationSignatures(config: Config): { bleu: string; chrf: string } {
  return { bleu: bleuSignature({ tokenize: config.evaluate.bleuTokenizer }), chrf: chrfSignature() };
}

/** Samples by source and sample number. */
async function samplePool(
  task: EvaluationTask,
  sources: readonly { sourceId: number; text: string }[],
  options: { n: number; temperature: number; stream: number; stateFile?: string },
  onDone: (candidates: number) => void,
): Promise<SampledCandidate[][]> {
  const pool: SampledCandidate[][] = sources.map(() => []);
  let done = 0;
  for await (const batch of task.policy.sample(sources, {
    n: options.n,
    temperature: options.temperature,
    maxTokens: task.config.grow.maxTokens,
    seed: task.seed,
    grow: options.stream,
    ...(options.stateFile === undefined ? {} : { stateFile: options.stateFile }),
    ...(task.signal ? { signal: task.signal } : {}),
  })) {
    for (const candidate of batch) pool[candidate.sourceId]![candidate.sampleId] = candidate;
    done += batch.length;
    onDone(done);
  }
  return pool;
}

/** By source, part (`partNames`: the reward first) and sample. */
async function scorePool(
  reward: Reward,
  pairs: readonly Pair[],
  pool: readonly (readonly SampledCandidate[])[],
): Promise<number[][][]> {
  const samples = pool.flatMap((row, i) =>
    row.map(({ text, logProbs }) => ({
      source: pairs[i]!.source,
      candidate: text,
      reference: pairs[i]!.target,
      logProbs,
    })),
  );
  const byPart = await partScores(reward, samples);
  let at = 0;
  return pool.map((row) => {
    at += row.length;
    return byPart.map((scores) => scores.slice(at - row.length, at));
  });
}

/** Weights for a sum of the reward, its parts and the log-probability, from samples of validation sources. */
async function tuneOnValidation(
  task: EvaluationTask,
  onDone: (candidates: number) => void,
): Promise<Omit<RerankSummary, "policy">> {
  const { tuning, config, reward } = task;
  const { bestOfN, bestOfNSamples, temperature, bleuTokenizer } = config.evaluate;
  const sources = tuning.map((pair, sourceId) => ({ sourceId, text: pair.source }));
  const pool = await samplePool(task, sources, { n: bestOfNSamples, temperature, stream: 2 }, onDone);
  const scores = await scorePool(reward, tuning, pool);
  const { metric } = heldOutMetric(config);
  const pools = pool.map((row, i) => {
    const { target } = tuning[i]!;
    const scorer = metric === "bleu" ? bleuScorer(target, { tokenize: bleuTokenizer }) : chrfScorer(target);
    return { scores: scores[i]!, metric: row.map(({ text }) => scorer.score(text)) };
  });
  return { metric, ...tuneRerank(partNames(reward), pools, bestOfN.at(-1)!) };
}

/** null where the policy tells no log-probabilities. */
function entropyOf(logProbs: readonly (readonly number[])[]): number | null {
  return logProbs.some((row) => row.length > 0) ? tokenEntropy(logProbs) : null;
}

/**
 * KL(π ‖ BC) a sequence at temperature 1, null where the policy does not tell; where the log-probabilities are those of the distribution sampled from: exact
 * at each prefix of the samples.
 * @throws Error when its estimate from the sampled tokens is negative beyond chance: then log-probabilities are wrong
 * somewhere.
 */
async function klFromBc(task: EvaluationTask): Promise<number | null> {
  if (!task.policy.divergences) return null;
  if (task.policy === task.bc) return 0;
  const sources = task.pairs.slice(0, KL_SOURCES).map((pair, sourceId) => ({ sourceId, text: pair.source }));
  const pool = await samplePool(task, sources, { n: KL_SAMPLES, temperature: 1, stream: 1 }, () => {});
  const samples = pool.flat();
  const exact = await task.policy.divergences(
    task.bc,
    samples.map(({ sourceId, tokens }) => ({ source: sources[sourceId]!.text, tokens })),
    task.signal,
  );
  const { k1 } = sequenceKl(
    samples.map(({ logProbs, sourceId }, i) => ({
      policy: logProbs,
      reference: exact[i]!.referenceLogProbs,
      group: sourceId,
    })),
  );
  if (isCrediblyNegative(k1))
    throw new Error(
      `the KL divergence of ${task.name} from BC comes out as ${k1.mean.toFixed(3)} ± ${k1.standardError.toFixed(3)} nats, ` +
        "which cannot be: the log-probabilities of sampling and of scoring disagree.",
    );
  return prefixKl(exact).mean;
}

function curve(
  pool: readonly (readonly SampledCandidate[])[],
  rewards: readonly (readonly number[])[],
  pairs: readonly Pair[],
  { bestOfN, bleuTokenizer }: Config["evaluate"],
  rerank: { parts: readonly RerankPart[]; scores: readonly (readonly (readonly number[])[])[] } | undefined,
): Evaluation["bestOfN"] {
  if (bestOfN.length === 0) return [];
  const metrics = pool.map((row, i) => {
    const chrf = chrfScorer(pairs[i]!.target);
    const bleu = bleuScorer(pairs[i]!.target, { tokenize: bleuTokenizer });
    return {
      reward: rewards[i]!,
      chrf: row.map(({ text }) => chrf.score(text)),
      bleu: row.map(({ text }) => bleu.score(text)),
    };
  });
  const by = (ranks: readonly (readonly number[])[]) => {
    const of = (metric: "reward" | "chrf" | "bleu") =>
      bestOfNCurve(
        ranks.map((row, i) => ({ rewards: row, metric: metrics[i]![metric] })),
        bestOfN,
      );
    const [reward, chrf, bleu] = [of("reward"), of("chrf"), of("bleu")];
    return bestOfN.map((_, at) => ({
      reward: reward[at]!.metric!,
      chrf: chrf[at]!.metric!,
      bleu: bleu[at]!.metric!,
    }));
  };
  const reranked = rerank && by(rerank.scores.map((scores) => rerankScores(rerank.parts, scores)));
  return by(rewards).map((point, at) => ({
    n: bestOfN[at]!,
    ...point,
    ...(reranked && { reranked: reranked[at]! }),
  }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
