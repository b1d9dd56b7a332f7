/** What the learned reward is taught with: candidates of known quality, made once and kept in a file. */

import { readFile } from "node:fs/promises";
import type { Pair } from "../../data/pair.js";
import { splitPairs } from "../../data/split.js";
import type { BleuTokenizer } from "../../evaluate/tokenize/tokenizers.js";
import type { Policy } from "../../policy/policy.js";
import { writeFileAtomic } from "../../store/atomic.js";
import { deriveKey } from "../../tensor/random.js";
import { damagedPairs } from "../damage.js";
import { bleuReward, chrfReward } from "../metric.js";
import type { Reward } from "../reward.js";
import { sumReward } from "../sum.js";

/** The metric against the human translation that a learned reward predicts: a weighted mean. */
export interface TargetMetric {
  readonly chrf: number;
  readonly bleu: number;
  /** Tokenizer of BLEU; 13a where absent. */
  readonly tokenize?: BleuTokenizer | undefined;
}

/** What decides the lessons. */
export interface LessonOptions {
  readonly target: TargetMetric;
  /** The policy's own samples of a source. */
  readonly samplesPerSource: number;
  /** Temperatures that they are drawn at, in turn. */
  readonly temperatures: readonly number[];
  /** Tokens at which a sample is cut. */
  readonly maxTokens: number;
  /** Share of a source's lessons that are damaged references, in [0, 1). */
  readonly damaged: number;
  /** Share of the pairs that are never trained on, in (0, 1): half for early stopping, half for the figures. */
  readonly heldOut: number;
}

/** Which use a pair's lessons have. */
export type Part = "train" | "validation" | "test";

export interface Lesson {
  /** The pair's place in the corpus. */
  readonly pair: number;
  readonly part: Part;
  readonly origin: "sample" | "reference" | "damaged";
  readonly candidate: string;
  /** The target metric, in [0, 1]. */
  readonly quality: number;
  /** Of a sample: the policy's mean log-probability a token, in nats. */
  readonly logProb?: number;
}

export interface LessonRequest {
  readonly policy: Policy;
  readonly pairs: readonly Pair[];
  readonly options: LessonOptions;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** The reward that a target metric is. */
export function targetReward({ chrf, bleu, tokenize }: TargetMetric): Reward {
  const parts = [
    { reward: chrfReward(), weight: chrf },
    { reward: bleuReward(tokenize ? { tokenize } : {}), weight: bleu },
  ];
  return sumReward(parts.filter(({ weight }) => weight > 0));
}

/**
 * The lessons kept in `file`, or new ones, which are then kept there. What they depend on must be part of the file's name:
 * it is not checked.
 *
 * @throws UserError where there are too few pairs to hold some out.
 */
export async function keptLessons(file: string, request: LessonRequest): Promise<Lesson[]> {
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined)
    // Written by this module, and whole.
    return kept
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Lesson);
  const lessons = await makeLessons(request);
  await writeFileAtomic(file, lessons.map((lesson) => `${JSON.stringify(lesson)}\n`).join(""));
  return lessons;
}

/** Samples, references and damaged references of every pair, pair by pair. */
async function makeLessons(request: LessonRequest): Promise<Lesson[]> {
  const { pairs, options, seed } = request;
  const parts = partition(pairs, options.heldOut, seed);
  const drafts = [
    ...(await sampled(request)),
    ...pairs.map((pair, i) => ({ pair: i, origin: "reference" as const, candidate: pair.target })),
    ...damaged(pairs, parts, options, seed),
  ];
  const qualities = await targetReward(options.target).score(
    drafts.map(({ pair, candidate }) => ({
      source: pairs[pair]!.source,
      candidate,
      reference: pairs[pair]!.target,
    })),
  );
  return drafts
    .map((draft, i) => ({ ...draft, part: parts[draft.pair]!, quality: qualities[i]! }))
    .sort((a, b) => a.pair - b.pair);
}

/** The part of each pair; no sentence of one part, on either side, stands in another. */
function partition(pairs: readonly Pair[], heldOut: number, seed: number): Part[] {
  const places = new Map(pairs.map((pair, i) => [{ ...pair }, i]));
  const half = Math.max(1, Math.round((heldOut * pairs.length) / 2));
  const split = splitPairs([...places.keys()], { validation: half, test: half, reward: 0, seed });
  const parts: Part[] = new Array(pairs.length);
  for (const part of ["train", "validation", "test"] as const)
    for (const pair of split[part]) parts[places.get(pair)!] = part;
  return parts;
}

type Draft = Omit<Lesson, "part" | "quality">;

async function sampled({
  policy,
  pairs,
  options,
  seed,
  signal,
  onProgress,
}: LessonRequest): Promise<Draft[]> {
  const { samplesPerSource, temperatures, maxTokens } = options;
  const sources = pairs.map((pair, i) => ({ sourceId: i, text: pair.source }));
  const found: (Draft & { order: number })[] = [];
  for (const [t, temperature] of temperatures.entries()) {
    const n = Math.ceil((samplesPerSource - t) / temperatures.length);
    if (n <= 0) break;
    // A key of its own for each temperature: the same draws twice would give nearly the same samples.
    const [key] = deriveKey(seed, 0x6c657373, t);
    const stream = policy.sample(sources, {
      n,
      temperature,
      maxTokens,
      seed: key,
      grow: 0,
      ...(signal ? { signal } : {}),
    });
    for await (const candidates of stream) {
      for (const { sourceId, sampleId, text, logProbs } of candidates)
        found.push({
          pair: sourceId,
          origin: "sample",
          candidate: text,
          logProb: logProbs.reduce((sum, logProb) => sum + logProb, 0) / logProbs.length,
          order: t + sampleId * temperatures.length,
        });
      onProgress?.(found.length, pairs.length * samplesPerSource);
    }
  }
  // Sources end in an order of their own.
  return found.sort((a, b) => a.pair - b.pair || a.order - b.order).map(({ order: _, ...draft }) => draft);
}

function damaged(
  pairs: readonly Pair[],
  parts: readonly Part[],
  options: LessonOptions,
  seed: number,
): Draft[] {
  if (options.damaged === 0) return [];
  // `damaged` of all lessons of a source, its samples and its reference being the others.
  const others = options.samplesPerSource + 1;
  const perPair = Math.max(1, Math.round((others * options.damaged) / (1 - options.damaged)));
  const drafts: Draft[] = [];
  for (const [p, part] of (["train", "validation", "test"] as const).entries()) {
    // Each part on its own, since a damage may bring in another pair's translation.
    const places = new Map<string, number>();
    const members = pairs.filter((pair, i) => {
      if (parts[i] !== part) return false;
      places.set(JSON.stringify([pair.source, pair.target]), i);
      return true;
    });
    for (const { source, reference, candidate } of damagedPairs(members, deriveKey(seed, 0x64616d, p), {
      perPair,
    }))
      drafts.push({ pair: places.get(JSON.stringify([source, reference]))!, origin: "damaged", candidate });
  }
  return drafts;
}
