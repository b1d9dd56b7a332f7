/** The behaviour value function of a Grow step: what reward its candidates end with, judged at every prefix. */

import { rm } from "node:fs/promises";
import { UserError } from "../../errors.js";
import { ValueFunction } from "../../policy/value.js";
import { agreement } from "../../reward/agreement.js";
import { CandidateStore } from "../../store/candidate-store.js";
import { type SelectedRow, selectCandidates } from "../../store/select.js";
import type { RunContext } from "../context.js";
import { dependenciesOf } from "../dependencies.js";
import { monteCarloReturns } from "../losses/loss.js";
import { BC, stepNames, streams } from "../names.js";
import { optimizerOptions } from "./imitate.js";

/** Candidates on which the agreement with the reward is measured, out of those it was taught on. */
const MEASURED = 4000;

export interface ValueResult {
  [key: string]: number;
  /** Rank agreement of V(s_T) with the reward, over candidates that it was taught on, as in paper A.8.1. */
  kendall: number;
  spearman: number;
  candidates: number;
  meanSquaredError: number;
}

/** Teaches V^β on D_g by Monte-Carlo returns, once a Grow step, from the body of BC. */
export async function teachValue(run: RunContext, grow: number): Promise<void> {
  const step = stepNames.value(grow);
  await run.step(step, { dependsOn: dependenciesOf(step), outputs: [step] }, async () => {
    const { value: settings, ...improve } = run.config.improve;
    const seed = run.seed(streams.value, grow);
    const rows = await taughtRows(run, grow, settings.maxCandidates, seed);
    const policy = await run.nativePolicy(BC);
    const examples = rows.map(({ source, text, reward }) => {
      const tokens = policy.encoder.target(text);
      return { source, tokens, returns: monteCarloReturns(reward, tokens.length, settings.discount) };
    });
    const start = rows.reduce((sum, { reward }) => sum + reward, 0) / rows.length;
    const value = await ValueFunction.fromPolicy(run.thread, policy, run.folder.policy(BC), start);
    const progress = run.reporter.progress(`Value ${grow}`, settings.steps, "steps");
    const stateFile = run.folder.inside(`${step}.training`);
    const trained = await value.train(examples, {
      ...optimizerOptions({
        ...improve,
        warmupSteps: Math.min(improve.warmupSteps, settings.steps),
        labelSmoothing: 0,
        averageDecay: 0,
      }),
      schedule: "linear",
      // As the paper says, it need not hold beyond D_g: the losses ask for nothing else.
      dropout: 0,
      learningRate: settings.learningRate,
      steps: settings.steps,
      seed,
      evaluateEvery: Math.max(1, Math.ceil(settings.steps / 4)),
      patience: Number.POSITIVE_INFINITY,
      stateFile,
      onNote: (sentence) => run.reporter.note(sentence),
      onProgress: ({ step: done, loss }) => progress.update(done, `squared error ${loss.toFixed(4)}`),
      ...(run.signal ? { signal: run.signal } : {}),
    });
    progress.finish();
    const measured = examples.slice(0, MEASURED);
    const values = await value.values(measured, run.signal);
    const { overall } = agreement(
      values.map((found, i) => ({
        sourceId: rows[i]!.sourceId,
        predicted: found.at(-1)!,
        target: rows[i]!.reward,
      })),
    );
    await value.save(run.folder.inside(step));
    await value.release();
    await rm(stateFile, { force: true });
    const result: ValueResult = {
      kendall: overall.kendall,
      spearman: overall.spearman,
      candidates: rows.length,
      meanSquaredError: trained.evaluations.at(-1)!.loss,
    };
    run.reporter.note(
      `Value ${grow}: agrees with the reward at Kendall τ ${result.kendall.toFixed(3)}, Spearman ρ ` +
        `${result.spearman.toFixed(3)} on ${measured.length} of the candidates it was taught on.`,
    );
    return { result, metrics: { grow, ...result } };
  });
}

/** The value function of a Grow step, loaded. @throws UserError where it agrees too little with the reward. */
export async function usableValue(run: RunContext, grow: number): Promise<ValueFunction> {
  const { leastKendall } = run.config.improve.value;
  const { kendall } = run.result<ValueResult>(stepNames.value(grow));
  // Written so that an agreement that is not defined is refused too.
  if (!(kendall >= leastKendall))
    throw new UserError(
      `loss ${run.config.improve.loss} needs a value function that ranks candidates as the reward does, at Kendall τ ` +
        `${leastKendall} or more; this one reaches ${kendall.toFixed(3)}. Raise improve.value.steps, or choose loss bc.`,
      { file: run.folder.config },
    );
  return ValueFunction.load(run.thread, run.folder.inside(stepNames.value(grow)), await run.nativePolicy(BC));
}

/** Candidates to teach on, all or as many as asked for at random, in the order in which they are stored. */
async function taughtRows(run: RunContext, grow: number, most: number, seed: number): Promise<SelectedRow[]> {
  const store = await CandidateStore.open(run.folder.grow(grow), { runId: run.manifest.runId });
  try {
    const { rows } = await selectCandidates(
      store,
      { rule: { kind: "random", count: most }, human: "filtered" },
      { seed },
    );
    const found: SelectedRow[] = [];
    for await (const chunk of rows()) found.push(...chunk);
    return found;
  } finally {
    store.close();
  }
}
