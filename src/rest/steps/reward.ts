/** The run's reward: made from the configuration, taught first where it learns. */

import { rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { UserError } from "../../errors.js";
import { plural } from "../../report/format.js";
import { CalibratedReward, loadCalibration } from "../../reward/calibrated.js";
import { createReward } from "../../reward/create.js";
import { LearnedReward } from "../../reward/learned/learned.js";
import { trainLearnedReward } from "../../reward/learned/train.js";
import { PenalisedReward } from "../../reward/penalty.js";
import type { Reward } from "../../reward/reward.js";
import type { ProbeSummary, RewardSummary } from "../../store/summary.js";
import { type RunContext, resultOf } from "../context.js";
import { dependenciesOf } from "../dependencies.js";
import { BC, stepNames, streams } from "../names.js";
import { holdToPin } from "../pretrained-pin.js";
import {
  type LearnedPart,
  learnedMembers,
  learnedPart,
  retrainsReward,
  rewardIsRemote,
  rewardParts,
} from "../reward-parts.js";
import { loadPrepared } from "./prepare.js";

/** Steps between two looks at the agreement on held-out sources, and looks without a better one. */
const EVALUATE_EVERY = 100;
const PATIENCE = 5;
/** Share of the reward's sources held out for validation, and again for the figures that are reported. */
const HELD_OUT = 0.15;

/** Inputs that are scored a second time, to see that a reward neither draws lots nor keeps a state. */
const SCORED_TWICE = 8;

export interface RewardResult {
  [key: string]: number;
  kendall: number;
  spearman: number;
  pairwiseAccuracy: number;
  pairs: number;
  /** Drawn from the policy and scored by the target metric. */
  lessonSamples: number;
}

/**
 * Teaches the learned reward on its own part of the corpus, where the configuration asks for one; the members of an
 * ensemble one after another, each by a seed of its own. The figures are those of the first.
 */
export async function teachReward(run: RunContext): Promise<void> {
  const options = learnedPart(run.config.reward);
  if (!options) return;
  const folders = memberFolders(run);
  await run.step(
    stepNames.reward,
    { dependsOn: dependenciesOf(stepNames.reward), outputs: folders },
    async () => {
      const results: RewardResult[] = [];
      for (const [index, folder] of folders.entries())
        results.push(
          await teach(run, options, {
            label: index === 0 ? "Reward" : `Reward ${index + 1}`,
            policy: BC,
            folder,
            seed: index === 0 ? run.seed(streams.reward) : run.seed(streams.reward, index),
          }),
        );
      for (const folder of folders) await forgetLessons(run, folder);
      const lessonSamples = results.reduce((sum, each) => sum + each.lessonSamples, 0);
      const result: RewardResult = { ...results[0]!, lessonSamples };
      return { result, metrics: { ...result, ...(results.length > 1 && { members: results }) } };
    },
  );
}

/** Teaches the reward again on samples of `policy`, which `grow` samples from; candidates of that Grow are scored by it. */
export async function retrainReward(run: RunContext, policy: string, grow: number): Promise<void> {
  const options = learnedPart(run.config.reward);
  if (!options) return;
  const name = stepNames.retrain(grow);
  await run.step(name, { dependsOn: dependenciesOf(name), outputs: [name] }, async () => {
    const result = await teach(run, options, {
      label: `Reward for Grow ${grow}`,
      policy,
      folder: name,
      seed: run.seed(streams.retrain, grow),
    });
    await forgetLessons(run, name);
    return { result, metrics: { grow, policy, ...result } };
  });
}

interface Lesson {
  readonly label: string;
  /** The policy whose weights the reward starts from and whose samples it judges. */
  readonly policy: string;
  /** In the run folder. */
  readonly folder: string;
  readonly seed: number;
}

async function teach(
  run: RunContext,
  options: LearnedPart,
  { label, policy, folder, seed }: Lesson,
): Promise<RewardResult> {
  const { reward: pairs } = await loadPrepared(run);
  let agreed = "";
  let bar: { unit: string; progress: ReturnType<typeof run.reporter.progress> } | undefined;
  const trained = await trainLearnedReward(run.thread, {
    policy: await run.nativePolicy(policy),
    policyFolder: run.folder.policy(policy),
    pairs,
    folder: run.folder.inside(folder),
    stateFolder: lessonsFolder(run, folder),
    options: {
      target: {
        chrf: options.target === "bleu" ? 0 : 1,
        bleu: options.target === "chrf" ? 0 : 1,
        tokenize: run.config.evaluate.bleuTokenizer,
      },
      samplesPerSource: options.samplesPerSource,
      temperatures: options.temperatures,
      maxTokens: run.config.grow.maxTokens,
      damaged: options.damaged,
      heldOut: HELD_OUT,
      steps: options.steps,
      batchTokens: options.batchTokens,
      learningRate: options.learningRate,
      warmupSteps: options.warmupSteps,
      dropout: run.config.model.dropout,
      evaluateEvery: Math.min(EVALUATE_EVERY, options.steps),
      patience: PATIENCE,
    },
    seed,
    onNote: (sentence) => run.reporter.note(sentence),
    onProgress: (at) => {
      if (at.phase === "validation") {
        agreed = `, pairwise accuracy ${(100 * at.samples.pairwiseAccuracy).toFixed(1)} %`;
        return;
      }
      const [done, total, unit] =
        at.phase === "sampling" ? [at.done, at.total, "samples"] : [at.step, at.steps, "steps"];
      if (bar?.unit !== unit) {
        bar?.progress.finish();
        bar = { unit, progress: run.reporter.progress(label, total, unit) };
      }
      bar.progress.update(done, at.phase === "sampling" ? "" : `loss ${at.loss.toFixed(3)}${agreed}`);
    },
    ...(run.signal ? { signal: run.signal } : {}),
  });
  bar?.progress.finish();
  await trained.reward.close();
  const { agreement } = trained;
  const result: RewardResult = {
    kendall: agreement.overall.kendall,
    spearman: agreement.overall.spearman,
    pairwiseAccuracy: agreement.pairwiseAccuracy,
    pairs: agreement.pairs,
    lessonSamples: pairs.length * options.samplesPerSource,
  };
  run.reporter.note(
    `${label}: on samples of unseen sources it agrees with the metric at Kendall τ ${result.kendall.toFixed(2)}, ` +
      `Spearman ${result.spearman.toFixed(2)}; of two candidates of one source it picks the better in ` +
      `${(100 * result.pairwiseAccuracy).toFixed(0)} % of ${plural(result.pairs, "pair")}.`,
  );
  return result;
}

/** Where lessons and training state are kept until the step counts. */
function lessonsFolder(run: RunContext, folder: string): string {
  return run.folder.inside(`${folder}.training`);
}

async function forgetLessons(run: RunContext, folder: string): Promise<void> {
  await rm(lessonsFolder(run, folder), { recursive: true, force: true });
}

/** `reward`, and `reward-member-2` and so on for the members of an ensemble. */
function memberFolders({ config }: RunContext): string[] {
  return Array.from({ length: learnedMembers(config.reward) }, (_, i) =>
    i === 0 ? "reward" : `reward-member-${i + 1}`,
  );
}

/** The reward that policies are evaluated by, checked against its contract: where it is taught again, the first. */
export function runReward(run: RunContext): Promise<Reward> {
  return rewardOf(run, stepNames.reward);
}

/**
 * The same, but neither held to score alike at every call nor answered from kept scores: the doctor measures whether it
 * does.
 */
export function rewardAsItIs(run: RunContext): Promise<Reward> {
  return rewardOf(run, stepNames.reward, { repeat: 0, cached: false });
}

/** How far a judge's scores of one candidate lie apart. */
export interface JudgeSpread {
  candidates: number;
  /** Sum over candidates of the standard deviation among their scores. */
  sum: number;
}

const spreads = new WeakMap<RunContext, JudgeSpread>();

/** Over all that judges have scored since the last call; undefined where none has. */
export function takeJudgeSpread(run: RunContext): JudgeSpread | undefined {
  const spread = spreads.get(run);
  spreads.delete(run);
  return spread;
}

function noteSpread(run: RunContext, deviations: readonly number[]): void {
  const spread = spreads.get(run) ?? { candidates: 0, sum: 0 };
  spread.candidates += deviations.length;
  spread.sum += deviations.reduce((sum, one) => sum + one, 0);
  spreads.set(run, spread);
}

/** The step that made the reward of a Grow's candidates, and of the checkpoints chosen on them. */
export function scoringStep({ config }: RunContext, grow: number): string {
  return retrainsReward(config) && grow > 1 ? stepNames.retrain(grow) : stepNames.reward;
}

/** The reward that scores a Grow's candidates. */
export function growReward(run: RunContext, grow: number): Promise<Reward> {
  return rewardOf(run, scoringStep(run, grow));
}

function rewardOf(
  run: RunContext,
  step: string,
  { repeat, cached } = { repeat: SCORED_TWICE, cached: true },
): Promise<Reward> {
  return run.reward(`${step}, ${repeat} scored twice`, async () => {
    const { reward: options } = run.config;
    const members = learnedMembers(options);
    if (members > 0 && !run.manifest.isDone(step))
      throw new UserError(
        `the reward of this run is not trained yet. Train it with: coppice train-reward ${run.folder.root}`,
        {
          file: run.folder.root,
        },
      );
    const learned: Reward[] = [];
    for (const [index, folder] of (step === stepNames.reward ? memberFolders(run) : [step]).entries()) {
      const one = await LearnedReward.load(run.thread, run.folder.inside(folder));
      learned.push(index === 0 ? one : renamed(one, `${one.name} ${index + 1}`));
    }
    const [first, ...others] = learned;
    const created = await createReward(options, {
      configFile: run.folder.config,
      check: { repeat },
      tokenize: run.config.evaluate.bleuTokenizer,
      ...(cached && rewardParts(options).some(rewardIsRemote) && { cache: await run.scores() }),
      ...(run.signal && { signal: run.signal }),
      thread: run.thread,
      onPretrained: async (scorer, part) => {
        await holdToPin(run, part, scorer);
        run.reporter.note(`Reward ${scorer.name} from ${part.model}. Licence: ${scorer.licence}.`);
      },
      onSpread: (deviations) => noteSpread(run, deviations),
      ...(first ? { learned: first, learnedMembers: others } : {}),
    });
    const reward =
      options.calibration === null
        ? created
        : new CalibratedReward(
            created,
            await loadCalibration(resolve(dirname(run.folder.config), options.calibration)),
          );
    const { lengthRatio, language } = options.penalties;
    if (lengthRatio === null && language === 0) return reward;
    return new PenalisedReward(reward, options.penalties, (await loadPrepared(run)).train);
  });
}

/** The same reward by a name that tells it from its siblings. */
function renamed(reward: Reward, name: string): Reward {
  return {
    name,
    needsReference: reward.needsReference,
    score: (batch) => reward.score(batch),
    close: async () => reward.close?.(),
  };
}

/** What the report says of the reward. */
export function rewardSummary(run: Pick<RunContext, "config" | "manifest">): RewardSummary {
  const first = stepNames.evaluate(BC);
  const retrained = run.manifest.steps.flatMap(({ name, result }) => {
    const [, grow] = /^reward-(\d+)$/.exec(name) ?? [];
    return grow === undefined ? [] : [{ grow: Number(grow), ...(result as RewardResult) }];
  });
  return {
    name: run.config.reward.kind,
    ...(run.manifest.isDone(stepNames.reward) ? resultOf<RewardResult>(run.manifest, stepNames.reward) : {}),
    ...(retrained.length > 0 && { retrained }),
    ...(run.manifest.isDone(first) ? resultOf<{ probe: ProbeSummary[] }>(run.manifest, first) : {}),
  };
}
