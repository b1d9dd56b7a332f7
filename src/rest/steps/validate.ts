/** D_eval at an Improve step: what is asked of the policy at each look, and the guard that watches the answer. */

import { bleuFromStatistics, bleuStatistics } from "../../evaluate/bleu.js";
import { chrfFromStatistics, chrfStatistics } from "../../evaluate/chrf.js";
import { sumStatistics } from "../../evaluate/references.js";
import type { Policy } from "../../policy/policy.js";
import type { Reward } from "../../reward/reward.js";
import type { Metric } from "../../store/summary.js";
import type { Config } from "../config.js";
import type { RunContext } from "../context.js";
import { BC, streams } from "../names.js";
import { loadPrepared } from "./prepare.js";

/** So many validation sources, and samples of each. */
const VALIDATION_SOURCES = 256;
const VALIDATION_SAMPLES = 4;

/** Samples drawn, and scored, at one look. */
export function validationDraws(sources: number): number {
  return Math.min(VALIDATION_SOURCES, sources) * VALIDATION_SAMPLES;
}

/** One look at a policy on the validation sources. */
export interface Look extends Record<Metric, number> {
  /** Mean reward of the samples, in [0, 1]. */
  reward: number;
}

/**
 * Mean reward, and corpus BLEU and chrF, of samples on validation sources, by the same draws at every call.
 *
 * @param stateFile Where samples that cost money are kept until the step is done.
 */
export async function lookAt(
  run: RunContext,
  policy: Policy,
  reward: Reward,
  stateFile?: string,
): Promise<Look> {
  const { validation } = await loadPrepared(run);
  const used = validation.slice(0, VALIDATION_SOURCES);
  const sources = used.map((pair, sourceId) => ({ sourceId, text: pair.source }));
  const texts: string[][] = used.map(() => []);
  for await (const batch of policy.sample(sources, {
    n: VALIDATION_SAMPLES,
    temperature: run.config.evaluate.temperature,
    maxTokens: run.config.grow.maxTokens,
    seed: run.seed(streams.validate),
    grow: 0,
    ...(stateFile === undefined ? {} : { stateFile }),
    ...(run.signal ? { signal: run.signal } : {}),
  }))
    for (const { sourceId, sampleId, text } of batch) texts[sourceId]![sampleId] = text;
  const inputs = used.flatMap((pair, i) =>
    texts[i]!.map((candidate) => ({ source: pair.source, candidate, reference: pair.target })),
  );
  const rewards = await reward.score(inputs);
  const candidates = inputs.map(({ candidate }) => candidate);
  const references = inputs.map(({ reference }) => reference);
  const tokenize = run.config.evaluate.bleuTokenizer;
  return {
    reward: rewards.reduce((sum, value) => sum + value, 0) / rewards.length,
    bleu: bleuFromStatistics(sumStatistics(bleuStatistics(candidates, references, { tokenize }))).score,
    chrf: chrfFromStatistics(sumStatistics(chrfStatistics(candidates, references))),
  };
}

type GuardOptions = Pick<Config["improve"], "guard" | "guardTolerance">;

/** Whether the guarded metric lies more than the tolerance below the first policy's. */
export function refuses({ guard, guardTolerance }: GuardOptions, first: Look, now: Look): boolean {
  return guard !== "none" && now[guard] < first[guard] - guardTolerance;
}

/** Watches the metric that `improve.guard` names, beside the first policy's by the same draws. */
export class Guard {
  readonly #run: RunContext;
  readonly #reward: Reward;
  /** The look at the first policy, where there has been one. */
  first: Look | undefined;

  constructor(run: RunContext, reward: Reward) {
    this.#run = run;
    this.#reward = reward;
  }

  async refuses(now: Look): Promise<boolean> {
    const { improve } = this.#run.config;
    return improve.guard !== "none" && refuses(improve, await this.#atFirst(), now);
  }

  /** Why training ended at the refused evaluation, and which weights remain. */
  async words(
    at: { step: number; figures?: Readonly<Record<string, number>> },
    kept: number,
  ): Promise<string> {
    const { guard, guardTolerance } = this.#run.config.improve;
    if (guard === "none") throw new Error("an evaluation was refused without a guard");
    const first = await this.#atFirst();
    return (
      `the guard stopped it at step ${at.step}: ${label(guard)} on validation was ${at.figures?.[guard]?.toFixed(1)}, ` +
      `more than ${guardTolerance} below ${BC}'s ${first[guard].toFixed(1)}. Kept: ` +
      (kept === 0 ? "the policy that the step started from." : `step ${kept}.`)
    );
  }

  async #atFirst(): Promise<Look> {
    this.first ??= await lookAt(this.#run, await this.#run.policy(BC), this.#reward);
    return this.first;
  }
}

function label(metric: Metric): string {
  return metric === "bleu" ? "BLEU" : "chrF";
}

/**
 * A warning in words where the reward rose and every metric of another family fell by more than the tolerance; undefined
 * where there is no reason for one.
 */
export function partingWarning(
  judges: readonly Metric[],
  tolerance: number,
  before: Look,
  after: Look,
): string | undefined {
  const parted =
    after.reward > before.reward && judges.every((metric) => after[metric] < before[metric] - tolerance);
  if (!parted) return undefined;
  const falls = judges.map(
    (metric) => `${label(metric)} fell (${before[metric].toFixed(1)} → ${after[metric].toFixed(1)})`,
  );
  return (
    `Warning: on validation the reward rose (${(100 * before.reward).toFixed(1)} → ${(100 * after.reward).toFixed(1)}) ` +
    `while ${falls.join(" and ")}: the policy may be gaming the reward. A guard stops that: improve.guard.`
  );
}
