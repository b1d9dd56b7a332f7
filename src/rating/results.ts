/** What ratings come to: policies against the first one, raters against each other and themselves, the reward against people. */

import { bootstrapMean } from "../evaluate/bootstrap.js";
import { kendall, pearson, spearman } from "../evaluate/correlation.js";
import { ordinalAlpha } from "../evaluate/krippendorff.js";
import { signFlipTest } from "../evaluate/sign-flip.js";
import { byText, type Judgement, type Scale } from "./judgement.js";
import { DAMAGED, HUMAN } from "./plan.js";

/** The first policy, which the others are compared with where it was rated. */
const BASELINE = "G0I0";

/** From so many checks on, a rater who failed more than `FAILED_SHARE` of them is called careless. */
const CHECKS_TO_JUDGE = 4;
const FAILED_SHARE = 0.25;

/** People's scores of up to this many points out of 6 are low, as in the paper's Figures 9 and 10. */
const LOW = 3;

/** Rows of the calibration table, of as many texts each as can be. */
const REWARD_BANDS = 5;

/** A mean with its 95 % bootstrap interval over items. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** A policy minus another, items that both have. */
export interface Difference extends Interval {
  items: number;
  /** Items on which the policy was rated higher, and lower; the others tie. */
  wins: number;
  losses: number;
  /** Two-sided, by flipping signs (`signFlipTest`). */
  p: number;
}

/** How reward and people agree on the texts of one group; null where one side is constant or fewer than three are there. */
export interface Correlation {
  texts: number;
  pearson: number | null;
  spearman: number | null;
  kendall: number | null;
}

export interface SystemResult {
  name: string;
  items: number;
  /** Mean of the items' scores, each the mean of its raters. */
  score: Interval;
  /** Mean reward of the same texts; null where one has none. */
  reward: number | null;
  /** Minus the baseline; null for the baseline itself. */
  difference: Difference | null;
  /** The same difference in reward, in [−1, 1]. */
  rewardDifference: Interval | null;
  agreement: Correlation;
}

export interface RaterResult {
  name: string;
  /** Items rated, without repeats and checks. */
  items: number;
  mean: number | null;
  /** Texts rated a second time. */
  repeats: {
    texts: number;
    /** Share rated the same, and within one point. */
    same: number;
    withinOne: number;
    /** Mean distance in points. */
    distance: number;
    /** Krippendorff's, of first against second; null where it is not defined. */
    alpha: number | null;
  } | null;
  checks: {
    seen: number;
    /** Damaged translations rated as high as the human one beside them, or higher. */
    failed: number;
  };
  careless: boolean;
}

/** Rewards of the texts that people put in one band of scores. */
export interface ScoreBand {
  /** From above `over` (the lowest band: from it on) up to `upTo`, in points. */
  over: number;
  upTo: number;
  texts: number;
  /** Null where there are none; the deviation (of a sample, n − 1) also where there is one. */
  meanReward: number | null;
  deviation: number | null;
}

/** People's scores of the texts whose rewards lie in one band. */
export interface RewardBand {
  low: number;
  high: number;
  texts: number;
  meanReward: number;
  meanScore: number;
  deviation: number | null;
}

export interface SystemBands {
  system: string;
  bands: ScoreBand[];
}

/** The halves of the paper's Figures 9 and 10. */
export interface Spread {
  /** Scores up to `LOW` of 6. */
  low: ScoreBand;
  high: ScoreBand;
}

export interface Ranking {
  /** By people, best first; the same systems by reward. */
  people: string[];
  reward: string[];
  /** Kendall's τ-b of the two means; null with one system. */
  kendall: number | null;
  /** Pairs that they put in opposite order; `clear` where neither difference's interval holds 0. */
  opposite: { a: string; b: string; score: Interval; reward: Interval; clear: boolean }[];
}

export interface RewardResults {
  /** Over all rated texts, each once. */
  overall: Correlation;
  /** Figures 9 and 10, all systems together first (named `all`). */
  bySystem: SystemBands[];
  spread: Spread;
  calibration: RewardBand[];
  ranking: Ranking;
}

export interface RatingResults {
  scale: Scale;
  /** Least and most that a score can be; of `z` and `mqm` what was seen. */
  range: [low: number, high: number];
  baseline: string;
  systems: SystemResult[];
  raters: RaterResult[];
  /** Agreement between raters; `alpha` is null where no text has two. */
  agreement: { alpha: number | null; texts: number; raters: number };
  /** Null where fewer than three texts have a reward. */
  reward: RewardResults | null;
  comments: { rater: string; source: string; comment: string }[];
}

/**
 * Results on each scale that occurs, in the order of the judgements. A mean is taken over raters within an item first and
 * then over items: intervals and tests are over items, and hold for these raters.
 *
 * @param seed of the bootstrap and of drawn signs
 */
export function ratingResults(judgements: readonly Judgement[], seed: number): RatingResults[] {
  const scales = [...new Set(judgements.map(({ scale }) => scale))];
  return scales.map((scale) =>
    onScale(
      scale,
      judgements.filter((one) => one.scale === scale),
      seed,
    ),
  );
}

function onScale(scale: Scale, judgements: readonly Judgement[], seed: number): RatingResults {
  const rated = judgements.filter(({ kind }) => kind === "item");
  const range = rangeOf(scale, judgements);
  const tables = systemTables(rated);
  const baseline = tables.some(({ name }) => name === BASELINE) ? BASELINE : (tables[0]?.name ?? BASELINE);
  const against = tables.find(({ name }) => name === baseline);
  const texts = byText(rated);
  return {
    scale,
    range,
    baseline,
    systems: tables.map((table) => systemResult(table, against, seed)),
    raters: raterResults(judgements),
    agreement: {
      ...agreementOf(texts),
      raters: new Set(texts.map(({ rater }) => rater)).size,
    },
    reward: rewardResults(rated, tables, range, seed),
    comments: commentsOf(judgements),
  };
}

/** One text as all its raters see it. */
interface RatedText {
  item: string;
  score: number;
  reward: number | undefined;
}

interface SystemTable {
  name: string;
  /** One an item. */
  texts: Map<string, RatedText>;
}

function systemTables(rated: readonly Judgement[]): SystemTable[] {
  return [...groupBy(rated, ({ system }) => system)].map(([name, own]) => ({
    name,
    texts: new Map(
      [...groupBy(own, ({ item }) => item)].map(([item, scores]) => [item, ratedText(item, scores)]),
    ),
  }));
}

function ratedText(item: string, scores: readonly Judgement[]): RatedText {
  return { item, score: mean(scores.map(({ score }) => score)), reward: scores[0]!.reward };
}

function systemResult(table: SystemTable, against: SystemTable | undefined, seed: number): SystemResult {
  const texts = [...table.texts.values()];
  const rewards = rewardsOf(texts);
  const shared = against && against !== table ? paired(table, against) : undefined;
  return {
    name: table.name,
    items: texts.length,
    score: interval(
      texts.map(({ score }) => score),
      seed,
    ),
    reward: rewards ? mean(rewards) : null,
    difference: shared ? difference(shared.scores, seed) : null,
    rewardDifference: shared?.rewards ? interval(shared.rewards, seed) : null,
    agreement: correlation(texts),
  };
}

/** Differences on the items that both have; undefined where there are none. */
function paired(
  a: SystemTable,
  b: SystemTable,
): { scores: number[]; rewards: number[] | undefined } | undefined {
  const both = [...a.texts.values()].flatMap((text): [RatedText, RatedText][] => {
    const other = b.texts.get(text.item);
    return other ? [[text, other]] : [];
  });
  if (both.length === 0) return undefined;
  const rewards = both.flatMap(([one, other]) =>
    one.reward === undefined || other.reward === undefined ? [] : [one.reward - other.reward],
  );
  return {
    scores: both.map(([one, other]) => one.score - other.score),
    rewards: rewards.length === both.length ? rewards : undefined,
  };
}

function difference(scores: readonly number[], seed: number): Difference {
  return {
    ...interval(scores, seed),
    items: scores.length,
    wins: scores.filter((score) => score > 0).length,
    losses: scores.filter((score) => score < 0).length,
    p: signFlipTest(scores, seed),
  };
}

function raterResults(judgements: readonly Judgement[]): RaterResult[] {
  return [...groupBy(judgements, ({ rater }) => rater)].map(([name, own]) => {
    const decisions = byText(own);
    const items = decisions.filter(({ kind }) => kind === "item");
    const checks = failedChecks(own);
    return {
      name,
      items: new Set(items.map(({ item }) => item)).size,
      mean: items.length === 0 ? null : mean(items.map(({ score }) => score)),
      repeats: consistency(decisions),
      checks,
      careless: checks.seen >= CHECKS_TO_JUDGE && checks.failed > FAILED_SHARE * checks.seen,
    };
  });
}

function consistency(decisions: readonly Judgement[]): RaterResult["repeats"] {
  const first = new Map(
    decisions.filter(({ kind }) => kind === "item").map((one) => [textKey(one), one.score]),
  );
  const pairs = decisions.flatMap((one): [number, number][] => {
    const before = one.kind === "repeat" ? first.get(textKey(one)) : undefined;
    return before === undefined ? [] : [[before, one.score]];
  });
  if (pairs.length === 0) return null;
  const distances = pairs.map(([before, after]) => Math.abs(before - after));
  return {
    texts: pairs.length,
    same: distances.filter((distance) => distance === 0).length / pairs.length,
    withinOne: distances.filter((distance) => distance <= 1).length / pairs.length,
    distance: mean(distances),
    alpha: orNull(ordinalAlpha(pairs).alpha),
  };
}

/** Each damaged translation against the human one of the same item. */
function failedChecks(own: readonly Judgement[]): RaterResult["checks"] {
  const checks = own.filter(({ kind }) => kind === "check");
  const human = new Map(
    checks.filter(({ system }) => system === HUMAN).map(({ item, score }) => [item, score]),
  );
  const damaged = checks.filter(({ system, item }) => system.startsWith(DAMAGED) && human.has(item));
  return {
    seen: damaged.length,
    failed: damaged.filter(({ item, score }) => score >= human.get(item)!).length,
  };
}

function agreementOf(decisions: readonly Judgement[]): { alpha: number | null; texts: number } {
  const units = [...groupBy(decisions, textKey).values()].map((unit) => unit.map(({ score }) => score));
  const { alpha, units: texts } = ordinalAlpha(units);
  return { alpha: orNull(alpha), texts };
}

function rewardResults(
  rated: readonly Judgement[],
  tables: readonly SystemTable[],
  range: [number, number],
  seed: number,
): RewardResults | null {
  const texts = textsWithReward(rated);
  if (texts.length < 3) return null;
  const edges = scoreEdges(range);
  const bySystem = tables
    .map(({ name, texts: own }) => ({ system: name, texts: withReward([...own.values()]) }))
    .filter(({ texts: own }) => own.length > 0);
  const middle = range[0] + ((range[1] - range[0]) * LOW) / 6;
  return {
    overall: correlation(texts),
    bySystem: [{ system: "all", texts }, ...bySystem].map(({ system, texts: own }) => ({
      system,
      bands: edges.slice(1).map((upTo, i) => scoreBand(own, edges[i]!, upTo, i === 0)),
    })),
    spread: {
      low: scoreBand(texts, range[0], middle, true),
      high: scoreBand(texts, middle, range[1], false),
    },
    calibration: rewardBands(texts),
    ranking: ranking(
      tables.filter((table) => rewardsOf([...table.texts.values()])),
      seed,
    ),
  };
}

type RewardedText = RatedText & { reward: number };

function withReward(texts: readonly RatedText[]): RewardedText[] {
  return texts.flatMap((text) => (text.reward === undefined ? [] : [{ ...text, reward: text.reward }]));
}

/** Each text of an item once, however many systems wrote it. */
function textsWithReward(rated: readonly Judgement[]): RewardedText[] {
  const units = groupBy(byText(rated), textKey);
  return withReward([...units.values()].map((scores) => ratedText(scores[0]!.item, scores)));
}

/** Six bands of equal width: on the scale of 0 to 6, one a point. */
function scoreEdges([low, high]: [number, number]): number[] {
  return Array.from({ length: 7 }, (_, i) => low + ((high - low) * i) / 6);
}

function scoreBand(texts: readonly RewardedText[], over: number, upTo: number, isLowest: boolean): ScoreBand {
  const rewards = texts
    .filter(({ score }) => (score > over || (isLowest && score === over)) && score <= upTo)
    .map(({ reward }) => reward);
  return {
    over,
    upTo,
    texts: rewards.length,
    meanReward: rewards.length === 0 ? null : mean(rewards),
    deviation: deviation(rewards),
  };
}

function rewardBands(texts: readonly RewardedText[]): RewardBand[] {
  const sorted = texts.toSorted((a, b) => a.reward - b.reward);
  const bands = Math.min(REWARD_BANDS, sorted.length);
  return Array.from({ length: bands }, (_, band) => {
    const from = Math.round((band * sorted.length) / bands);
    const own = sorted.slice(from, Math.round(((band + 1) * sorted.length) / bands));
    const scores = own.map(({ score }) => score);
    return {
      low: own[0]!.reward,
      high: own.at(-1)!.reward,
      texts: own.length,
      meanReward: mean(own.map(({ reward }) => reward)),
      meanScore: mean(scores),
      deviation: deviation(scores),
    };
  });
}

function ranking(tables: readonly SystemTable[], seed: number): Ranking {
  const rows = tables.map((table) => {
    const texts = [...table.texts.values()];
    return {
      table,
      name: table.name,
      score: mean(texts.map(({ score }) => score)),
      reward: mean(rewardsOf(texts) ?? []),
    };
  });
  const opposite = rows.flatMap(({ table, name }, i) =>
    rows.slice(i + 1).flatMap((other) => {
      const shared = paired(table, other.table);
      if (!shared?.rewards) return [];
      const [score, reward] = [interval(shared.scores, seed), interval(shared.rewards, seed)];
      if (score.value * reward.value >= 0) return [];
      return [{ a: name, b: other.name, score, reward, clear: isClear(score) && isClear(reward) }];
    }),
  );
  const by = (figure: "score" | "reward") =>
    rows.toSorted((a, b) => b[figure] - a[figure]).map(({ name }) => name);
  return {
    people: by("score"),
    reward: by("reward"),
    kendall: orNull(
      kendall(
        rows.map(({ score }) => score),
        rows.map(({ reward }) => reward),
      ),
    ),
    opposite,
  };
}

function isClear({ low, high }: Interval): boolean {
  return low > 0 || high < 0;
}

function correlation(texts: readonly RatedText[]): Correlation {
  const both = withReward(texts);
  const rewards = both.map(({ reward }) => reward);
  const scores = both.map(({ score }) => score);
  const of = (measure: (x: number[], y: number[]) => number) =>
    both.length < 3 ? null : orNull(measure(rewards, scores));
  return { texts: both.length, pearson: of(pearson), spearman: of(spearman), kendall: of(kendall) };
}

function commentsOf(judgements: readonly Judgement[]): RatingResults["comments"] {
  const seen = new Set<string>();
  return judgements.flatMap(({ rater, item, kind, source, comment }) => {
    if (comment === undefined) return [];
    const key = JSON.stringify([rater, kind, item]);
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ rater, source, comment }];
  });
}

function rangeOf(scale: Scale, judgements: readonly Judgement[]): [number, number] {
  if (scale === "sqm") return [0, 6];
  if (scale === "da") return [0, 100];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { score } of judgements) [low, high] = [Math.min(low, score), Math.max(high, score)];
  return [low, high];
}

/** The rewards, or undefined where a text has none. */
function rewardsOf(texts: readonly RatedText[]): number[] | undefined {
  const rewards = withReward(texts).map(({ reward }) => reward);
  return rewards.length === texts.length && rewards.length > 0 ? rewards : undefined;
}

function textKey({ item, text }: Judgement): string {
  return JSON.stringify([item, text]);
}

function interval(values: readonly number[], seed: number): Interval {
  return bootstrapMean(values, { seed });
}

function groupBy<Value>(values: readonly Value[], key: (value: Value) => string): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group) group.push(value);
    else groups.set(key(value), [value]);
  }
  return groups;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample (n − 1). */
function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** JSON has no NaN. */
function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
