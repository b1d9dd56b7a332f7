/** The figures of a run as `summary.json` holds them: what the report, `evaluate --json` and `status` print. */

import type { Machine } from "./machine.js";

/** A figure with its 95 % bootstrap interval. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** One policy, evaluated on sources never trained on. Rewards are in [0, 1] here; tables print 0 to 100. */
export interface PolicySummary {
  /** `BC`, `G1I0`, `G1I1`, … as in the paper; a control has its suffix: `G1I3-random`. */
  name: string;
  grow: number;
  improve: number;
  /** True for the policy trained on as many candidates chosen at random. */
  control: boolean;
  /** Mean reward of samples at the evaluation temperature. */
  reward: Interval;
  /** Mean reward of the translations, greedy or by beam search, that BLEU and chrF are computed on. */
  greedyReward: number;
  bleu: Interval;
  chrf: Interval;
  /** What `evaluate.judge` says of the same translations; absent where the configuration names none. */
  judge?: Judged;
  /** Evaluated sources. */
  n: number;
  /**
   * KL(policy ‖ BC) a sequence at temperature 1, in nats: exact at each prefix, the prefixes sampled from the policy. null,
   * as are entropy and losses, for a policy that tells no log-probabilities.
   */
  klFromBc: number | null;
  diversity: {
    distinct1: number;
    distinct2: number;
    selfBleu: number;
    uniqueShare: number;
    entropy: number | null;
  };
  /** How often answers are right; absent where evaluate.answers is none. */
  answers?: AnswerFigures;
  /** Mean candidate length over mean reference length, in characters. */
  lengthRatio: number;
  /** Share of words that repeat the word or word pair just before. */
  repetitionRate: number;
  /** Share of samples at least half of whose words occur in their source (Ott et al. 2018). */
  copyRate: number;
  unfinishedShare: number;
  /** Mean negative log-likelihood a token, in nats, of human translations: a rise is what the policy has forgotten. */
  lossOnTrain: number | null;
  /** The same of pairs of another domain; null where the configuration names none. */
  lossOutOfDomain: number | null;
  /** Candidates sampled and reward calls made by Grow up to this policy. */
  samplesDrawn: number;
  rewardCalls: number;
  /** Beside those: samples drawn, and scored once each, to choose checkpoints of Improve; absent where not counted. */
  validationSamples?: number;
  /** And samples drawn to teach the learned reward, scored by its target metric. */
  lessonSamples?: number;
  /** Seconds of work up to this policy. */
  seconds: number;
}

/** What a server was asked for policies, evaluation included. */
export interface AskedSummary {
  requests: number;
  /** As the server counts them. */
  tokensIn: number;
  tokensOut: number;
  /** At the configured prices, in their currency. */
  money: number;
}

/** Shares of the evaluated sources, from 0 to 1. */
export interface AnswerFigures {
  /** The translation that BLEU and chrF see is right. */
  exact: Interval;
  /** By the number of samples k, unbiased: one of them is right; and what most of them say is. */
  attempts: { k: number; pass: Interval; majority: Interval }[];
}

/** A published metric's mean over translations, on the scale of rewards, 0 to 1. */
export interface Judged {
  name: string;
  mean: Interval;
}

/** What led to a policy, evaluation not counted. */
export type PolicyCosts = Pick<
  PolicySummary,
  "samplesDrawn" | "rewardCalls" | "validationSamples" | "lessonSamples" | "seconds"
>;

/** What one Improve step kept. */
export interface ImproveSummary {
  policy: string;
  grow: number;
  improve: number;
  /** As a reader would say it: `reward > 0.713 (quantile 0.7)`. */
  threshold: string;
  /** The number itself for absolute and quantile thresholds. */
  thresholdValue?: number;
  candidates: number;
  kept: number;
  keptShare: number;
  sourcesKept: number;
  sources: number;
  meanReward: number;
  meanRewardKept: number;
  /** Share of sources whose candidates all score alike. */
  tiedSources: number;
  distinctCandidates: number;
  meanTokens: number;
  unfinishedShare: number;
  trainSteps: number;
  trainTokens: number;
  /** Samples drawn and scored to choose the checkpoint; absent in runs of before they were counted. */
  validationSamples?: number;
  /** The training step at which the guard on a held-out metric ended it; absent where it did not. */
  guardedAt?: number;
  seconds: number;
}

export interface BestOfNPoint {
  policy: string;
  n: number;
  /** Expected reward of the best of n by reward, in [0, 1]. */
  reward: number;
  /** Expected sentence chrF and sentence BLEU (0 to 100) of that candidate. */
  chrf: number;
  bleu: number;
  /** The same of the best of n by the tuned sum (`RerankSummary`); absent where none was tuned. */
  reranked?: { reward: number; chrf: number; bleu: number };
}

/** What a policy's samples are put in order by beside the reward alone: weights tuned on validation sources. */
export interface RerankSummary {
  policy: string;
  /** Weights sum to 1, each of a score after `mean` and `deviation` are taken out of it. */
  parts: { name: string; weight: number; mean: number; deviation: number }[];
  metric: Metric;
  /** Samples and validation sources that they were tuned on. */
  n: number;
  sources: number;
  /** Expected metric there, 0 to 100: of the best by reward, and by the sum. */
  alone: number;
  tuned: number;
}

export interface RewardSummary {
  name: string;
  /** Rank agreement with the target metric on unseen sources; absent for rewards that are not learned. */
  kendall?: number;
  spearman?: number;
  pairwiseAccuracy?: number;
  pairs?: number;
  /** Samples of the policy that it was taught with. */
  lessonSamples?: number;
  /** The same figures of the reward as it was taught again, by the Grow whose candidates it scored. */
  retrained?: { grow: number; kendall: number; spearman: number; pairwiseAccuracy: number; pairs: number }[];
  /** What it makes of damaged human translations; absent where no policy was evaluated with it yet. */
  probe?: ProbeSummary[];
}

/** A kind of damage that a reward was probed with. */
export interface ProbeSummary {
  kind: string;
  /** In words: `words doubled`. */
  damage: string;
  /** Human translations that it could be done to. */
  pairs: number;
  /** Share of them whose damaged version scores lower. */
  noticed: number;
}

export type Metric = "bleu" | "chrf";

/** What judges the policies beside the reward. */
export interface HeldOut {
  /** The one that charts and curves are of. */
  metric: Metric;
  /** All that are of another family than the reward; both where neither is. */
  judges: Metric[];
  /** In a sentence or two. */
  why: string;
}

export interface ScoredTranslation {
  text: string;
  /** In [0, 1]. */
  reward: number;
  /** What `evaluate.judge` says of it, in [0, 1]; absent where there is none, and in evaluations of before it was kept. */
  judge?: number;
}

export interface ExampleTranslations {
  source: string;
  reference: string;
  /** Policy name to its translation, as BLEU and chrF see it, and the reward of that. */
  translations: Record<string, ScoredTranslation>;
}

/** The policy of an online training as it was seen on the validation part, on its way. */
export interface OnlineLook {
  /** Batches trained on; 0 is BC. */
  batch: number;
  samplesDrawn: number;
  rewardCalls: number;
  /** Mean reward, and corpus BLEU and chrF, of samples. */
  reward: number;
  bleu: number;
  chrf: number;
  /** Nats a sequence, over the samples of the last batch. */
  klFromBc: number;
  /** Price of a nat when that batch was trained on. */
  klCoefficient: number;
}

/** What one online training came to. */
export interface OnlineSummary {
  policy: string;
  samplesDrawn: number;
  rewardCalls: number;
  /** Drawn and scored to choose the checkpoint; not in the two above. */
  validationSamples: number;
  batches: number;
  /** The batch after which the policy was kept; 0: BC. */
  bestBatch: number;
  looks: OnlineLook[];
}

/** `policy` minus `against` on the same sources, with 95 % intervals of the difference (paired bootstrap). */
export interface Difference {
  policy: string;
  against: string;
  /** In [−1, 1]. */
  reward: Interval;
  /** In points. */
  bleu: Interval;
  chrf: Interval;
  /** In [−1, 1]; absent where not both have the judge's score of each translation. */
  judge?: Interval;
}

export interface RunSummary {
  /** Version of this file's layout. */
  format: 1;
  coppice: string;
  /** ISO 8601, when the run ended. */
  finishedAt: string;
  seed: number;
  machine: Machine;
  data: { train: number; rewardPart: number; validation: number; test: number };
  reward: RewardSummary;
  heldOut: HeldOut;
  /** Beam width of the translations that BLEU and chrF see; 1 (greedy) where it is absent, as in older runs. */
  beam?: number;
  bleuSignature: string;
  chrfSignature: string;
  policies: PolicySummary[];
  /** Absent where no policy is behind a server. */
  asked?: AskedSummary;
  /** Absent in files written before 0.2. */
  differences?: Difference[];
  improves: ImproveSummary[];
  /** Absent where nothing was trained online. */
  online?: OnlineSummary[];
  bestOfN: BestOfNPoint[];
  /** Absent where `evaluate.rerank` is off. */
  rerank?: RerankSummary[];
  examples: ExampleTranslations[];
  /** The resolved configuration. */
  config: unknown;
}
