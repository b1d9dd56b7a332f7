/** Coppice as a library. */

// Pairs.
export type { Pair } from "./data/pair.js";
export { type PairSpec, type ReadPairsOptions, readPairs, streamPairs } from "./data/read.js";
export { type ToyOptions, toyPairs } from "./data/toy.js";
export { writePairs } from "./data/write.js";
export { Interrupted, UserError } from "./errors.js";
// Metrics, equal to sacreBLEU's, and what else the report measures.
export { type BestOfN, bestOfNCurve } from "./evaluate/best-of-n.js";
export {
  type BleuOptions,
  type BleuScore,
  bleuFromStatistics,
  bleuStatistics,
  corpusBleu,
  sentenceBleu,
} from "./evaluate/bleu.js";
export { bootstrapCorpus, pairedBootstrap } from "./evaluate/bootstrap.js";
export {
  type ChrfOptions,
  chrfFromStatistics,
  chrfStatistics,
  corpusChrf,
  sentenceChrf,
} from "./evaluate/chrf.js";
// Policies.
export { NativePolicy } from "./policy/native.js";
export type {
  Example,
  Policy,
  SampledCandidate,
  SampleOptions,
  ScoredPair,
  Source,
  TrainOptions,
  TrainResult,
  Translation,
} from "./policy/policy.js";
// A run and its algorithm.
export { type Config, type ConfigInput, parseConfig, renderConfig, resolveConfig } from "./rest/config.js";
export type { RunContext } from "./rest/context.js";
export { type Algorithm, rest } from "./rest/loop.js";
export type { Reporter } from "./rest/reporter.js";
export { type RunOptions, runAll, withFinished, withRun } from "./rest/run.js";
export { runSingle, type SingleCommand, type SingleResult } from "./rest/single.js";
// Rewards.
export { type CheckOptions, checked } from "./reward/contract.js";
export { createReward, type RewardContext, type RewardOptions } from "./reward/create.js";
export { bleuReward, chrfReward } from "./reward/metric.js";
export { moduleReward } from "./reward/module.js";
export { numberReward } from "./reward/number.js";
export { placesReward } from "./reward/places.js";
export type { Reward, RewardInput } from "./reward/reward.js";
export { sumReward } from "./reward/sum.js";
// A run's policies, to be asked, and behind HTTP.
export { type Answer, type Output, RunPolicies, type Sampling, type Searching } from "./serve/policies.js";
export { type ServeOptions, type Serving, serve } from "./serve/server.js";
export { CandidateStore } from "./store/candidate-store.js";
// What a run leaves.
export { type Candidate, HUMAN_SAMPLE_ID } from "./store/candidates.js";
export { type RunFolder, runFolder } from "./store/run-folder.js";
export { ScoreCache } from "./store/score-cache.js";
export type { Interval, PolicySummary, RunSummary } from "./store/summary.js";
export { readSummaryFile } from "./store/summary-file.js";
export { Thread } from "./tensor/thread.js";
export { version } from "./version.js";
