/** Grow: sample candidates for every source from the latest policy, add D, score each pair once. */

import { rm } from "node:fs/promises";
import type { Pair } from "../../data/pair.js";
import { Interrupted } from "../../errors.js";
import { exists } from "../../exists.js";
import type { SampledCandidate } from "../../policy/policy.js";
import { plural } from "../../report/format.js";
import { PenalisedReward } from "../../reward/penalty.js";
import type { Reward, RewardInput } from "../../reward/reward.js";
import { CandidateStore } from "../../store/candidate-store.js";
import {
  type Candidate,
  CandidateWriter,
  humanCandidate,
  mergeParts,
  partPath,
  type Scored,
  withRewards,
} from "../../store/candidates.js";
import { deriveKey, permutation } from "../../tensor/random.js";
import type { RunContext } from "../context.js";
import { dependenciesOf } from "../dependencies.js";
import { stepNames, streams } from "../names.js";
import { loadPrepared } from "./prepare.js";
import { growReward, scoringStep, takeJudgeSpread } from "./reward.js";
import { isIn, type Shard, type SharedOptions, SharedParts } from "./shared-parts.js";

/** Sources of one part file: what a kill can cost at most. */
const SOURCES_A_PART = 500;
/** Candidates handed to the reward at once; whole sources, so that a learned reward encodes each once. */
const SCORED_AT_ONCE = 4096;

export interface GrowResult {
  [key: string]: number;
  sources: number;
  /** Candidates sampled from the policy. */
  samples: number;
}

export interface ScoreResult {
  [key: string]: number;
  rewardCalls: number;
  meanReward: number;
  maxReward: number;
}

/** Samples N candidates a source from `policy` and writes them, with the human pairs, unscored. */
export async function sampleCandidates(
  run: RunContext,
  policyName: string,
  grow: number,
  sourcesAPart = SOURCES_A_PART,
): Promise<void> {
  await run.step(stepNames.grow(grow), { dependsOn: dependenciesOf(stepNames.grow(grow)) }, async () => {
    const parts = await partsOf(run, grow, sourcesAPart);
    // Merged already where a process was killed right after that.
    if (!(await exists(run.folder.candidates(grow))))
      await withStore(run, run.config.grow.store, { grow, policy: policyName, parts }, async (shared) => {
        await sayWhatIsThere(run, grow, parts, shared);
        await sampleParts(run, policyName, grow, parts, shared, (path) => shared?.take(path));
      });
    await mergeParts(run.folder.grow(grow), { runId: run.manifest.runId });
    const sources = parts.reduce((sum, { ids }) => sum + ids.length, 0);
    const result: GrowResult = { sources, samples: sources * run.config.grow.samples };
    return { result, metrics: { grow, policy: policyName, ...result } };
  });
}

/** How far a shard's part of a Grow step is. */
export interface ShardResult {
  /** Candidates of the shard, those written before included. */
  samples: number;
  /** Files of the shard. */
  parts: number;
  /** Files of the whole Grow step, and those that no shard has written yet. */
  allParts: number;
  missing: number;
}

export interface ShardOptions {
  /** Where the parts go for others, as `grow.store`; null: they share the run folder. */
  store?: string | null;
  sourcesAPart?: number;
}

/**
 * Writes the part files of one shard, which are the same bytes whoever writes them; files that are there, or in the store,
 * stay. Changes nothing else of the run, so that shards may run beside each other.
 */
export async function sampleShard(
  run: RunContext,
  policyName: string,
  grow: number,
  shard: Shard,
  { store = null, sourcesAPart = SOURCES_A_PART }: ShardOptions = {},
): Promise<ShardResult> {
  const all = await partsOf(run, grow, sourcesAPart);
  const own = all.filter((_, at) => isIn(shard, at));
  return withStore(run, store, { grow, policy: policyName, parts: all, shard }, async (shared) => {
    await sampleParts(run, policyName, grow, own, shared);
    await shared?.refresh();
    const there = await Promise.all(all.map(({ path }) => shared?.has(path) ?? exists(path)));
    return {
      samples: own.reduce((sum, { ids }) => sum + ids.length, 0) * run.config.grow.samples,
      parts: own.length,
      allParts: all.length,
      missing: there.filter((written) => !written).length,
    };
  });
}

/** Sources that are sampled together, and the file that holds their candidates. */
interface GrowPart {
  ids: number[];
  path: string;
}

async function partsOf(run: RunContext, grow: number, sourcesAPart: number): Promise<GrowPart[]> {
  const { train } = await loadPrepared(run);
  const ids = chosenSources(run, train.length);
  const parts: GrowPart[] = [];
  for (let start = 0; start < ids.length; start += sourcesAPart) {
    const part = ids.slice(start, start + sourcesAPart);
    parts.push({ ids: part, path: partPath(run.folder.grow(grow), part[0]!, part.at(-1)!) });
  }
  return parts;
}

/** Does `work` with the store at `location` open, or without one. */
async function withStore<T>(
  run: RunContext,
  location: string | null,
  { parts, ...options }: Omit<SharedOptions, "location" | "paths"> & { parts: readonly GrowPart[] },
  work: (shared: SharedParts | undefined) => Promise<T>,
): Promise<T> {
  if (location === null) return work(undefined);
  const paths = parts.map(({ path }) => path);
  const shared = await SharedParts.open(run, { location, paths, ...options });
  try {
    return await work(shared);
  } finally {
    shared.close();
  }
}

/** What whoever puts a Grow step together finds in the store, and what is left to sample. */
async function sayWhatIsThere(
  run: RunContext,
  grow: number,
  parts: readonly GrowPart[],
  shared: SharedParts | undefined,
): Promise<void> {
  if (!shared) return;
  const { parts: missing, shards } = shared.missing();
  const here = (await Promise.all(parts.map(({ path }) => exists(path)))).filter((there) => there).length;
  run.reporter.note(
    `Grow ${grow}: the store has ${parts.length - missing} of ${plural(parts.length, "file")}` +
      (here > 0 ? `, this folder ${here}` : "") +
      (missing > 0
        ? `; missing there: ${plural(missing, "file")}${shards.length > 0 ? ` of share ${shards.join(", ")}` : ""}. ` +
          "What neither has is sampled here, unless it comes meanwhile."
        : "."),
  );
}

/**
 * Writes what is not there of `parts`, and puts it into the store where there is one. What the store has is left to `take`, which
 * is absent where only others need it.
 */
async function sampleParts(
  run: RunContext,
  policyName: string,
  grow: number,
  parts: readonly GrowPart[],
  shared?: SharedParts,
  take?: (path: string) => Promise<void> | undefined,
): Promise<void> {
  const { config } = run;
  const sources = parts.reduce((sum, { ids }) => sum + ids.length, 0);
  const progress = run.reporter.progress(`Grow ${grow}`, sources * config.grow.samples, "candidates");
  let done = 0;
  let warned = false;
  for (const part of parts) {
    if (!(await exists(part.path))) {
      // Others may have brought it since.
      if (shared && !shared.has(part.path)) await shared.refresh();
      if (run.signal?.aborted) throw new Interrupted();
      if (shared?.has(part.path)) await take?.(part.path);
      else {
        const sampled = await samplePart(
          run,
          policyName,
          { ...part, grow, origin: shared?.origin },
          (count) => progress.update(done + count),
        );
        if (!warned && config.grow.samples > 1 && onePerSource(sampled)) {
          warned = true;
          noteNothingToChoose(run, grow);
        }
      }
    }
    if (await exists(part.path)) await shared?.give(part.path);
    done += part.ids.length * config.grow.samples;
    progress.update(done);
  }
  progress.finish();
}

async function samplePart(
  run: RunContext,
  policyName: string,
  { ids, path, grow, origin }: GrowPart & { grow: number; origin: string | undefined },
  progress: (count: number) => void,
): Promise<SampledCandidate[]> {
  const { config } = run;
  const { train } = await loadPrepared(run);
  // Only now: a policy behind a server is started for it.
  const policy = await run.policy(policyName);
  const texts = ids.map((id) => ({ sourceId: id, text: train[id]!.source }));
  const sampled: SampledCandidate[] = [];
  const stateFile = `${path}.answers.jsonl`;
  for await (const batch of policy.sample(texts, {
    n: config.grow.samples,
    temperature: config.grow.temperature,
    maxTokens: config.grow.maxTokens,
    seed: config.seed,
    grow,
    stateFile,
    ...(config.grow.topK === null ? {} : { topK: config.grow.topK }),
    ...(config.grow.topP === null ? {} : { topP: config.grow.topP }),
    ...(run.signal ? { signal: run.signal } : {}),
  })) {
    sampled.push(...batch);
    progress(sampled.length);
  }
  const writer = await CandidateWriter.open(path, {
    runId: run.manifest.runId,
    ...(origin !== undefined && { origin }),
  });
  await writePart(writer, sampled, ids, train, grow);
  await rm(stateFile, { force: true });
  return sampled;
}

/** A server that does not draw costs a Grow step for nothing. */
function noteNothingToChoose({ config, reporter }: RunContext, grow: number): void {
  const { samples, temperature } = config.grow;
  const asked =
    config.policy.kind === "server"
      ? " Does the server draw? Transformers' wants do_sample in the model's generation_config.json."
      : "";
  reporter.note(
    `Grow ${grow}: the ${samples} samples of each source are one and the same text at temperature ${temperature}, so that there is nothing to choose from.${asked}`,
  );
}

/** Whether no source has two different texts. */
function onePerSource(sampled: readonly SampledCandidate[]): boolean {
  const texts = new Map<number, string>();
  return sampled.every(({ sourceId, text }) => {
    const first = texts.get(sourceId) ?? text;
    texts.set(sourceId, first);
    return first === text;
  });
}

/** Scores every candidate of a Grow step once with the run's reward, and stores the rewards beside them. */
export async function scoreCandidates(run: RunContext, grow: number): Promise<void> {
  const file = `grow-${grow}/candidates.parquet`;
  await run.step(
    stepNames.score(grow),
    { dependsOn: dependenciesOf(stepNames.score(grow)), outputs: [file] },
    async () => {
      const reward = await growReward(run, grow);
      const { train } = await loadPrepared(run);
      const folder = run.folder.grow(grow);
      const runId = run.manifest.runId;
      const store = await CandidateStore.open(folder, { runId });
      const total = await store.count();
      const progress = run.reporter.progress(`Score ${grow}`, total, "candidates");
      const tally = penaltyTally(reward);
      takeJudgeSpread(run);
      let calls = 0;
      async function* scored(): AsyncGenerator<Scored[]> {
        let waiting: Candidate[] = [];
        const flush = async (): Promise<Scored[]> => {
          const rewards = await tally.score(waiting.map((candidate) => inputOf(candidate, train)));
          calls += waiting.length;
          progress.update(calls);
          const rows = waiting.map(({ sourceId, sampleId }, i) => ({
            sourceId,
            sampleId,
            reward: rewards[i]!,
          }));
          waiting = [];
          return rows;
        };
        for await (const rows of store.rows()) {
          for (const row of rows) {
            if (waiting.length >= SCORED_AT_ONCE && row.sourceId !== waiting.at(-1)!.sourceId)
              yield await flush();
            waiting.push(row);
          }
          if (run.signal?.aborted) throw new Interrupted();
        }
        if (waiting.length > 0) yield await flush();
      }
      try {
        await withRewards(folder, scored(), { runId });
      } finally {
        store.close();
      }
      progress.finish();
      const rescored = await CandidateStore.open(folder, { runId });
      const stats = await rescored.stats();
      rescored.close();
      const result: ScoreResult = {
        rewardCalls: calls,
        meanReward: stats.meanReward,
        maxReward: stats.maxReward,
        ...tally.figures(),
      };
      const spread = takeJudgeSpread(run);
      if (spread) result.judgeSpread = spread.sum / spread.candidates;
      run.reporter.note(
        `Grow ${grow}: ${plural(stats.candidates, "candidate")} of ${plural(stats.sources, "source")}, mean reward ` +
          `${(100 * stats.meanReward).toFixed(1)}, highest ${(100 * stats.maxReward).toFixed(1)}, ` +
          `${(100 * stats.unfinishedShare).toFixed(1)} % unfinished.`,
      );
      const { meanPenalty, penalisedShare } = result;
      if (meanPenalty !== undefined && penalisedShare !== undefined)
        run.reporter.note(
          `Grow ${grow}: penalties took ${(100 * meanPenalty).toFixed(1)} points of the mean reward, from ` +
            `${(100 * penalisedShare).toFixed(1)} % of the candidates.`,
        );
      if (result.judgeSpread !== undefined)
        run.reporter.note(
          `Grow ${grow}: the judge's scores of one candidate lie ${(100 * result.judgeSpread).toFixed(1)} points apart ` +
            "(standard deviation, mean over candidates).",
        );
      return { result, metrics: { grow, scoredBy: scoringStep(run, grow), ...result, ...figures(stats) } };
    },
  );
}

/** Scores by `reward` and, where it is penalised, keeps count of what the penalties took. */
function penaltyTally(reward: Reward) {
  let scored = 0;
  let penalised = 0;
  let raw = 0;
  let lost = 0;
  return {
    async score(batch: readonly RewardInput[]): Promise<number[]> {
      if (!(reward instanceof PenalisedReward)) return reward.score(batch);
      const scores = await reward.scorePenalised(batch);
      scores.raw.forEach((value, i) => {
        scored++;
        raw += value;
        lost += value - scores.total[i]!;
        if (scores.factors[i]! < 1) penalised++;
      });
      return scores.total;
    },
    /** Mean reward before the penalties, the mean that they took, and the share of candidates that have one. */
    figures: (): Record<string, number> =>
      scored === 0
        ? {}
        : { meanRawReward: raw / scored, meanPenalty: lost / scored, penalisedShare: penalised / scored },
  };
}

/** The sources that Grow samples for: all of D, or as many as asked for, chosen by the seed. */
export function chosenSources(run: RunContext, available: number): number[] {
  const most = run.config.grow.maxSources ?? available;
  if (most >= available) return Array.from({ length: available }, (_, i) => i);
  const order = permutation(deriveKey(run.seed(streams.sources)), available);
  return Array.from(order.subarray(0, most)).sort((a, b) => a - b);
}

async function writePart(
  writer: CandidateWriter,
  sampled: readonly SampledCandidate[],
  ids: readonly number[],
  train: readonly Pair[],
  grow: number,
): Promise<void> {
  try {
    writer.append(
      sampled.map((candidate) => ({
        ...candidate,
        grow,
        source: train[candidate.sourceId]!.source,
        reward: null,
        origin: "policy" as const,
      })),
    );
    writer.append(ids.map((id) => humanCandidate(grow, id, train[id]!)));
  } catch (error) {
    writer.abort();
    throw error;
  }
  await writer.finish();
}

function inputOf(candidate: Candidate, train: readonly Pair[]): RewardInput {
  return {
    source: candidate.source,
    candidate: candidate.text,
    reference: train[candidate.sourceId]!.target,
  };
}

/** The numbers among `stats`. */
function figures(stats: object): Record<string, number> {
  return Object.fromEntries(Object.entries(stats).filter(([, value]) => typeof value === "number"));
}
