/** The run's reward: made from the configuration, taught first where it learns. */

import { rm } from "node:fs/promises";
import { UserError } from "../../errors.js";
import { createReward } from "../../reward/create.js";
import { LearnedReward } from "../../reward/learned/learned.js";
import { trainLearnedReward } from "../../reward/learned/train.js";
import type { Reward } from "../../reward/reward.js";
import type { ProbeSummary, RewardSummary } from "../../store/summary.js";
import type { Config } from "../config.js";
import type { RunContext } from "../context.js";
import { dependenciesOf } from "../dependencies.js";
import { BC, stepNames, streams } from "../names.js";
import { loadPrepared } from "./prepare.js";

type LearnedOptions = Extract<Config["reward"], { kind: "learned" }>;

/** Steps between two looks at the agreement on held-out sources, and looks without a better one. */
const EVALUATE_EVERY = 100;
const PATIENCE = 5;
/** Share of the reward's sources held out for validation, and again for the figures that are reported. */
const HELD_OUT = 0.15;

export interface RewardResult {
  [key: string]: number;
  kendall: number;
  spearman: number;
  pairwiseAccuracy: number;
  pairs: number;
}

/** Teaches the learned reward on its own part of the corpus, where the configuration asks for one. */
export async function teachReward(run: RunContext): Promise<void> {
  const options = learnedOptions(run.config);
  if (!options) return;
  await run.step(
    stepNames.reward,
    { dependsOn: dependenciesOf(stepNames.reward), outputs: ["reward"] },
    async () => {
      const { reward: pairs } = await loadPrepared(run);
      const stateFolder = run.folder.inside("reward.training");
      let agreed = "";
      let bar: { unit: string; progress: ReturnType<typeof run.reporter.progress> } | undefined;
      const trained = await trainLearnedReward(run.thread, {
        policy: await run.policy(BC),
        policyFolder: run.folder.policy(BC),
        pairs,
        folder: run.folder.reward,
        stateFolder,
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
        seed: run.seed(streams.reward),
        onProgress: (at) => {
          if (at.phase === "validation") {
            agreed = `, pairwise accuracy ${(100 * at.samples.pairwiseAccuracy).toFixed(1)} %`;
            return;
          }
          const [done, total, unit] =
            at.phase === "sampling" ? [at.done, at.total, "samples"] : [at.step, at.steps, "steps"];
          if (bar?.unit !== unit) {
            bar?.progress.finish();
            bar = { unit, progress: run.reporter.progress("Reward", total, unit) };
          }
          bar.progress.update(done, at.phase === "sampling" ? "" : `loss ${at.loss.toFixed(3)}${agreed}`);
        },
        ...(run.signal ? { signal: run.signal } : {}),
      });
      bar?.progress.finish();
      await trained.reward.close();
      await rm(stateFolder, { recursive: true, force: true });
      const { agreement } = trained;
      const result: RewardResult = {
        kendall: agreement.overall.kendall,
        spearman: agreement.overall.spearman,
        pairwiseAccuracy: agreement.pairwiseAccuracy,
        pairs: agreement.pairs,
      };
      run.reporter.note(
        `Reward: on samples of unseen sources it agrees with the metric at Kendall τ ${result.kendall.toFixed(2)}, ` +
          `Spearman ${result.spearman.toFixed(2)}; of two candidates of one source it picks the better in ` +
          `${(100 * result.pairwiseAccuracy).toFixed(0)} % of ${result.pairs} pairs.`,
      );
      return { result, metrics: result };
    },
  );
}

/** The reward that scores candidates, checked against its contract. */
export function runReward(run: RunContext): Promise<Reward> {
  return run.reward(async () => {
    if (learnedOptions(run.config) && !run.manifest.isDone(stepNames.reward))
      throw new UserError(
        `the reward of this run is not trained yet. Train it with: coppice train-reward ${run.folder.root}`,
        {
          file: run.folder.root,
        },
      );
    const learned = learnedOptions(run.config)
      ? await LearnedReward.load(run.thread, run.folder.reward)
      : undefined;
    return createReward(run.config.reward, {
      configFile: run.folder.config,
      tokenize: run.config.evaluate.bleuTokenizer,
      ...(learned ? { learned } : {}),
    });
  });
}

/** What the report says of the reward. */
export function rewardSummary(run: RunContext): RewardSummary {
  const first = stepNames.evaluate(BC);
  return {
    name: run.config.reward.kind,
    ...(run.manifest.isDone(stepNames.reward) ? run.result<RewardResult>(stepNames.reward) : {}),
    ...(run.manifest.isDone(first) ? run.result<{ probe: ProbeSummary[] }>(first) : {}),
  };
}

/** The learned part of the configured reward, where there is one. */
function learnedOptions(config: Config): Omit<LearnedOptions, "kind"> | undefined {
  const { reward } = config;
  if (reward.kind === "learned") return reward;
  return reward.kind === "sum"
    ? reward.parts.find((part): part is Extract<typeof part, { kind: "learned" }> => part.kind === "learned")
    : undefined;
}
