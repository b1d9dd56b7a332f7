/** What the pages Policies, Compare and Reward are told by the server; types only, since both sides read this. */

import type { GainFigure } from "../report/gains.js";
import type { BestOfNPoint, Interval, Judged, Metric, ProbeSummary } from "../store/summary.js";
import type { Finding } from "../study/verdicts.js";
import type { DifferingKey } from "./config-differences.js";
import type { RewardBand } from "./disagreement.js";
import type { TableView } from "./protocol.js";

/** A policy that has been evaluated. Rewards are in [0, 1], chrF and BLEU in [0, 100]; NaN travels as null. */
export interface PolicyHead {
  /** `G0I0` (BC), `G1I2`, `G1I2-random`. */
  name: string;
  control: boolean;
  reward: Interval;
  bleu: Interval;
  chrf: Interval;
  /** What `evaluate.judge` says; absent where there is none. */
  judge?: Judged;
}

/** `GET /api/policies?run=` */
export interface PoliciesView {
  policies: PolicyHead[];
  /** Sources that they were evaluated on. */
  sources: number;
  /** In plain words, where a policy's reward is above the first one's while its judge or metrics are below. */
  warnings: { policy: string; text: string }[];
  /** What typed sentences may ask for. */
  limits: TypedLimits;
  /** The names that can translate one now, those not evaluated yet included. */
  trained: string[];
}

export interface TypedLimits {
  characters: number;
  bestOf: number;
  temperature: number;
}

export type SourceOrder = "corpus" | "gain" | "loss";

/** `GET /api/policies/sources?run=&search=&order=&from=` */
export interface SourcesView {
  /** That the search leaves. */
  total: number;
  from: number;
  rows: SourceRow[];
  /** The policies whose rewards stand in the rows. */
  first: string;
  last: string;
}

export interface SourceRow {
  /** Place in the test part, from 0. */
  id: number;
  source: string;
  /** Rewards of the first policy's translation and of the last one's. */
  first: number;
  last: number;
}

/** `GET /api/policies/source?run=&id=` */
export interface SourceView {
  id: number;
  source: string;
  reference: string;
  translations: EvaluatedTranslation[];
}

export interface EvaluatedTranslation {
  policy: string;
  control: boolean;
  text: string;
  reward: number;
  /** Sentence chrF against the reference. */
  chrf: number;
  /** What `evaluate.judge` says of it, in [0, 1]; absent where that was not kept. */
  judge?: number;
}

/** A line of the answer to `POST /api/policies/translate?run=`. */
export type TypedLine =
  /** Others are served first; `ahead` of them. */
  | { kind: "waiting"; ahead: number }
  | ({ kind: "policy" } & TypedTranslation)
  | { kind: "end" }
  | { kind: "failed"; error: string };

/** What one policy makes of a typed sentence. */
export interface TypedTranslation {
  policy: string;
  greedy: ScoredText;
  /** Samples by falling reward; empty where none were asked for, or the reward needs a human translation. */
  samples: ScoredText[];
}

export interface ScoredText {
  text: string;
  /** In [0, 1]; null where the reward compares with a human translation, which a typed sentence does not have. */
  reward: number | null;
  /** False when it was cut at the length limit. */
  finished: boolean;
}

/** `GET /api/compare` */
export interface CompareList {
  runs: { name: string; evaluated: number }[];
  studies: StudyView[];
}

/** What `coppice compare` wrote. */
export interface StudyView {
  /** Its way from the dashboard's folder; the folder's own name where that is the study itself. */
  name: string;
  /** Names of its runs that have begun. */
  runs: string[];
  progress: { all: number; finished: number };
  table1: TableView;
  findings: Finding[];
  /** `figure-3`, by number; each is there as SVG, PNG and CSV. */
  figures: string[];
}

/** `GET /api/compare/runs?name=&name=` */
export interface ComparedView {
  runs: ComparedRun[];
  /** Keys whose values are not the same in all of `runs`, values in that order. */
  configuration: DifferingKey[];
  /** Runs that cannot be read, with the reason. */
  failed: { name: string; error: string }[];
}

export interface ComparedRun {
  name: string;
  seed: number;
  /** What judges from outside the reward. */
  heldOut: { metric: Metric; why: string };
  policies: ComparedPolicy[];
  /** On the way of an online training, seen on the validation part: another set than the policies'. */
  looks: { policy: string; samplesDrawn: number; reward: number }[];
  bestOfN: BestOfNPoint[];
  gains: GainLine[];
  /** In plain words, where a policy's reward is above BC's while its judge or metrics are below. */
  warnings: { policy: string; text: string }[];
}

export interface ComparedPolicy extends PolicyHead {
  grow: number;
  improve: number;
  klFromBc: number;
  /** Candidates sampled and reward calls made up to it, and seconds of work. */
  samplesDrawn: number;
  rewardCalls: number;
  seconds: number;
}

/** Gains over BC against √KL from it. */
export interface GainLine {
  figure: GainFigure;
  along: "policies" | "best of N";
  /** Points of 100. */
  points: { name: string; distance: number; gain: number }[];
  /** The fitted curve; empty where the points decide none. */
  curve: { distance: number; gain: number }[];
  /** Where the curve is highest, or why there is none. */
  words: string;
}

/** `GET /api/reward?run=` */
export interface RewardView {
  /** `reward.kind` of the configuration. */
  kind: string;
  /** Absent where the reward is not learned, or not yet. */
  learned?: LearnedView;
  /** Damage to human translations that it was probed with; absent before the first policy is evaluated. */
  probe?: ProbeSummary[];
  /** Share of cases below which a kind of damage counts as overlooked. */
  weakBelow: number;
  /** Agreement of the reward as it was taught again, by Grow. */
  retrained: { grow: number; kendall: number; spearman: number; pairwiseAccuracy: number; pairs: number }[];
  policies: { name: string; control: boolean }[];
  /** Name of `evaluate.judge` where its score of each translation was kept; null elsewhere. */
  judge: string | null;
  /** Translations that people have rated. */
  rated: number;
}

export interface LearnedView {
  /** `chrF`, `BLEU` or `chrF and BLEU`: what it was taught to predict. */
  target: string;
  calibration: { raw: number; reward: number }[];
  agreement: { on: string; kendall: number; spearman: number; pairwiseAccuracy: number; pairs: number }[];
  meanReward: { samples: number; references: number };
  probe: { kind: string; damage: string; pairs: number; noticed: number; meanLoss: number }[];
}

/** `model`: what `evaluate.judge` names. */
export type Judge = "chrf" | "model" | "people";

/** `GET /api/reward/disagreements?run=&policy=&judge=` */
export interface DisagreementsView {
  policy: string;
  judge: Judge;
  translations: number;
  spearman: number;
  kendall: number;
  /** Mean of the judge by rising reward: a reward worth following rises from band to band. */
  bands: RewardBand[];
  /** [reward, judge] of the translations, at most so many as a chart can show. */
  points: [number, number][];
  /** The reward ranks them far above the judge. */
  overrated: JudgedTranslation[];
  /** And far below. */
  underrated: JudgedTranslation[];
}

export interface JudgedTranslation {
  source: string;
  reference: string;
  text: string;
  /** Policy that wrote it. */
  policy: string;
  reward: number;
  /** chrF 0 to 100, the model's score times 100, or people's mean 0 to 6. */
  judge: number;
  /** Difference of rank shares, −1 to 1. */
  gap: number;
}
