/** Everything that the steps of one run share: configuration, folder, manifest, thread, loaded policies and reward. */

import { Interrupted, UserError } from "../errors.js";
import { NativePolicy } from "../policy/native.js";
import type { Policy } from "../policy/policy.js";
import type { Reward } from "../reward/reward.js";
import type { Json, Manifest } from "../store/manifest.js";
import type { MetricRecord, MetricsLog } from "../store/metrics.js";
import type { RunFolder } from "../store/run-folder.js";
import { ScoreCache } from "../store/score-cache.js";
import { deriveKey } from "../tensor/random.js";
import type { Thread } from "../tensor/thread.js";
import type { Config } from "./config.js";
import { LoadedPolicies } from "./loaded-policies.js";
import { type PolicyHome, policyHome } from "./policy-home.js";
import type { Reporter } from "./reporter.js";

/** What a step may use by turns: a policy and the one that it is compared with. */
const LOADED_POLICIES = 2;

export interface StepOptions {
  /** Files or folders that the step leaves, relative to the run folder. */
  outputs?: readonly string[];
  dependsOn: readonly string[];
}

/** A step that another run has done, its outputs now in this run's folder too. */
export interface TakenStep {
  /** Folder of that run, relative to this one's. */
  from: string;
  seconds: number;
  result: Json | undefined;
  metrics: readonly MetricRecord[];
}

export class RunContext {
  readonly config: Config;
  readonly folder: RunFolder;
  readonly manifest: Manifest;
  readonly thread: Thread;
  readonly reporter: Reporter;
  readonly signal: AbortSignal | undefined;
  /** Absent where the run is only read. */
  readonly #metrics: MetricsLog | undefined;
  #scores: Promise<ScoreCache> | undefined;
  readonly #takeOver: ((step: string) => Promise<TakenStep | undefined>) | undefined;
  readonly #home: PolicyHome;
  readonly #policies: LoadedPolicies<Policy>;
  readonly #rewards = new Map<string, Promise<Reward>>();

  constructor(parts: {
    config: Config;
    folder: RunFolder;
    manifest: Manifest;
    metrics?: MetricsLog;
    thread: Thread;
    reporter: Reporter;
    signal?: AbortSignal;
    /** Takes a step over from another run, where one has done the same. */
    takeOver?: (step: string) => Promise<TakenStep | undefined>;
    /** Of the same thread; absent: the context keeps two of its own. */
    policies?: LoadedPolicies<Policy>;
  }) {
    this.config = parts.config;
    this.folder = parts.folder;
    this.manifest = parts.manifest;
    this.#metrics = parts.metrics;
    this.thread = parts.thread;
    this.reporter = parts.reporter;
    this.signal = parts.signal;
    this.#takeOver = parts.takeOver;
    const home = policyHome(parts.config, parts.folder, parts.thread);
    this.#home = home;
    this.#policies = parts.policies ?? new LoadedPolicies((folder) => home.load(folder), LOADED_POLICIES);
  }

  /** A seed of its own for each stream of draws, so that no two uses share numbers. */
  seed(stream: number, ...parts: number[]): number {
    const [high, low] = deriveKey(this.config.seed, stream, ...parts);
    return (high % 2 ** 21) * 2 ** 32 + low;
  }

  /**
   * Does a step unless the manifest says that it is done, or another run has done the same. `work` returns what later steps read of it, and what goes
   * into metrics.jsonl.
   */
  async step(
    name: string,
    options: StepOptions,
    work: () => Promise<{ result?: Json; metrics?: MetricRecord }>,
  ): Promise<void> {
    if (this.manifest.isDone(name)) return;
    if (this.signal?.aborted) throw new Interrupted();
    const log = this.#metrics;
    if (!log) throw new Error(`step ${name} in a run that is open for reading`);
    this.reporter.step?.(name);
    const taken = await this.#takeOver?.(name);
    const { result, metrics, seconds } = taken ?? (await timed(name, () => this.#priced(work)));
    for (const record of metrics) log.append(record);
    log.sync();
    await this.manifest.finish(name, {
      seconds,
      ...(taken ? { takenFrom: taken.from } : {}),
      dependsOn: options.dependsOn,
      ...(options.outputs ? { outputs: options.outputs } : {}),
      ...(result === undefined ? {} : { result }),
      metricsLines: log.lines,
    });
  }

  /**
   * Adds a line to metrics.jsonl on the way through a step. Lines of a step that was stopped are gone when the run is
   * opened again: going on, a step writes those of the part that it keeps once more.
   */
  log(record: MetricRecord): void {
    if (!this.#metrics) throw new Error("a run that is open for reading has nothing to log");
    this.#metrics.append(record);
  }

  /** What a finished step left for others to read. */
  result<T>(step: string): T {
    return resultOf(this.manifest, step);
  }

  /** The policy of that name, loaded from its folder. */
  policy(name: string): Promise<Policy> {
    return this.#policies.get(this.folder.policy(name), this.manifest.step(name)?.time.finishedAt);
  }

  /** The same for what looks inside the model. @throws UserError where the run's policies are behind a server. */
  async nativePolicy(name: string): Promise<NativePolicy> {
    if (this.config.policy.kind !== "native") throw this.#served();
    const policy = await this.policy(name);
    if (!(policy instanceof NativePolicy)) throw new Error(`policy ${name} was loaded as another kind`);
    return policy;
  }

  /** Hands over a policy that must not be shared, since training changes it. */
  freshPolicy(name: string): Promise<Policy> {
    return this.#home.load(this.folder.policy(name));
  }

  /** The same as `nativePolicy` is to `policy`. */
  async freshNativePolicy(name: string): Promise<NativePolicy> {
    if (this.config.policy.kind !== "native") throw this.#served();
    return NativePolicy.load(this.thread, this.folder.policy(name));
  }

  #served(): UserError {
    return new UserError(
      "this needs policies that run in this process, and those of this run are behind a server (policy.kind). Ask the server itself.",
      { file: this.folder.root },
    );
  }

  /** Whether the run may be written into. */
  get writes(): boolean {
    return this.#metrics !== undefined;
  }

  /** What rewards outside of this process have given; new scores are kept unless the run is only read. */
  scores(): Promise<ScoreCache> {
    this.#scores ??= ScoreCache.open(this.folder.scores, { write: this.writes });
    return this.#scores;
  }

  /** The reward of the step of that name, made once. */
  reward(step: string, make: () => Promise<Reward>): Promise<Reward> {
    const reward = this.#rewards.get(step) ?? make();
    this.#rewards.set(step, reward);
    return reward;
  }

  async close(): Promise<void> {
    for (const made of this.#rewards.values()) {
      const reward = await made.catch(() => undefined);
      await reward?.close?.();
    }
    await this.#home.close();
  }

  /** Does `work` and adds to its figures what was paid for policies meanwhile. */
  async #priced(work: () => Promise<{ result?: Json; metrics?: MetricRecord }>) {
    const done = await work();
    const asked = this.#home.spent();
    if (asked === undefined) return done;
    const { result = {}, metrics = {} } = done;
    if (typeof result !== "object" || result === null || Array.isArray(result))
      throw new Error("a step's result is an object");
    return { result: { ...result, asked }, metrics: { ...metrics, asked } };
  }
}

/** What a finished step left for others to read, as the step's own module declares it. */
export function resultOf<T>(manifest: Manifest, step: string): T {
  const found = manifest.step(step);
  if (!found) throw new Error(`step ${step} is not done`);
  return found.result as T;
}

async function timed(
  step: string,
  work: () => Promise<{ result?: Json; metrics?: MetricRecord }>,
): Promise<Omit<TakenStep, "from">> {
  const started = performance.now();
  const { result, metrics } = await work();
  const seconds = (performance.now() - started) / 1000;
  return { seconds, result, metrics: metrics ? [{ step, ...metrics, time: { seconds } }] : [] };
}
