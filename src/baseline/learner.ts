/** What an online method trains, the policy and where it needs one a value function, with all that a restart needs of them. */

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../exists.js";
import type { NativePolicy } from "../policy/native.js";
import type { OnlineTraining } from "../policy/online-training.js";
import type { Example } from "../policy/policy.js";
import { damagedState } from "../policy/train-loop.js";
import type { Loaded } from "../policy/training.js";
import { type ReturnExample, type Sequence, ValueFunction } from "../policy/value.js";
import type { Config } from "../rest/config.js";
import type { RunContext } from "../rest/context.js";
import { BC, type OnlineMethodName, streams } from "../rest/names.js";
import { onlineLoss, onlineMethod } from "./methods.js";

interface Critic {
  readonly value: ValueFunction;
  readonly training: OnlineTraining<ReturnExample>;
}

export class Learner {
  readonly policy: NativePolicy;
  readonly #run: RunContext;
  readonly #name: string;
  readonly #training: OnlineTraining<Example>;
  readonly #critic: Critic | undefined;
  readonly #epochs: number;

  private constructor(
    run: RunContext,
    name: string,
    policy: NativePolicy,
    training: OnlineTraining<Example>,
    critic: Critic | undefined,
    epochs: number,
  ) {
    this.#run = run;
    this.#name = name;
    this.policy = policy;
    this.#training = training;
    this.#critic = critic;
    this.#epochs = epochs;
  }

  /**
   * Goes on from what `save` kept last, with its `extra`. Where nothing was kept, or it is damaged, it starts from BC; the
   * value function from BC's body, and says 0 of everything.
   */
  static async begin(
    run: RunContext,
    name: string,
    method: OnlineMethodName,
  ): Promise<{ learner: Learner; extra?: unknown }> {
    const learner = await Learner.#fresh(run, name, method);
    if (!(await exists(learner.#stateFile))) return { learner };
    const loaded = await learner.#load();
    if (loaded) return { learner, extra: loaded.extra };
    run.reporter.note(damagedState(learner.#stateFile));
    await learner.#training.end();
    await learner.#critic?.training.end();
    await learner.release();
    await learner.#forget();
    return { learner: await Learner.#fresh(run, name, method) };
  }

  static async #fresh(run: RunContext, name: string, method: OnlineMethodName): Promise<Learner> {
    const { online } = run.config;
    const policy = await run.freshNativePolicy(BC);
    const training = await policy.trainOnline({
      ...arithmetic(online),
      seed: run.seed(streams.online, 1),
      loss: onlineLoss(method, methodOptions(online, method)),
    });
    let critic: Critic | undefined;
    if (onlineMethod(method).needsValue) {
      const value = await ValueFunction.fromPolicy(run.thread, policy, run.folder.policy(BC), 0);
      const options = { ...arithmetic(online), learningRate: online.ppo.valueLearningRate };
      critic = { value, training: await value.trainOnline({ ...options, seed: run.seed(streams.critic) }) };
    }
    return new Learner(run, name, policy, training, critic, online.epochs ?? onlineMethod(method).epochs);
  }

  /** V(sₜ) of each sequence, [T] each; empty without a value function. */
  async values(sequences: readonly Sequence[]): Promise<readonly ArrayLike<number>[]> {
    return this.#critic?.value.values(sequences, this.#run.signal) ?? sequences.map(() => []);
  }

  /** Trains the policy on a batch, and the value function on its returns; tells the updates so far and V's squared error. */
  async update(
    examples: readonly Example[],
    returns: readonly ReturnExample[],
  ): Promise<{ updates: number; valueError?: number }> {
    const { signal } = this.#run;
    const { steps } = await this.#training.update(examples, this.#epochs, { signal });
    if (!this.#critic) return { updates: steps };
    const taught = await this.#critic.training.update(returns, this.#epochs, { signal });
    return { updates: steps, valueError: taught.loss };
  }

  /** Marks the policy as it is now as the one that `finish` leaves. */
  keepBest(): Promise<void> {
    return this.#training.keepBest();
  }

  /** Keeps everything that goes on after batch `batch`, and `extra`. */
  async save(batch: number, extra: object): Promise<void> {
    // The policy's file names the value function's: until it is there whole, the pair before it counts.
    await this.#critic?.training.save(this.#valueFile(batch), undefined);
    await this.#training.save(this.#stateFile, { batch, extra });
    await this.#removeValueFiles(batch);
  }

  /** Goes back to what `save` kept last; undefined, and of no use any more, where a file of it is damaged or gone. */
  async #load(): Promise<Loaded | undefined> {
    const loaded = await this.#training.load(this.#stateFile);
    if (!loaded) return undefined;
    // What `save` was given.
    const { batch, extra } = loaded.extra as { batch: number; extra: unknown };
    if (!this.#critic) return { extra };
    const file = this.#valueFile(batch);
    return (await exists(file)) && (await this.#critic.training.load(file)) ? { extra } : undefined;
  }

  /** Saves the marked policy as a policy of the run; what was kept to go on from is removed. */
  async finish(): Promise<void> {
    await this.#training.end();
    await this.policy.save(this.#run.folder.policy(this.#name));
    await this.release();
    await this.#forget();
  }

  async #forget(): Promise<void> {
    await rm(this.#stateFile, { force: true });
    await this.#removeValueFiles();
  }

  async release(): Promise<void> {
    await this.policy.release();
    await this.#critic?.value.release();
  }

  get #stateFile(): string {
    return join(this.#run.folder.policies, `${this.#name}.training`);
  }

  #valueFile(batch: number): string {
    return join(this.#run.folder.policies, `${this.#name}.value-${batch}.training`);
  }

  async #removeValueFiles(butOf?: number): Promise<void> {
    const { policies } = this.#run.folder;
    for (const file of await readdir(policies)) {
      const [, name, batch] = /^(.+)\.value-(\d+)\.training$/.exec(file) ?? [];
      if (name === this.#name && Number(batch) !== butOf) await rm(join(policies, file), { force: true });
    }
  }
}

/** The options of a method: the group of its name, if it has one. */
export function methodOptions(online: Config["online"], method: OnlineMethodName): unknown {
  return method === "ppo" ? online.ppo : {};
}

/** The policy that is trained is the one that samples: no dropout, no smoothed targets, no average of weights. */
function arithmetic({ batchTokens, learningRate, warmupSteps, clipNorm }: Config["online"]) {
  return {
    batchTokens,
    accumulate: 1,
    learningRate,
    warmupSteps,
    labelSmoothing: 0,
    dropout: 0,
    weightDecay: 0,
    clipNorm: clipNorm === 0 ? Number.POSITIVE_INFINITY : clipNorm,
    averageDecay: 0,
  };
}
