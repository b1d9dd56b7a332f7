/** The policies of a run, to be asked: each loaded when it is first named, with the run's reward beside them. */

import { stat } from "node:fs/promises";
import { Interrupted, UserError } from "../errors.js";
import type { NativePolicy } from "../policy/native.js";
import type { Source } from "../policy/policy.js";
import { RunContext } from "../rest/context.js";
import { LoadedPolicies } from "../rest/loaded-policies.js";
import { onePolicy, policiesOf } from "../rest/policies.js";
import { type Reporter, silent } from "../rest/reporter.js";
import { readFinished } from "../rest/run.js";
import { runReward } from "../rest/steps/reward.js";
import type { Reward } from "../reward/reward.js";
import { runFolder } from "../store/run-folder.js";
import { Thread } from "../tensor/thread.js";

/** Policies that stay loaded. */
const LOADED = 4;

/** What a policy wrote for a source. */
export interface Output {
  text: string;
  /** Token ids, end-of-sentence included when finished. */
  tokens: number[];
  /** Log-probability of each token under the policy (temperature 1), in nats. */
  logProbs: number[];
  /** False when it was cut at the length limit. */
  finished: boolean;
  /** By the run's reward, in [0, 1]; null where it was not asked for. */
  reward: number | null;
}

export interface Asking {
  /** The policy's name; absent: the last of the main line. */
  policy?: string | undefined;
  /** Tokens that an output may have, end-of-sentence included; absent, and at most: the run's `grow.maxTokens`. */
  maxTokens?: number | undefined;
  /** Score the outputs too; see `whyUnscored`. Default: no. */
  score?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface Searching extends Asking {
  /** Beam width; 1 or absent: greedy. */
  beams?: number | undefined;
}

export interface Sampling extends Asking {
  /** Samples a source, 1 or more. */
  n: number;
  /** 0: greedy; absent: the run's `grow.temperature`. */
  temperature?: number | undefined;
  /** In (0, 1]; absent: the run's `grow.topP`. */
  topP?: number | undefined;
  /** Of draws whose source names none; absent: the run's seed. */
  seed?: number | undefined;
}

/**
 * Reads a run's folder and never writes there, beside a process that works in it if need be: policies and rewards that it
 * finishes or trains again meanwhile are there at the next question.
 *
 * One question is answered after another, in the order in which they come.
 */
export class RunPolicies {
  readonly dir: string;
  readonly #thread: Thread;
  readonly #reporter: Reporter;
  readonly #loaded: LoadedPolicies;
  #run: RunContext;
  /** When the manifest that `#run` knows was written. */
  #known: number;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(dir: string, thread: Thread, run: RunContext, known: number, loaded: LoadedPolicies) {
    this.dir = dir;
    this.#thread = thread;
    this.#reporter = run.reporter;
    this.#run = run;
    this.#known = known;
    this.#loaded = loaded;
  }

  /** Throws a UserError where the folder holds no run, or nothing of it is finished. */
  static async open(options: { dir: string; reporter?: Reporter }): Promise<RunPolicies> {
    const { dir, reporter = silent } = options;
    const known = await writtenAt(dir);
    const finished = await readFinished(dir);
    const thread = new Thread();
    const policies = new LoadedPolicies(thread, LOADED);
    return new RunPolicies(
      dir,
      thread,
      new RunContext({ ...finished, reporter, thread, policies }),
      known,
      policies,
    );
  }

  /** Names of the policies that are trained, in that order, controls among them. */
  list(): Promise<string[]> {
    return this.#inTurn((run) => policiesOf(run.manifest));
  }

  /** `asked`, or the last policy of the main line. Throws a UserError where the run does not have it. */
  name(asked?: string): Promise<string> {
    return this.#inTurn((run) => onePolicy(run.manifest, asked));
  }

  /** When each policy was trained, in milliseconds since 1970. */
  trainedAt(): Promise<Map<string, number>> {
    return this.#inTurn(
      ({ manifest }) =>
        new Map(
          policiesOf(manifest).map((name) => [name, Date.parse(manifest.step(name)!.time.finishedAt)] as const),
        ),
    );
  }

  /** What sampling is by this run when nothing else is asked for. */
  defaults(): Promise<{ temperature: number; maxTokens: number }> {
    return this.#inTurn(({ config: { grow } }) => ({
      temperature: grow.temperature,
      maxTokens: grow.maxTokens,
    }));
  }

  /** Why outputs cannot be scored, in one sentence; undefined where they can. */
  async whyUnscored(): Promise<string | undefined> {
    try {
      await this.#inTurn((run) => usableReward(run));
      return undefined;
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  }

  /** A policy's token counts of these texts, end-of-sentence included, and how many it can read at most. */
  count(texts: readonly string[], policy?: string): Promise<{ tokens: number[]; most: number }> {
    return this.#inTurn(async (run) => {
      const { codec, config } = await run.policy(onePolicy(run.manifest, policy));
      return { tokens: texts.map((text) => codec.source.encode(text).length), most: config.maxPositions };
    });
  }

  /** The text of each token by itself, without end-of-sentence; half a character is U+FFFD. */
  spell(tokens: readonly (readonly number[])[], policy?: string): Promise<string[][]> {
    return this.#inTurn(async (run) => {
      const { codec } = await run.policy(onePolicy(run.manifest, policy));
      return tokens.map((ids) =>
        ids.filter((id) => id !== codec.target.eosId).map((id) => codec.target.decode([id])),
      );
    });
  }

  /** One translation a source, in order: greedy or by beam search. Throws `Interrupted` where the signal says so. */
  translate(sources: readonly Source[], options: Searching = {}): Promise<Output[]> {
    return this.#ask(sources, options, async (policy, maxTokens) => {
      const { beams = 1, signal } = options;
      const found = await policy.translate(sources, { beams, maxTokens, ...(signal ? { signal } : {}) });
      return found.map((one) => [one]);
    }).then((rows) => rows.map(([one]) => one!));
  }

  /** `n` samples a source, in the order in which sources are given and samples are numbered. */
  sample(sources: readonly Source[], options: Sampling): Promise<Output[][]> {
    return this.#ask(sources, options, async (policy, maxTokens, { config }) => {
      const { n, temperature = config.grow.temperature, seed = config.seed, signal } = options;
      const { topK } = config.grow;
      const topP = options.topP ?? config.grow.topP;
      const found = new Map<number, Written[]>();
      for await (const batch of policy.sample(sources, {
        n,
        temperature,
        maxTokens,
        seed,
        // A Grow step has 1 or more: other draws than those that the policy was trained on.
        grow: 0,
        ...(topK === null ? {} : { topK }),
        ...(topP === null ? {} : { topP }),
        ...(signal ? { signal } : {}),
      }))
        for (const candidate of batch) {
          const row = found.get(candidate.sourceId) ?? [];
          found.set(candidate.sourceId, row);
          row.push(candidate);
        }
      return sources.map(({ sourceId }) => found.get(sourceId)!);
    });
  }

  /** Waits for the question that is being answered, then ends what was opened; later questions throw `Interrupted`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    try {
      await this.#run.close();
    } finally {
      await this.#thread.close();
    }
  }

  #ask(
    sources: readonly Source[],
    options: Asking,
    work: (policy: NativePolicy, maxTokens: number, run: RunContext) => Promise<Written[][]>,
  ): Promise<Output[][]> {
    return this.#inTurn(async (run) => {
      const most = run.config.grow.maxTokens;
      const reward = options.score ? await usableReward(run) : undefined;
      const policy = await run.policy(onePolicy(run.manifest, options.policy));
      const rows = await work(policy, Math.min(options.maxTokens ?? most, most), run);
      const rewards = await reward?.score(
        rows.flatMap((row, i) => row.map(({ text }) => ({ source: sources[i]!.text, candidate: text }))),
      );
      let at = 0;
      return rows.map((row) =>
        row.map(({ text, tokens, logProbs, finished }) => ({
          text,
          tokens,
          logProbs,
          finished,
          reward: rewards?.[at++] ?? null,
        })),
      );
    }, options.signal);
  }

  /** Does `work` once all that was asked before is answered, on the run as it is by then. */
  #inTurn<T>(work: (run: RunContext) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const answer = this.#last.then(async () => {
      if (this.#closed || signal?.aborted) throw new Interrupted("Stopped.");
      await this.#refresh();
      return work(this.#run);
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Reads the run again where a step has been finished or taken back. */
  async #refresh(): Promise<void> {
    const written = await writtenAt(this.dir);
    if (written === this.#known) return;
    const finished = await readFinished(this.dir);
    await this.#run.close();
    this.#run = new RunContext({
      ...finished,
      reporter: this.#reporter,
      thread: this.#thread,
      policies: this.#loaded,
    });
    this.#known = written;
  }
}

type Written = Omit<Output, "reward">;

async function usableReward(run: RunContext): Promise<Reward> {
  const reward = await runReward(run);
  if (!reward.needsReference) return reward;
  throw new UserError(
    `outputs cannot be scored or chosen by the run's reward: ${reward.name} compares with a human translation, which ` +
      "these sources do not have. Translate greedily or by beam search, or use a run whose reward is learned.",
    { file: run.folder.root },
  );
}

/** When the run's manifest was last replaced; 0: it has none. */
async function writtenAt(dir: string): Promise<number> {
  return stat(runFolder(dir).manifest).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
