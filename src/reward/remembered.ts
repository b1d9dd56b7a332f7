/** A reward that costs: asked in batches, several at once, and never twice for the same thing. */

import { createHash } from "node:crypto";
import { Interrupted, UserError } from "../errors.js";
import type { Asking } from "../remote/client.js";
import { ScoreCache } from "../store/score-cache.js";
import { countIssue, scoreIssue } from "./contract.js";
import type { Reward, RewardInput } from "./reward.js";

/** An input, and which of its scores is asked for, from 0: a judge is asked several times. */
export interface Question extends RewardInput {
  repetition: number;
}

export interface Answers {
  /** One a question, in order; unknown, as they come from outside. */
  readonly scores: readonly unknown[];
  /** Why there are none for the last questions. */
  readonly failure?: UserError;
}

/** Where scores come from. */
export interface ScoreSource {
  readonly name: string;
  readonly needsReference: boolean;
  /** Whatever its scores follow from besides the input; no secrets. Another identity never sees these scores. */
  readonly identity: string;
  /** Scores an input, which are averaged. */
  readonly repetitions: number;
  /** Questions of one request, at most. */
  readonly batchSize: number;
  /** Requests at the same time, at most. */
  readonly concurrency: number;
  /** Throws a UserError where no score can be had, and `Interrupted` where it was. */
  ask(questions: readonly Question[], asking: Asking): Promise<Answers>;
  /** What it said beside its scores, to stand at the end of a message; empty where it said nothing. */
  aside?(): string;
  close?(): Promise<void>;
}

export interface RememberOptions {
  /** Scores that are known, where new ones are kept; absent: each call asks anew. */
  cache?: ScoreCache;
  signal?: AbortSignal;
  /** Told the standard deviation (of a sample) among each input's scores, where there are several. */
  onSpread?: (deviations: readonly number[]) => void;
}

/**
 * The rewards of `source`: the mean of an input's scores. What is alike within a batch, or known to the cache, is not asked.
 * Each request's scores are kept as soon as they come, also when another one fails; scores outside [0, 1] are not kept.
 */
export function remembered(source: ScoreSource, options: RememberOptions = {}): Reward {
  return {
    name: source.name,
    needsReference: source.needsReference,
    async score(batch) {
      const cache = options.cache ?? ScoreCache.inMemory();
      const keys = batch.map((input) =>
        Array.from({ length: source.repetitions }, (_, repetition) => keyOf(source, input, repetition)),
      );
      const unknown = new Map<string, Question>();
      batch.forEach((input, i) => {
        for (const [repetition, key] of keys[i]!.entries())
          if (cache.get(key) === undefined) unknown.set(key, { ...seenBy(source, input), repetition });
      });
      await askAll(source, unknown, cache, options.signal);
      const scores = keys.map((all) => all.map((key) => cache.get(key)!));
      if (source.repetitions > 1) options.onSpread?.(scores.map(deviation));
      return scores.map(mean);
    },
    ...(source.close && { close: () => source.close!() }),
  };
}

async function askAll(
  source: ScoreSource,
  unknown: ReadonlyMap<string, Question>,
  cache: ScoreCache,
  interrupted: AbortSignal | undefined,
): Promise<void> {
  const open = [...unknown];
  const failed = new AbortController();
  let failure: { error: unknown } | undefined;
  let next = 0;
  const worker = async () => {
    while (next < open.length && !failure) {
      const start = next;
      next += source.batchSize;
      try {
        if (interrupted?.aborted) throw new Interrupted();
        await askOnce(source, open.slice(start, next), cache, {
          givingUp: failed.signal,
          ...(interrupted && { interrupted }),
        });
      } catch (error) {
        failure ??= { error };
        failed.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: source.concurrency }, worker));
  // A server may well go down with the same Ctrl-C: that is no failure of its own.
  if (interrupted?.aborted) throw new Interrupted();
  if (failure) throw failure.error;
}

async function askOnce(
  source: ScoreSource,
  part: readonly (readonly [key: string, question: Question])[],
  cache: ScoreCache,
  asking: Asking,
): Promise<void> {
  const questions = part.map(([, question]) => question);
  const { scores, failure } = await source.ask(questions, asking);
  const aside = () => source.aside?.() ?? "";
  if (!failure && scores.length !== part.length)
    throw new UserError(countIssue(source.name, questions, scores.length) + aside());
  const good: [string, number][] = [];
  let issue: string | undefined;
  for (const [i, [key, question]] of part.slice(0, scores.length).entries()) {
    const score = scores[i];
    const wrong = scoreIssue(source.name, score, question);
    if (wrong === undefined && typeof score === "number") good.push([key, score]);
    issue ??= wrong;
  }
  await cache.add(good);
  if (issue !== undefined) throw new UserError(issue + aside());
  if (failure) throw failure;
}

/** The input without the reference that the source is not to see. */
function seenBy({ needsReference }: ScoreSource, { source, candidate, reference }: RewardInput): RewardInput {
  return { source, candidate, ...(needsReference && reference !== undefined && { reference }) };
}

/** 132 bits of a hash: 2^66 scores before two are likely to meet. */
function keyOf(source: ScoreSource, input: RewardInput, repetition: number): string {
  const { source: text, candidate, reference = null } = seenBy(source, input);
  const content = JSON.stringify([source.identity, text, candidate, reference, repetition]);
  return createHash("sha256").update(content).digest("base64url").slice(0, 22);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
