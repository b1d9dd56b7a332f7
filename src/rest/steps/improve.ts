/** Improve: keep the candidates above a threshold, fine-tune on them, keep the checkpoint with the best reward. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TrainResult } from "../../policy/policy.js";
import { count } from "../../report/format.js";
import { CandidateStore } from "../../store/candidate-store.js";
import {
  randomControl,
  type SelectedRow,
  type Selection,
  type SelectRule,
  type SelectSpec,
  selectCandidates,
} from "../../store/select.js";
import type { ImproveSummary } from "../../store/summary.js";
import type { Config } from "../config.js";
import type { RunContext } from "../context.js";
import { dependenciesOf } from "../dependencies.js";
import { heldOutMetric } from "../held-out.js";
import { BC, policyName, streams } from "../names.js";
import { configuredLoss, trainingExamples } from "./examples.js";
import { optimizerOptions } from "./imitate.js";
import { loadPrepared } from "./prepare.js";
import { growReward, scoringStep } from "./reward.js";
import { Guard, type Look, lookAt, partingWarning, validationDraws } from "./validate.js";

export type ImproveResult = Omit<ImproveSummary, "seconds">;

export interface ImproveStep {
  readonly grow: number;
  /** From 1; 0 trains on everything (G=g I=0). */
  readonly improve: number;
  /** The policy that fine-tuning starts from. */
  readonly from: string;
  /** Train on as many candidates chosen at random. */
  readonly control: boolean;
}

/** Trains the policy of that step unless it is there. */
export async function improvePolicy(run: RunContext, step: ImproveStep): Promise<void> {
  const name = policyName(step.grow, step.improve, step.control);
  await run.step(name, { dependsOn: dependenciesOf(name), outputs: [`policies/${name}`] }, async () => {
    const { config } = run;
    const store = await CandidateStore.open(run.folder.grow(step.grow), { runId: run.manifest.runId });
    try {
      const selection = await select(run, store, step);
      // Batches of a trainer outside are its own business.
      const scarce =
        config.policy.kind === "native" ? lessThanABatch(selection, config.improve.batchTokens) : undefined;
      for (const warning of [...selection.warnings, ...(scarce ? [scarce] : [])])
        run.reporter.note(`${name}: ${warning}`);
      run.reporter.note(
        `${name}: ${selection.threshold}: ${count(selection.kept)} of ${count(selection.candidates)} kept ` +
          `(${percent(selection.keptShare)}), ${count(selection.sourcesKept)} of ${count(selection.sources)} sources, mean reward ` +
          `${(100 * selection.meanReward).toFixed(1)} → ${(100 * selection.meanRewardKept).toFixed(1)}.`,
      );
      const selected: SelectedRow[] = [];
      for await (const rows of selection.rows()) selected.push(...rows);
      const examples = await trainingExamples(run, selected, step.grow);
      const loss = configuredLoss(config.improve);
      const policy = await run.freshPolicy(step.from);
      const progress = run.reporter.progress(name, config.improve.trainSteps, "steps");
      const stateFile = join(run.folder.policies, `${name}.training`);
      const reward = await growReward(run, step.grow);
      const guard = new Guard(run, reward);
      let latest: Look | undefined;
      const looks: string[] = [];
      const trained = await policy.train(examples, {
        ...optimizerOptions(config.improve),
        dropout: config.improve.dropout,
        // Lower at each Improve step: subsets shrink, and language models overfit them.
        learningRate:
          config.improve.learningRate * config.improve.learningRateFactor ** Math.max(0, step.improve - 1),
        steps: config.improve.trainSteps,
        seed: run.seed(streams.improve, step.grow, step.improve),
        evaluateEvery: config.improve.evaluateEvery,
        patience: config.improve.patience === 0 ? Number.POSITIVE_INFINITY : config.improve.patience,
        evaluate: async (at) => {
          const seen = `${stateFile}.look-${at}.jsonl`;
          looks.push(seen);
          latest = await lookAt(run, policy, reward, seen);
          if (at === 0 && step.from === BC) guard.first = latest;
          const { reward: score, ...figures } = latest;
          return { score, figures, refused: await guard.refuses(latest) };
        },
        // The start is looked at too: a worse policy never takes its place.
        evaluateStart: true,
        stateFile,
        outside: { name, folder: run.folder.inside(`models/${name}`) },
        onNote: (sentence) => run.reporter.note(sentence),
        ...(loss ? { loss, behavior: run.folder.policy(BC) } : {}),
        ...(config.improve.lora ? { lora: config.improve.lora } : {}),
        onProgress: ({ step: done, loss }) => {
          const seen = latest ? `, validation reward ${(100 * latest.reward).toFixed(1)}` : "";
          progress.update(done, `loss ${loss.toFixed(3)}${seen}`);
        },
        ...(run.signal ? { signal: run.signal } : {}),
      });
      progress.finish();
      await policy.save(run.folder.policy(name));
      await policy.release();
      for (const file of [stateFile, ...looks]) await rm(file, { force: true });
      const { validation } = await loadPrepared(run);
      const guarded = trained.evaluations.find(({ refused }) => refused);
      const ofFirst = config.improve.guard === "none" || step.from === BC ? 0 : 1;
      const result: ImproveResult = {
        ...summary(name, step, selection, trained.steps, trained.tokens),
        validationSamples: (trained.evaluations.length + ofFirst) * validationDraws(validation.length),
        ...(guarded ? { guardedAt: guarded.step } : {}),
      };
      const before = seenAt(trained, 0);
      const kept = seenAt(trained, trained.bestStep);
      if (guarded) run.reporter.note(`${name}: ${await guard.words(guarded, trained.bestStep)}`);
      run.reporter.note(
        trained.bestStep === 0 && !guarded
          ? `${name}: no checkpoint of ${trained.steps} steps has a higher validation reward than ${step.from}, ` +
              `${(100 * before.reward).toFixed(1)}, so ${name} has its weights.`
          : `${name}: validation reward ${(100 * before.reward).toFixed(1)} → ${(100 * kept.reward).toFixed(1)} ` +
              `at step ${trained.bestStep} of ${trained.steps}.`,
      );
      const { judges } = heldOutMetric(config);
      const warning = partingWarning(judges, config.improve.guardTolerance, before, kept);
      if (warning !== undefined) run.reporter.note(`${name}: ${warning}`);
      return {
        result: { ...result },
        metrics: {
          ...result,
          scoredBy: scoringStep(run, step.grow),
          validationRewardBefore: before.reward,
          validationReward: kept.reward,
          validationBefore: { ...before },
          validation: { ...kept },
          bestStep: trained.bestStep,
          startKept: trained.bestStep === 0,
          evaluations: trained.evaluations.map((row) => ({ ...row })),
        },
      };
    } finally {
      store.close();
    }
  });
}

/** The look at the weights of that training step. */
function seenAt({ evaluations }: TrainResult, at: number): Look {
  const row = evaluations.find(({ step }) => step === at);
  return {
    reward: row?.score ?? Number.NaN,
    bleu: row?.figures?.bleu ?? Number.NaN,
    chrf: row?.figures?.chrf ?? Number.NaN,
  };
}

/** A warning where what is kept does not fill one batch: the policy would learn a few texts by heart. */
export function lessThanABatch(
  selection: Pick<Selection, "kept" | "meanTokens" | "maxReward" | "threshold">,
  batchTokens: number,
): string | undefined {
  const tokens = Math.round(selection.kept * selection.meanTokens);
  if (tokens >= batchTokens) return undefined;
  return (
    `${selection.threshold} keeps ${selection.kept} candidates, about ${tokens} tokens, which do not fill one batch of ` +
    `${batchTokens}. The highest reward seen is ${Number(selection.maxReward.toPrecision(4))}. Lower the threshold, or sample more.`
  );
}

/** What the step trains on; for the control as many candidates of the same D_g at random. */
async function select(run: RunContext, store: CandidateStore, step: ImproveStep): Promise<Selection> {
  const { improve } = run.config;
  const seed = run.seed(streams.control, step.grow, step.improve);
  const selection = await selectCandidates(store, selectSpec(improve, ruleOf(improve, step.improve)), {
    seed,
    place: { file: run.folder.config },
  });
  return step.control ? selectCandidates(store, randomControl(selection), { seed }) : selection;
}

/** A rule with the filters that the configuration puts beside it. */
export function selectSpec(improve: Config["improve"], rule: SelectRule): SelectSpec {
  const { human, deduplicate, capPerSource, lengthRatio, maxRepetition, passRate, passAbove } = improve;
  return {
    rule,
    human,
    deduplicate,
    ...(capPerSource === null ? {} : { capPerSource }),
    ...(lengthRatio === null ? {} : { lengthRatio }),
    ...(maxRepetition === null ? {} : { maxRepetition }),
    ...(passRate === null ? {} : { passRate: { least: passRate[0], most: passRate[1], above: passAbove } }),
  };
}

/** The rule of Improve step `improve`, from 1; 0 keeps everything. */
export function ruleOf(improve: Config["improve"], step: number): SelectRule {
  if (step === 0) return { kind: "all" };
  const value = improve.thresholds.values[step - 1]!;
  switch (improve.thresholds.kind) {
    case "absolute":
      return { kind: "absolute", value };
    case "quantile":
      return { kind: "quantile", q: value };
    case "percentile":
      return { kind: "source-percentile", q: value / 100 };
    case "interpolation":
      return { kind: "source-interpolation", gamma: value };
    case "top":
      return { kind: "top", k: value };
  }
}

function summary(
  name: string,
  step: ImproveStep,
  selection: Selection,
  trainSteps: number,
  trainTokens: number,
): ImproveResult {
  return {
    policy: name,
    grow: step.grow,
    improve: step.improve,
    threshold: selection.threshold,
    ...(selection.thresholdValue === undefined ? {} : { thresholdValue: selection.thresholdValue }),
    candidates: selection.candidates,
    kept: selection.kept,
    keptShare: selection.keptShare,
    sourcesKept: selection.sourcesKept,
    sources: selection.sources,
    meanReward: selection.meanReward,
    meanRewardKept: selection.meanRewardKept,
    tiedSources: selection.tiedSources,
    distinctCandidates: selection.distinctCandidates,
    meanTokens: selection.meanTokens,
    unfinishedShare: selection.unfinishedShare,
    trainSteps,
    trainTokens,
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
