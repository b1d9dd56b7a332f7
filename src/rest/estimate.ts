/** How long the rest of a run will take, from what has been measured: a guide for whoever waits, not a promise. */

import { onlineMethod } from "../baseline/methods.js";
import { planOnline } from "../baseline/plan.js";
import type { NativePolicy } from "../policy/native.js";
import { duration } from "../report/format.js";
import type { PlannedStep } from "./algorithm.js";
import type { RunContext } from "./context.js";
import { BC, stepNames } from "./names.js";
import { tokensAStep } from "./pace.js";
import { chosenSources } from "./steps/grow.js";
import { loadPrepared, type PreparedCounts } from "./steps/prepare.js";
import { validationDraws } from "./steps/validate.js";

/** Sources, and samples of each at most, that time sampling. */
const PROBED_SOURCES = 32;
const PROBED_SAMPLES = 8;

const labels: Record<PlannedStep["kind"], string> = {
  prepare: "preparing the data",
  bc: "training BC",
  reward: "teaching the reward",
  grow: "Grow",
  score: "scoring",
  value: "the value function",
  improve: "Improve",
  online: "online training",
  evaluate: "evaluation",
};

interface SecondsLeft {
  /** By kind of step. */
  readonly seconds: ReadonlyMap<PlannedStep["kind"], number>;
  /** Kinds of which nothing tells how long they take. */
  readonly unknown: ReadonlySet<PlannedStep["kind"]>;
}

/** One sentence on how long the steps of `plan` that are not done will take; undefined where none is left or nothing is known. */
export async function timeLeft(run: RunContext, plan: readonly PlannedStep[]): Promise<string | undefined> {
  const left = await secondsLeft(run, plan);
  if (!left || left.seconds.size + left.unknown.size === 0) return undefined;
  const { seconds, unknown } = left;
  const total = [...seconds.values()].reduce((sum, value) => sum + value, 0);
  const parts = [...seconds].map(([kind, value]) => `${labels[kind]} ${duration(value)}`);
  const without =
    unknown.size > 0 ? `, not counting ${[...unknown].map((kind) => labels[kind]).join(" and ")}` : "";
  return `About ${duration(total)} left at this machine's pace (${parts.join(", ")})${without}.`;
}

/**
 * How long the steps of `plan` that are not done will take: as long as finished ones of their kind, or by the rates of BC's
 * training and of a few samples drawn now. Undefined before the first policy: nothing is known.
 */
export async function secondsLeft(
  run: RunContext,
  plan: readonly PlannedStep[],
): Promise<SecondsLeft | undefined> {
  const left = plan.filter(({ name }) => !run.manifest.isDone(name));
  if (!run.manifest.isDone(stepNames.bc)) return undefined;
  const seconds = new Map<PlannedStep["kind"], number>();
  const unknown = new Set<PlannedStep["kind"]>();
  // What a server will take nobody knows before it was asked, and asking costs.
  let guess: Awaited<ReturnType<typeof rates>> | undefined =
    run.config.policy.kind === "server" ? () => undefined : undefined;
  for (const { kind } of left) {
    const measured = plan
      .filter((step) => step.kind === kind)
      .flatMap(({ name }) => run.manifest.step(name) ?? []);
    let one: number | undefined;
    if (measured.length > 0) {
      one = measured.reduce((sum, { time }) => sum + time.seconds, 0) / measured.length;
    } else {
      guess ??= await rates(run);
      one = guess(kind);
    }
    if (one === undefined) unknown.add(kind);
    else seconds.set(kind, (seconds.get(kind) ?? 0) + one);
  }
  return { seconds, unknown };
}

/** Seconds of a step whose kind has not been measured yet; undefined where nothing tells. */
async function rates(run: RunContext): Promise<(kind: PlannedStep["kind"]) => number | undefined> {
  const { method, bc, grow, improve, online, evaluate } = run.config;
  const { folder } = run;
  const { train } = await loadPrepared(run);
  const counts = run.result<PreparedCounts>(stepNames.prepare);
  const policy = await run.nativePolicy(BC);
  const perSample = await secondsPerSample(run, policy, train);
  const trained = run.manifest.step(stepNames.bc)!;
  const { steps } = run.result<{ steps: number }>(stepNames.bc);
  // A model that was taken as it is has trained nothing that could be timed.
  const perToken = steps > 0 ? trained.time.seconds / (steps * tokensAStep(bc)) : undefined;
  const validation = validationDraws(counts.validation) * perSample;
  const test = Math.min(evaluate.sources ?? counts.test, counts.test);
  return (kind) => {
    switch (kind) {
      case "grow":
        return chosenSources(run, counts.train).length * grow.samples * perSample;
      case "value":
        return perToken && perToken * tokensAStep(improve) * improve.value.steps;
      case "improve":
        if (perToken === undefined) return undefined;
        return (
          perToken * tokensAStep(improve) * improve.trainSteps +
          validation * (1 + Math.ceil(improve.trainSteps / improve.evaluateEvery))
        );
      case "online": {
        if (method === "rest" || perToken === undefined) return undefined;
        const { samples, batches } = planOnline(
          run.config,
          chosenSources(run, counts.train).length,
          folder.config,
        );
        const { epochs, needsValue } = onlineMethod(method);
        const passes = (online.epochs ?? epochs) * (needsValue ? 2 : 1);
        return (
          samples * (perSample + passes * perToken * meanTokens(policy, train)) +
          validation * (1 + Math.ceil(batches / online.evaluateEvery))
        );
      }
      case "evaluate":
        return (
          (test *
            (Math.max(evaluate.samples, evaluate.bestOfN.length > 0 ? evaluate.bestOfNSamples : 0) + 3) +
            (evaluate.rerank
              ? Math.min(evaluate.rerankSources, counts.validation) * evaluate.bestOfNSamples
              : 0)) *
          perSample
        );
      default:
        return undefined;
    }
  };
}

/** Some pairs, spread over the corpus: those that stand together are often alike. */
function probed<T>(train: readonly T[]): T[] {
  const stride = Math.max(1, Math.floor(train.length / PROBED_SOURCES));
  return train.filter((_, i) => i % stride === 0).slice(0, PROBED_SOURCES);
}

/** Of a human translation, which a sample is about as long as. */
function meanTokens({ encoder }: NativePolicy, train: readonly { target: string }[]): number {
  const some = probed(train);
  return some.reduce((sum, { target }) => sum + encoder.target(target).length, 0) / some.length;
}

async function secondsPerSample(
  run: RunContext,
  policy: NativePolicy,
  train: readonly { source: string }[],
): Promise<number> {
  const n = Math.min(PROBED_SAMPLES, run.config.grow.samples);
  const sources = probed(train).map(({ source }, sourceId) => ({ sourceId, text: source }));
  const sample = async (some: typeof sources): Promise<number> => {
    const started = performance.now();
    const options = { n, temperature: run.config.grow.temperature, maxTokens: run.config.grow.maxTokens };
    const signal = run.signal ? { signal: run.signal } : {};
    for await (const _ of policy.sample(some, { ...options, seed: 0, grow: 0, ...signal }));
    return (performance.now() - started) / 1000;
  };
  // The first call prepares the programs.
  await sample(sources.slice(0, 4));
  return (await sample(sources)) / (sources.length * n);
}
