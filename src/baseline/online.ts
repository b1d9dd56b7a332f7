/** Online RL from BC on: sample a batch from the policy, score it, train on it, sample the next from what came out. */

import type { RunContext } from "../rest/context.js";
import { dependenciesOf } from "../rest/dependencies.js";
import { BC, streams } from "../rest/names.js";
import { chosenSources } from "../rest/steps/grow.js";
import { loadPrepared } from "../rest/steps/prepare.js";
import { runReward } from "../rest/steps/reward.js";
import { type Look, lookAt, validationDraws } from "../rest/steps/validate.js";
import type { OnlineLook, OnlineSummary } from "../store/summary.js";
import { Learner, methodOptions } from "./learner.js";
import type { Rollout } from "./method.js";
import { onlineMethod } from "./methods.js";
import { batchSources, planOnline } from "./plan.js";
import { rollOut, type SampledRollout } from "./rollouts.js";
import { adaptKlCoefficient, divergence, normaliseBySource, tokenRewards } from "./shaping.js";

/** A line of metrics.jsonl: one batch, and a look where one was due. */
interface BatchLine {
  /** From 1; 0 is BC before the first. */
  batch: number;
  /** Candidates sampled and scored so far. */
  samplesDrawn: number;
  rewardCalls: number;
  /** Mean reward of the batch, as the reward gave it. */
  reward?: number;
  /** Of the policy that sampled the batch, in nats a sequence. */
  klFromBc: number;
  /** β of the batch. */
  klCoefficient: number;
  /** Share of candidates cut at the length limit, and mean tokens of a candidate. */
  unfinishedShare?: number;
  meanTokens?: number;
  /** Optimizer steps so far. */
  updates?: number;
  /** Mean squared error of the value function on the returns, while it was taught on them. */
  valueError?: number;
  /** Of samples on validation sources, as an Improve step looks at them, after the batch. */
  validationReward?: number;
  validationBleu?: number;
  validationChrf?: number;
}

/** Where a stopped training goes on. */
interface Kept {
  /** Batches done. */
  batch: number;
  klCoefficient: number;
  best: { batch: number; reward: number };
  lines: BatchLine[];
}

/** Trains the policy `name` by the configured method, unless it is there. */
export async function trainOnline(run: RunContext, name: string): Promise<void> {
  await run.step(name, { dependsOn: dependenciesOf(name), outputs: [`policies/${name}`] }, async () => {
    const { method: methodName, online, grow } = run.config;
    if (methodName === "rest") throw new Error("method rest does not train online");
    const method = onlineMethod(methodName);
    const options = methodOptions(online, methodName);
    const { train } = await loadPrepared(run);
    const ids = chosenSources(run, train.length);
    const plan = planOnline(run.config, ids.length, run.folder.config);
    const bc = await run.nativePolicy(BC);
    const reward = await runReward(run);
    const progress = run.reporter.progress(name, plan.samples, "candidates");

    const { learner, extra } = await Learner.begin(run, name, methodName);
    // What `save` below was given.
    const loaded = extra as Kept | undefined;
    if (!loaded) await learner.keepBest();
    const kept = loaded ?? firstState(await lookAt(run, bc, reward), online.klCoefficient);
    for (const line of kept.lines) run.log({ step: name, ...line });

    while (kept.batch < plan.batches) {
      const batch = kept.batch + 1;
      const drawnBefore = kept.lines.at(-1)!.samplesDrawn;
      const showing = `validation reward ${(100 * kept.best.reward).toFixed(1)} at best`;

      // y ∼ π_θ(·|x) for the sources x of the batch; R(x, y); log π_BC(y|x)
      const rollouts = await rollOut(
        { policy: learner.policy, bc, reward },
        batchSources(plan, batch, run.seed(streams.online)).map((place) => ({
          sourceId: ids[place]!,
          pair: train[ids[place]!]!,
        })),
        {
          n: plan.samplesPerSource,
          temperature: online.temperature,
          maxTokens: grow.maxTokens,
          seed: run.seed(streams.online),
          batch,
          onProgress: (done) => progress.update(drawnBefore + done, showing),
          signal: run.signal,
        },
      );

      // rₜ from R and β, V(sₜ), and from them Aₜ
      const shaped = shape(rollouts, await learner.values(rollouts), online.normalise, kept.klCoefficient);
      const { advantages, returns } = method.credit(shaped, options);

      // A few passes over the batch
      const updated = await learner.update(
        rollouts.map(({ source, tokens, logProbs }, i) => ({
          source,
          target: "",
          tokens,
          weight: 1,
          columns: { advantage: advantages[i]!, behavior: Float32Array.from(logProbs) },
        })),
        returns.map((one, i) => ({
          source: rollouts[i]!.source,
          tokens: rollouts[i]!.tokens,
          returns: one,
        })),
      );

      const kl = mean(rollouts.map(divergence));
      const drawn = drawnBefore + rollouts.length;
      const line: BatchLine = {
        batch,
        samplesDrawn: drawn,
        rewardCalls: drawn,
        reward: mean(rollouts.map((rollout) => rollout.reward)),
        klFromBc: kl,
        klCoefficient: kept.klCoefficient,
        unfinishedShare: mean(rollouts.map(({ finished }) => (finished ? 0 : 1))),
        meanTokens: mean(rollouts.map(({ tokens }) => tokens.length)),
        ...updated,
      };
      if (batch % online.evaluateEvery === 0 || batch === plan.batches) {
        const seen = await lookAt(run, learner.policy, reward);
        Object.assign(line, validation(seen));
        if (seen.reward > kept.best.reward) {
          kept.best = { batch, reward: seen.reward };
          await learner.keepBest();
        }
      }
      kept.klCoefficient = adaptKlCoefficient(kept.klCoefficient, kl, online.klTarget);
      kept.batch = batch;
      kept.lines.push(line);
      await learner.save(batch, kept);
      run.log({ step: name, ...line });
    }
    progress.finish();
    await learner.finish();
    return report(run, name, kept);
  });
}

function firstState(start: Look, klCoefficient: number): Kept {
  const before = { batch: 0, samplesDrawn: 0, rewardCalls: 0, klFromBc: 0, klCoefficient };
  return {
    batch: 0,
    klCoefficient,
    best: { batch: 0, reward: start.reward },
    lines: [{ ...before, ...validation(start) }],
  };
}

/** The batch as a method sees it. */
function shape(
  rollouts: readonly SampledRollout[],
  values: readonly ArrayLike<number>[],
  normalise: boolean,
  klCoefficient: number,
): Rollout[] {
  const plain = rollouts.map(({ reward }) => reward);
  const sources = rollouts.map(({ sourceId }) => sourceId);
  const rewards = normalise ? normaliseBySource(plain, sources) : plain;
  return rollouts.map((rollout, i) => ({
    sourceId: rollout.sourceId,
    rewards: tokenRewards(rollout, rewards[i]!, klCoefficient),
    values: values[i]!,
  }));
}

function validation({ reward, bleu, chrf }: Look) {
  return { validationReward: reward, validationBleu: bleu, validationChrf: chrf };
}

async function report(run: RunContext, name: string, { lines, best }: Kept) {
  const { samplesDrawn, rewardCalls, batch: batches } = lines.at(-1)!;
  const { validation: sources } = await loadPrepared(run);
  const looks = lines.flatMap(looked);
  const figures = {
    policy: name,
    samplesDrawn,
    rewardCalls,
    validationSamples: looks.length * validationDraws(sources.length),
    batches,
    bestBatch: best.batch,
  };
  const before = (100 * looks[0]!.reward).toFixed(1);
  run.reporter.note(
    best.batch === 0
      ? `${name}: no batch of ${batches} led to a higher validation reward than BC's, ${before}, so ${name} has BC's weights.`
      : `${name}: validation reward ${before} → ${(100 * best.reward).toFixed(1)} after batch ${best.batch} of ${batches}, ` +
          `${samplesDrawn} candidates sampled and scored.`,
  );
  const result = { ...figures, looks: looks.map((one) => ({ ...one })) } satisfies OnlineSummary;
  return { result, metrics: { ...figures, validationReward: best.reward } };
}

/** The line as the summary has it, if it has a look. */
function looked(line: BatchLine): OnlineLook[] {
  const { batch, samplesDrawn, rewardCalls, klFromBc, klCoefficient } = line;
  const { validationReward: reward, validationBleu: bleu, validationChrf: chrf } = line;
  if (reward === undefined || bleu === undefined || chrf === undefined) return [];
  return [{ batch, samplesDrawn, rewardCalls, reward, bleu, chrf, klFromBc, klCoefficient }];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
