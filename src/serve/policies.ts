/** The policies of a run, to be asked: each loaded when it is first named, with the run's reward beside them. */

import { stat } from "node:fs/promises";
import { Interrupted, UserError } from "../errors.js";
import { NativePolicy } from "../policy/native.js";
import type { Source } from "../policy/policy.js";
import type { Config } from "../rest/config.js";
import { RunContext } from "../rest/context.js";
import { LoadedPolicies } from "../rest/loaded-policies.js";
import { onePolicy, policiesOf } from "../rest/policies.js";
import { type Reporter, silent } from "../rest/reporter.js";
import { rerankedScores, storedRerank } from "../rest/rerank.js";
import { readFinished } from "../rest/run.js";
import { runReward } from "../rest/steps/reward.js";
import type { Reward } from "../reward/reward.js";
import type { Manifest } from "../store/manifest.js";
import { runFolder } from "../store/run-folder.js";
import { Thread } from "../tensor/thread.js";
import type { Tokenizer } from "../text/tokenizer.js";

/** Policies that stay loaded. */
const LOADED = 4;

/** What a policy wrote. */
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
  /** By the tuned sum of scores (any number, higher is better), which then counts in place of the reward. */
  rank?: number;
}

/** What a policy wrote for one source. */
export interface Answer {
  /** One, or in the order in which they were drawn; none where the source's signal was aborted. */
  outputs: Output[];
  /** Of the source, end-of-sentence included. */
  sourceTokens: number;
  /** The source has more tokens than the policy can read: it has seen the first ones only. */
  sourceCut: boolean;
  /** The text of each token of an output, end-of-sentence left out, and where it begins in the output's text. */
  pieces(output: Output): Piece[];
}

export interface Piece {
  /** With its space in front; U+FFFD for a part of a character. */
  text: string;
  /** In UTF-16 units. */
  at: number;
}

interface Asking {
  /** The policy's name; absent: the last of the main line. */
  policy?: string | undefined;
  /** Tokens that an output may have, end-of-sentence included; absent, and at most: the run's `grow.maxTokens`. */
  maxTokens?: number | undefined;
  /** Score the outputs by the run's reward (see `whyUnscored`). Default: no. */
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
  /** With `score`: put outputs in order by the sum whose weights the policy's evaluation has tuned. Default: no. */
  rerank?: boolean | undefined;
  /** Of draws whose source names none; absent: the run's seed. */
  seed?: number | undefined;
}

/**
 * Reads a run's folder and never writes there, beside a process that works in it if need be: policies and rewards that it
 * finishes or trains again meanwhile are there at the next question.
 *
 * Questions are answered one after another, in the order in which they come. They throw a UserError for a policy that
 * the run does not have, and `Interrupted` where their signal is aborted.
 *
 * @example
 * const policies = await RunPolicies.open({ dir: "runs/demo" });
 * const [answer] = await policies.sample([{ sourceId: 0, text: "Guten Tag." }], { n: 8, score: true });
 */
export class RunPolicies {
  readonly dir: string;
  readonly #thread = new Thread();
  readonly #loaded = new LoadedPolicies((folder: string) => NativePolicy.load(this.#thread, folder), LOADED);
  readonly #reporter: Reporter;
  #known: Known;
  #run: RunContext;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(dir: string, known: Known, reporter: Reporter) {
    this.dir = dir;
    this.#known = known;
    this.#reporter = reporter;
    this.#run = this.#open(known);
  }

  /** Throws a UserError where the folder holds no run, or nothing of it is finished. */
  static async open(options: { dir: string; reporter?: Reporter }): Promise<RunPolicies> {
    const { dir, reporter = silent } = options;
    return new RunPolicies(dir, await know(dir), reporter);
  }

  /** The run's configuration. */
  async config(): Promise<Config> {
    return (await this.#refresh()).config;
  }

  /** The policies that are trained, in that order, controls among them. */
  async list(): Promise<{ name: string; trainedAt: Date }[]> {
    const { manifest } = await this.#refresh();
    return policiesOf(manifest).map((name) => ({
      name,
      trainedAt: new Date(manifest.step(name)!.time.finishedAt),
    }));
  }

  /** `asked`, or the last policy of the main line. Throws a UserError where the run does not have it. */
  async name(asked?: string): Promise<string> {
    return onePolicy((await this.#refresh()).manifest, asked);
  }

  /** Why outputs cannot be scored, in one sentence; undefined where they can, and then the reward is loaded. */
  whyUnscored(): Promise<string | undefined> {
    return this.#inTurn(async (run) => {
      try {
        await usableReward(run);
        return undefined;
      } catch (error) {
        if (error instanceof UserError) return error.message;
        throw error;
      }
    });
  }

  /** One translation a source, in order: greedy or by beam search. */
  translate(sources: readonly Source[], options: Searching = {}): Promise<Answer[]> {
    return this.#ask(sources, options, (policy, maxTokens) => {
      const { beams = 1, signal } = options;
      return policy.translate(sources, { beams, maxTokens, ...(signal ? { signal } : {}) });
    });
  }

  /** `n` samples a source, sources in order. */
  sample(sources: readonly Source[], options: Sampling): Promise<Answer[]> {
    return this.#ask(sources, options, async (policy, maxTokens, { seed, grow }) => {
      const { n, temperature = grow.temperature, signal } = options;
      const topP = options.topP ?? grow.topP;
      const written: Written[] = [];
      for await (const batch of policy.sample(sources, {
        n,
        temperature,
        maxTokens,
        seed: options.seed ?? seed,
        // A Grow step has 1 or more: other draws than those that the policy was trained on.
        grow: 0,
        ...(grow.topK === null ? {} : { topK: grow.topK }),
        ...(topP === null ? {} : { topP }),
        ...(signal ? { signal } : {}),
      }))
        written.push(...batch);
      return written;
    });
  }

  /** Waits for the question that is being answered, then ends what was opened; those that wait throw `Interrupted`. */
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

  /** Why a policy's outputs cannot be put in order by a tuned sum, in one sentence; undefined where they can. */
  whyUnranked(policy: string): Promise<string | undefined> {
    return this.#inTurn(async (run) => {
      try {
        await storedRerank(run, policy);
        return undefined;
      } catch (error) {
        if (error instanceof UserError) return error.message;
        throw error;
      }
    });
  }

  #ask(
    sources: readonly Source[],
    options: Asking & Pick<Sampling, "rerank">,
    write: (policy: NativePolicy, maxTokens: number, config: Config) => Promise<readonly Written[]>,
  ): Promise<Answer[]> {
    return this.#inTurn(async (run) => {
      const most = run.config.grow.maxTokens;
      const reward = options.score ? await usableReward(run) : undefined;
      const name = onePolicy(run.manifest, options.policy);
      const weights = options.rerank && reward ? await storedRerank(run, name) : undefined;
      const policy = await run.nativePolicy(name);
      const written = await write(policy, Math.min(options.maxTokens ?? most, most), run.config);
      const texts = new Map(sources.map(({ sourceId, text }) => [sourceId, text]));
      const samples = written.map(({ sourceId, text, logProbs }) => ({
        source: texts.get(sourceId)!,
        candidate: text,
        logProbs,
      }));
      const reranked = weights && reward ? await rerankedScores(reward, samples, weights) : undefined;
      const rewards = reranked?.rewards ?? (await reward?.score(samples));
      const outputs = new Map(sources.map(({ sourceId }) => [sourceId, [] as Output[]]));
      written.forEach(({ sourceId, text, tokens, logProbs, finished }, i) => {
        outputs.get(sourceId)!.push({
          text,
          tokens,
          logProbs,
          finished,
          reward: rewards?.[i] ?? null,
          ...(reranked && { rank: reranked.ranks[i]! }),
        });
      });
      const { codec, config } = policy;
      return sources.map(({ sourceId, text }) => {
        const sourceTokens = codec.source.encode(text).length;
        return {
          outputs: outputs.get(sourceId)!,
          sourceTokens,
          sourceCut: sourceTokens > config.maxPositions,
          pieces: (output) => piecesOf(codec.target, output),
        };
      });
    }, options.signal);
  }

  /** Does `work` once all that was asked before is answered, on the run as it is by then. */
  #inTurn<T>(work: (run: RunContext) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const answer = this.#last.then(async () => {
      if (this.#closed || signal?.aborted) throw new Interrupted("Stopped.");
      const known = await this.#refresh();
      if (known.manifest !== this.#run.manifest) {
        await this.#run.close();
        this.#run = this.#open(known);
      }
      return work(this.#run);
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  #open({ config, folder, manifest }: Known): RunContext {
    return new RunContext({
      config,
      folder,
      manifest,
      reporter: this.#reporter,
      thread: this.#thread,
      policies: this.#loaded,
    });
  }

  /** Reads the manifest again where a step has been finished or taken back. */
  async #refresh(): Promise<Known> {
    if ((await writtenAt(this.dir)) !== this.#known.writtenAt) this.#known = await know(this.dir);
    return this.#known;
  }
}

/** A candidate, or a translation. */
type Written = Omit<Output, "reward" | "rank"> & { sourceId: number };

interface Known {
  readonly config: Config;
  readonly folder: ReturnType<typeof runFolder>;
  readonly manifest: Manifest;
  readonly writtenAt: number;
}

async function know(dir: string): Promise<Known> {
  // Asked first: a manifest that is replaced meanwhile is read again at the next question.
  const written = await writtenAt(dir);
  return { ...(await readFinished(dir)), writtenAt: written };
}

/** When the run's manifest was last replaced; 0: it has none. */
function writtenAt(dir: string): Promise<number> {
  return stat(runFolder(dir).manifest).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

function piecesOf({ decode }: Tokenizer, { tokens, finished }: Output): Piece[] {
  return tokens.slice(0, finished ? -1 : undefined).map((token, i) => {
    const alone = decode([token]);
    // A text's first space is left out in decoding: behind another token it shows.
    const text = i === 0 ? alone : decode([token, token]).slice(alone.length);
    return { text, at: decode(tokens.slice(0, i)).length };
  });
}

async function usableReward(run: RunContext): Promise<Reward> {
  const reward = await runReward(run);
  if (!reward.needsReference) return reward;
  throw new UserError(
    `outputs cannot be chosen by the run's reward: ${reward.name} compares with a human translation, which these ` +
      "sources do not have. Translate greedily or by beam search, or use a run whose reward is learned.",
    { file: run.manifest.folder },
  );
}
