/**
 * The filter F(x, y; τ) = 1[R(x, y) > τ] of the paper (Eq. 3) and its relatives (A.7), as SQL over the stored
 * candidates: what an Improve step trains on.
 */

import { type Place, UserError } from "../errors.js";
import { type CandidateStore, MEAN_REWARD, numberIn } from "./candidate-store.js";
import { double, type SqlRow } from "./duckdb.js";
import type { ImproveSummary } from "./summary.js";

/** How candidates are chosen. Every comparison is strict: Eq. 3 drops a candidate equal to τ. */
export type SelectRule =
  /** Everything: the paper's I=0. */
  | { kind: "all" }
  /** R > value. */
  | { kind: "absolute"; value: number }
  /** R > the q-quantile of all rewards of D_g, q in [0, 1). */
  | { kind: "quantile"; q: number }
  /** R > the q-quantile of its own source's rewards, q in [0, 1) (A.7 percentile; the paper's p = 90 is 0.9). */
  | { kind: "source-percentile"; q: number }
  /** R > τ_γ(x) = γ·max + (1 − γ)·mean of its own source's rewards, γ in [0, 1] (A.7). */
  | { kind: "source-interpolation"; gamma: number }
  /** The k best of each source; of equal rewards the lower sample number. */
  | { kind: "top"; k: number }
  /** So many at random: the control that shows what selection by reward gains. */
  | { kind: "random"; count: number };

export interface SelectSpec {
  rule: SelectRule;
  /** Pairs of the corpus: under the same filter as samples (the paper), kept whole, or left out of D_g. */
  human: "filtered" | "all" | "none";
  /** Keep one of equal texts of a source (the human one, else the first); default false. */
  deduplicate?: boolean;
  /** At most so many of one source, the best ones; human pairs kept by `all` do not count. */
  capPerSource?: number;
  /** Bounds on the text's length in characters, both included. */
  minCharacters?: number;
  maxCharacters?: number;
  /** Bounds on characters over those of the source, both included. */
  lengthRatio?: readonly [least: number, most: number];
  /** Sources of whose samples a share between `least` and `most`, both included, has a reward above `above`. */
  passRate?: { least: number; most: number; above: number };
  /** At most this share of words that belong to a repeated phrase (`repetition` in src/evaluate). */
  maxRepetition?: number;
  /** Fewer kept candidates than this are an error; default 8. */
  minimum?: number;
}

export interface SelectOptions {
  /** For the rule `random`. */
  seed: number;
  /** Where the user wrote the threshold, for the error. */
  place?: Place;
}

export interface SelectedRow {
  sourceId: number;
  sampleId: number;
  source: string;
  text: string;
  reward: number;
  origin: "policy" | "human";
}

/** What was kept, with the fields of ImproveSummary that the store knows. */
export interface Selection
  extends Pick<
    ImproveSummary,
    | "threshold"
    | "thresholdValue"
    | "candidates"
    | "kept"
    | "keptShare"
    | "sourcesKept"
    | "sources"
    | "meanReward"
    | "meanRewardKept"
    | "tiedSources"
    | "distinctCandidates"
    | "meanTokens"
    | "unfinishedShare"
  > {
  spec: SelectSpec;
  /** Of the kept, pairs of the corpus. */
  keptHuman: number;
  maxReward: number;
  /** Never kept: cut at the length limit; without a visible character. */
  unfinished: number;
  empty: number;
  /** Sentences for the user; nothing is wrong enough to stop. */
  warnings: string[];
  /** A SELECT of the kept rows in order of source and sample: source_id, sample_id, source, text, reward, origin. */
  rowsSql: string;
  /** The kept rows in that order, in chunks. */
  rows(): AsyncGenerator<SelectedRow[]>;
}

const MINIMUM = 8;

/** Absorbs the rounding of q·(n − 1): 0.29 · 100 is 28.999999999999996, and rank 29 is meant. */
const RANK_SLACK = 1e-9;

/** Shares are quotients of whole numbers, and so are bounds such as 0.1: both are rounded. */
const RATE_SLACK = 1e-12;

/**
 * Rank, from 0, of the q-quantile among n rewards in ascending order: the lower neighbour. Under a strict
 * comparison it keeps the same candidates as interpolating between the neighbours would, and it is exact: an
 * interpolated value between two equal rewards can come out below them and keep what it must drop.
 */
function quantileRank(n: number, q: number): number {
  return Math.floor(q * (n - 1) + RANK_SLACK);
}

/** quantile_disc takes the reward of rank ⌈share·n⌉ − 1: this share is the middle of the wanted rank. */
function quantileShare(n: number, q: number): number {
  return (quantileRank(n, q) + 0.5) / n;
}

/** D_g, as far as the specification takes it. */
function poolCondition(spec: SelectSpec): string {
  return spec.human === "none" ? "origin = 'policy'" : "true";
}

/** SQL that orders candidates at random, the same on every machine and version: a digest of the candidate's key. */
function randomOrder(seed: number): string {
  return `md5('${Math.trunc(seed)}/' || grow || '/' || source_id || '/' || sample_id), source_id, sample_id`;
}

/**
 * The q-quantile of each source's rewards as SQL. The engine's quantile takes constant shares, and which share means the
 * wanted rank depends on how many candidates a source has: most runs know one number or two. Over 16 million candidates
 * that takes 0.9 s of processor time, sorting a list for each source 2.0 s; it stays for runs with many numbers.
 */
function sourceQuantile(q: number, sizes: readonly number[]): string {
  if (sizes.length > MOST_SIZES)
    return `list_sort(list(reward))[CAST(floor(${double(q)} * (count(*) - 1) + ${double(RANK_SLACK)}) AS BIGINT) + 1]`;
  const shares = sizes.map((n) => double(quantileShare(n, q)));
  return `quantile_disc(reward, [${shares.join(", ")}])[list_position([${sizes.join(", ")}], count(*))]`;
}

const MOST_SIZES = 8;

/** τ of a source as SQL over its rewards; `sizes` are the numbers of candidates that sources have. */
function sourceThreshold(rule: SelectRule, sizes: readonly number[]): string | undefined {
  if (rule.kind === "source-percentile") return sourceQuantile(rule.q, sizes);
  if (rule.kind === "source-interpolation") {
    // This form is exactly max at γ = 1, and equal rewards must give exactly that reward, or rounding would keep them.
    const between = `max(reward) - ${double(1 - rule.gamma)} * (max(reward) - ${MEAN_REWARD})`;
    return `CASE WHEN min(reward) = max(reward) THEN max(reward) ELSE ${rule.gamma === 0 ? MEAN_REWARD : between} END`;
  }
  return undefined;
}

/** Bounds on the ratio of characters to those of the source; as a quotient DuckDB 1.5 fails with an internal error. */
function within([least, most]: readonly [number, number]): string {
  const times = (ratio: number) => `${double(ratio)} * greatest(length(trim(source)), 1)`;
  return `CAST(characters AS DOUBLE) >= ${times(least)} AND CAST(characters AS DOUBLE) <= ${times(most)}`;
}

/** Bounds on a candidate's text as SQL, each after an AND. */
function textBounds(spec: SelectSpec): string {
  return [
    spec.minCharacters === undefined ? "" : ` AND characters >= ${Math.trunc(spec.minCharacters)}`,
    spec.maxCharacters === undefined ? "" : ` AND characters <= ${Math.trunc(spec.maxCharacters)}`,
    spec.lengthRatio === undefined ? "" : ` AND ${within(spec.lengthRatio)}`,
    spec.maxRepetition === undefined ? "" : ` AND repetition <= ${double(spec.maxRepetition)}`,
  ].join("");
}

/** With `all`, human pairs pass every rule, and take no sample's place. */
function freePass(spec: SelectSpec): string {
  return spec.human === "all" ? "origin = 'human' OR " : "";
}

/** A candidate that may be kept whatever the rule: whole, and within the bounds on texts. */
function eligibleCondition(spec: SelectSpec): string {
  return `${poolCondition(spec)} AND finished AND characters > 0 AND (${freePass(spec)}(true${textBounds(spec)}))`;
}

/**
 * Name of a table of each source's k-th best reward, where the rule keeps the k best: none below it can be among them, so
 * that few rows are left to rank. Ranking all of 16 million takes twice the time and memory. Undefined for other rules, and
 * where equal texts go first.
 */
async function rankFloors(store: CandidateStore, spec: SelectSpec): Promise<string | undefined> {
  if (spec.rule.kind !== "top" || spec.deduplicate) return undefined;
  const ranked = spec.human === "all" ? " FILTER (origin = 'policy')" : "";
  const best = `list_last(max(reward, ${Math.trunc(spec.rule.k)})${ranked})`;
  return store.perSource(best, eligibleCondition(spec));
}

/** Name of a table of each source's share of samples that pass, where the specification asks for it. */
async function passRates(store: CandidateStore, { passRate }: SelectSpec): Promise<string | undefined> {
  if (passRate === undefined) return undefined;
  return store.perSource(`avg(CAST(reward > ${double(passRate.above)} AS INTEGER))`, "origin = 'policy'");
}

/** What the store was asked for before: τ itself or the name of the table of the sources' τ; see `rankFloors` and `passRates`. */
interface Bounds {
  tau?: number | string | undefined;
  floors?: string | undefined;
  rates?: string | undefined;
}

/** The steps from D_g to the kept rows, as common table expressions; the last one is `kept`. */
function keptTables(spec: SelectSpec, { tau, floors, rates }: Bounds, seed: number): string {
  const { rule } = spec;
  const everyHuman = spec.human === "all";
  const free = freePass(spec);
  const perSource = everyHuman ? "source_id, origin" : "source_id";
  const byText = spec.deduplicate ? ", text" : "";
  const tables = [
    `eligible AS (SELECT grow, source_id, sample_id, reward, origin${byText} FROM candidates
      WHERE ${eligibleCondition(spec)})`,
  ];
  let last = "eligible";
  const add = (name: string, body: string) => {
    tables.push(`${name} AS (${body})`);
    last = name;
  };
  if (rates !== undefined && spec.passRate !== undefined) {
    const { least, most } = spec.passRate;
    // Human pairs of such a source go with it, unless all of them are kept.
    add(
      "teachable",
      `SELECT * EXCLUDE value FROM ${last} LEFT JOIN ${rates} USING (source_id)
       WHERE ${free}(value >= ${double(least - RATE_SLACK)} AND value <= ${double(most + RATE_SLACK)})`,
    );
  }
  // The human pair has the lowest sample number, so it is the one that stays.
  const deduplicate = () =>
    add(
      "different",
      `SELECT * FROM ${last} QUALIFY row_number() OVER (PARTITION BY source_id, text ORDER BY sample_id) = 1`,
    );
  // A count is filled from different texts; a threshold reads fewer texts when it goes first.
  const counts = rule.kind === "top" || rule.kind === "random";
  if (spec.deduplicate && counts) deduplicate();
  if (floors !== undefined)
    add(
      "high",
      `SELECT * EXCLUDE value FROM ${last} JOIN ${floors} USING (source_id) WHERE ${free}reward >= value`,
    );
  if (typeof tau === "string") {
    add(
      "passed",
      `SELECT * EXCLUDE value FROM ${last} JOIN ${tau} USING (source_id) WHERE ${free}reward > value`,
    );
  } else if (rule.kind === "top") {
    const rank = `row_number() OVER (PARTITION BY ${perSource} ORDER BY reward DESC, sample_id)`;
    add("passed", `SELECT * FROM ${last} QUALIFY ${free}${rank} <= ${Math.trunc(rule.k)}`);
  } else if (rule.kind === "random") {
    const subject = everyHuman ? "origin = 'policy'" : "true";
    add(
      "passed",
      `(SELECT * FROM ${last} WHERE ${subject} ORDER BY ${randomOrder(seed)} LIMIT ${Math.trunc(rule.count)})
       UNION ALL (SELECT * FROM ${last} WHERE NOT (${subject}))`,
    );
  } else if (rule.kind !== "all") {
    if (tau === undefined) throw new Error(`rule ${rule.kind} has no threshold`);
    add("passed", `SELECT * FROM ${last} WHERE ${free}reward > ${double(tau)}`);
  }
  if (spec.deduplicate && !counts) deduplicate();
  if (spec.capPerSource !== undefined) {
    // A control must not prefer high rewards here either.
    const order = rule.kind === "random" ? randomOrder(seed) : "reward DESC, sample_id";
    add(
      "capped",
      `SELECT * FROM ${last} QUALIFY ${free}row_number() OVER (PARTITION BY ${perSource} ORDER BY ${order})
       <= ${Math.trunc(spec.capPerSource)}`,
    );
  }
  tables.push(`kept AS (SELECT source_id, sample_id, reward, origin FROM ${last})`);
  return `WITH ${tables.join(",\n")}`;
}

const grouped = (count: number): string => count.toLocaleString("en-US");
const short = (value: number): string => String(Number(value.toPrecision(4)));

function describe(rule: SelectRule, threshold: number | undefined): string {
  switch (rule.kind) {
    case "all":
      return "all candidates";
    case "absolute":
      return `reward > ${rule.value}`;
    case "quantile":
      return `reward > ${short(threshold ?? Number.NaN)} (quantile ${rule.q})`;
    case "source-percentile":
      return `reward > percentile ${short(rule.q * 100)} of its source`;
    case "source-interpolation":
      return `reward > ${rule.gamma}·max + ${short(1 - rule.gamma)}·mean of its source`;
    case "top":
      return `best ${rule.k} of each source`;
    case "random":
      return `${grouped(rule.count)} at random`;
  }
}

/** The different numbers of candidates that sources have in D_g, ascending. */
async function sourceSizes(store: CandidateStore, spec: SelectSpec): Promise<number[]> {
  const rows = await store.query(
    `SELECT DISTINCT n FROM (SELECT count(*) AS n FROM candidates WHERE ${poolCondition(spec)} GROUP BY source_id) ORDER BY n`,
  );
  return rows.map((row) => numberIn(row, "n"));
}

async function thresholdOf(store: CandidateStore, spec: SelectSpec, n: number): Promise<number | undefined> {
  const { rule } = spec;
  if (rule.kind === "absolute") return rule.value;
  if (rule.kind !== "quantile") return undefined;
  const rows = await store.query(
    `SELECT quantile_disc(reward, ${double(quantileShare(n, rule.q))}) AS tau FROM candidates WHERE ${poolCondition(spec)}`,
  );
  return numberIn(rows[0], "tau");
}

/** Why too few were kept and what would keep more. */
async function tooFew(
  store: CandidateStore,
  spec: SelectSpec,
  selection: { chosen: number; candidates: number; maxReward: number; threshold: string },
  minimum: number,
): Promise<string> {
  const besides = spec.human === "all" ? " besides the human pairs" : "";
  const found =
    `${selection.threshold} keeps ${grouped(selection.chosen)} of ${grouped(selection.candidates)} candidates${besides}, and at least ${minimum} are needed; ` +
    `the highest reward seen is ${short(selection.maxReward)}. `;
  const human = spec.human === "all" ? "none" : spec.human;
  const tables = keptTables(
    { ...spec, human, rule: { kind: "all" } },
    { rates: await passRates(store, spec) },
    0,
  );
  const [available] = await store.query(`${tables} SELECT count(*) AS n FROM kept`);
  if (numberIn(available, "n") < minimum)
    return `${found}Only ${numberIn(available, "n")} are finished, not empty and within the limits: sample more candidates${spec.passRate === undefined ? "" : ", or widen passRate"}.`;
  const [worst] = await store.query(
    `${tables} SELECT reward FROM kept ORDER BY reward DESC LIMIT 1 OFFSET ${minimum - 1}`,
  );
  // The highest number of three decimals strictly below the last candidate that has to pass.
  const suggestion = (Math.ceil(numberIn(worst, "reward") * 1000) - 1) / 1000;
  if (suggestion < 0)
    return `${found}Too few rewards are above 0: look at the reward with \`coppice inspect\`.`;
  const [would] = await store.query(
    `${tables} SELECT count(*) AS n FROM kept WHERE reward > ${double(suggestion)}`,
  );
  // Among many equal rewards only a threshold by value lies below the best.
  const threshold = spec.rule.kind === "absolute" ? "A threshold" : "A threshold of kind absolute";
  return `${found}${threshold} of ${suggestion} would keep ${grouped(numberIn(would, "n"))}.`;
}

/**
 * Chooses candidates. Unfinished and empty ones are never kept, but count in D_g, on which thresholds and means
 * are computed. Throws a UserError when candidates are not scored, or when fewer than `spec.minimum` are kept:
 * it names the highest reward seen and a threshold that would keep enough.
 *
 * @example
 * const selection = await selectCandidates(store, { rule: { kind: "quantile", q: 0.9 }, human: "filtered" }, { seed });
 * for await (const rows of selection.rows()) examples.push(...rows);
 */
export async function selectCandidates(
  store: CandidateStore,
  spec: SelectSpec,
  options: SelectOptions,
): Promise<Selection> {
  const stats = await store.stats({ human: spec.human !== "none" });
  if (stats.candidates === 0)
    throw new UserError("there are no sampled candidates, only human pairs. Run the Grow step again.", {
      file: store.folder,
    });
  if (stats.unscored > 0)
    throw new UserError(
      `${stats.unscored} of ${stats.candidates} candidates have no reward. Score them first (coppice score).`,
      { file: store.folder },
    );
  const sizes = spec.rule.kind === "source-percentile" ? await sourceSizes(store, spec) : [];
  const bySource = sourceThreshold(spec.rule, sizes);
  const thresholdValue = await thresholdOf(store, spec, stats.candidates);
  const threshold = describe(spec.rule, thresholdValue);
  const taus = bySource === undefined ? undefined : await store.perSource(bySource, poolCondition(spec));
  const bounds: Bounds = {
    tau: taus ?? thresholdValue,
    floors: await rankFloors(store, spec),
    rates: await passRates(store, spec),
  };
  const tables = keptTables(spec, bounds, options.seed);
  const [counted] = await store.query(
    `${tables} SELECT count(*) AS kept, count(DISTINCT source_id) AS sources, ${MEAN_REWARD} AS mean,
      count(*) FILTER (origin = 'human') AS human FROM kept`,
  );
  const kept = numberIn(counted, "kept");
  const keptHuman = numberIn(counted, "human");
  const { candidates, maxReward, meanReward } = stats;
  const minimum = spec.minimum ?? MINIMUM;
  // Human pairs that no rule looks at do not make up for samples that are missing.
  const chosen = spec.human === "all" ? kept - keptHuman : kept;
  if (chosen < minimum)
    throw new UserError(
      await tooFew(store, spec, { chosen, candidates, maxReward, threshold }, minimum),
      options.place,
    );
  const belowMean = thresholdValue === undefined ? undefined : thresholdBelowMean(thresholdValue, meanReward);
  const rowsSql = `${tables} SELECT source_id, sample_id, source, text, reward, origin
    FROM candidates SEMI JOIN kept USING (source_id, sample_id) ORDER BY source_id, sample_id`;
  return {
    spec,
    threshold,
    ...(thresholdValue === undefined ? {} : { thresholdValue }),
    candidates,
    kept,
    keptShare: kept / candidates,
    keptHuman,
    sources: stats.sources,
    sourcesKept: numberIn(counted, "sources"),
    meanReward,
    meanRewardKept: numberIn(counted, "mean"),
    maxReward,
    tiedSources: stats.tiedSources,
    distinctCandidates: stats.distinctCandidates,
    meanTokens: stats.meanTokens,
    unfinishedShare: stats.unfinishedShare,
    unfinished: stats.unfinished,
    empty: stats.empty,
    warnings: belowMean === undefined ? [] : [belowMean],
    rowsSql,
    rows: async function* () {
      for await (const chunk of store.stream(rowsSql)) yield chunk.map(toSelected);
    },
  };
}

function toSelected(row: SqlRow): SelectedRow {
  return {
    sourceId: Number(row.source_id),
    sampleId: Number(row.sample_id),
    source: String(row.source),
    text: String(row.text),
    reward: Number(row.reward),
    origin: row.origin === "human" ? "human" : "policy",
  };
}

/**
 * The control of a selection: as many candidates of the same D_g, under the same limits, chosen at random.
 *
 * @example const control = await selectCandidates(store, randomControl(selection), { seed });
 */
export function randomControl(selection: Selection): SelectSpec {
  const { capPerSource: _cap, ...spec } = selection.spec;
  const count = spec.human === "all" ? selection.kept - selection.keptHuman : selection.kept;
  return { ...spec, rule: { kind: "random", count } };
}

/** A sentence when Algorithm 1's τ₁ > V^π = E_{D_g}[R] does not hold. The paper's own τ₁ = 0.7 broke it, so it stops nothing. */
export function thresholdBelowMean(threshold: number, meanReward: number): string | undefined {
  if (threshold > meanReward) return undefined;
  return (
    `The threshold ${short(threshold)} is not above ${short(meanReward)}, the mean reward of the candidates, ` +
    "so training on what it keeps need not improve the policy. Raise it."
  );
}
