/** What the doctor makes of its figures: is ReST likely to help? Rules of thumb of ours, each a line between two states. */

import { duration } from "../../report/format.js";

/** `good`: nothing stands in the way; `weak`: it may; `bad`: it does. */
type State = "good" | "weak" | "bad";

export interface Finding {
  check: "spread" | "best-of-n" | "temperature" | "cost" | "repeat";
  /** What was asked. */
  question: string;
  state: State;
  /** The answer with its figures. */
  answer: string;
  /** What to do; empty where there is nothing. */
  advice: string;
}

export interface Diagnosis {
  outcome: "likely" | "uncertain" | "unlikely";
  sentence: string;
  findings: Finding[];
}

/** Rewards are in [0, 1], metric points 0 to 100. */
export const LINES = {
  /** Reward's spread within a source below which all candidates score alike. */
  leastSpread: 0.005,
  /** The spread in units of the noise: below `bad` noise decides, from `good` the reward does. */
  spreadToNoise: { bad: 1, good: 2 },
  /** Metric points that an oracle must gain by choosing among N for selection to have room. */
  oracleGain: 1,
  /** Standard errors that a gain must lie from 0 to count as one. */
  standardErrors: 2,
  /** Share of a source's samples that differ. */
  uniqueShare: { bad: 0.3, good: 0.5 },
  /** Share of samples cut at the limit. */
  unfinished: 0.2,
  /** Metric points by which another temperature's oracle must be ahead to be recommended. */
  temperatureGain: 1,
  /** A run may take so many times the hours at hand before it is too dear. */
  overBudget: 2,
  /** Difference between two calls that is not rounding (reward/contract.ts). */
  repeat: 1e-4,
} as const;

/** Standard deviation of the reward among one source's candidates (mean over sources), and of one score by chance. */
export interface Spread {
  spread: number;
  noise: number;
}

export function judgeSpread({ spread, noise }: Spread): Finding {
  const ratio = spread / noise;
  const times = Number.isFinite(ratio) ? `, ${ratio.toFixed(1)} times that` : "";
  const base = {
    check: "spread",
    question: "Does the reward tell the candidates of one source apart?",
    answer:
      `Their rewards spread by ${points(spread)} points of 100; edits that change no meaning move a reward by ` +
      `${points(noise)} (its noise)${times}.`,
  } as const;
  if (spread < LINES.leastSpread)
    return {
      ...base,
      state: "bad",
      advice:
        "All candidates score nearly alike, so nothing can be selected. Use another reward, or a higher temperature.",
    };
  if (ratio < LINES.spreadToNoise.bad)
    return {
      ...base,
      state: "bad",
      advice: "Noise decides which candidate is kept. Teach the reward on more pairs, or use another one.",
    };
  if (ratio < LINES.spreadToNoise.good)
    return {
      ...base,
      state: "weak",
      advice: "Selection is partly by noise. Draw more samples a source, or mend the reward first.",
    };
  return { ...base, state: "good", advice: "" };
}

/** Points of the held-out metric over one sample that choosing among `n` gains, by oracle and by reward, ± standard error. */
export interface BestOf {
  n: number;
  metric: string;
  sources: number;
  single: number;
  oracleGain: number;
  rewardGain: number;
  /** Of `rewardGain`, over sources. */
  standardError: number;
}

export function judgeBestOf(figures: BestOf): Finding {
  const { n, metric, sources, single, oracleGain, rewardGain, standardError } = figures;
  const margin = LINES.standardErrors * standardError;
  const base = {
    check: "best-of-n",
    question: `Does choosing the best of ${n} by the reward improve ${metric}?`,
    answer:
      `One sample has ${metric} ${single.toFixed(1)}; the reward's choice of ${n} gains ${signed(rewardGain)} ` +
      `± ${margin.toFixed(1)}, the best possible choice ${signed(oracleGain)} (${sources} validation sources).`,
  } as const;
  if (oracleGain < LINES.oracleGain)
    return {
      ...base,
      state: "bad",
      advice:
        "Even the best candidate is hardly better than any: raise the temperature or draw more samples.",
    };
  if (rewardGain + margin < 0)
    return {
      ...base,
      state: "bad",
      advice: "What the reward prefers is worse: training on it would lower quality. Mend the reward first.",
    };
  if (rewardGain - margin <= 0)
    return {
      ...base,
      state: "weak",
      advice:
        "It cannot be told from chance whether the reward chooses well. Mend the reward, or measure on more sources.",
    };
  return { ...base, state: "good", advice: "" };
}

/** What sampling gives at one temperature; all rows of as many samples a source. */
export interface TemperatureRow {
  temperature: number;
  /** Share of a source's samples that differ. */
  uniqueShare: number;
  /** Nats a token. */
  entropy: number;
  /** The reward's standard deviation within a source. */
  spread: number;
  /** Held-out metric of the best possible choice. */
  oracle: number;
  /** Share of samples cut at the limit. */
  unfinishedShare: number;
}

/** `rows` holds the configured `temperature` and others. */
export function judgeTemperature(temperature: number, rows: readonly TemperatureRow[]): Finding {
  const own = rows.find((row) => row.temperature === temperature)!;
  const best = rows.reduce((a, b) => (b.oracle > a.oracle ? b : a));
  const shown = rows.map(
    (row) =>
      `at ${row.temperature}: ${percent(row.uniqueShare)} differ, entropy ${row.entropy.toFixed(2)} nats a token, ` +
      `spread ${points(row.spread)}, best candidate ${row.oracle.toFixed(1)}`,
  );
  const base = {
    check: "temperature",
    question: `Is the temperature, ${temperature}, high enough to explore?`,
    answer: `Samples ${shown.join("; ")}.`,
  } as const;
  if (own.uniqueShare < LINES.uniqueShare.bad)
    return {
      ...base,
      state: "bad",
      advice: "Most samples of a source are copies of each other: raise grow.temperature.",
    };
  if (own.unfinishedShare > LINES.unfinished)
    return {
      ...base,
      state: "weak",
      advice: `${percent(own.unfinishedShare)} of the samples are cut at grow.maxTokens: lower grow.temperature or raise grow.maxTokens.`,
    };
  if (best.oracle - own.oracle > LINES.temperatureGain)
    return {
      ...base,
      state: "weak",
      advice: `The best candidates are better at ${best.temperature}: set grow.temperature to that.`,
    };
  if (own.uniqueShare < LINES.uniqueShare.good)
    return {
      ...base,
      state: "weak",
      advice: "Many samples are copies: more of them add little, a somewhat higher grow.temperature does.",
    };
  return { ...base, state: "good", advice: "" };
}

export interface Cost {
  /** Of the steps that are done, and of those that are left. */
  doneSeconds: number;
  leftSeconds: number;
  /** Samples that Grow draws a second, measured now. */
  samplesPerSecond: number;
  budgetHours: number;
}

export function judgeCost({ doneSeconds, leftSeconds, samplesPerSecond, budgetHours }: Cost): Finding {
  const budget = budgetHours * 3600;
  const base = {
    check: "cost",
    question: "Is sampling affordable?",
    answer:
      `About ${duration(leftSeconds)} are left of the whole run's ${duration(doneSeconds + leftSeconds)}, at ` +
      `${samplesPerSecond.toFixed(0)} samples a second on this machine; ${duration(budget)} were allowed for.`,
  } as const;
  if (leftSeconds > LINES.overBudget * budget)
    return {
      ...base,
      state: "bad",
      advice: "Lower grow.samples, or set grow.maxSources: sampling and scoring cost in proportion.",
    };
  if (leftSeconds > budget)
    return {
      ...base,
      state: "weak",
      advice: "Lower grow.samples or grow.maxSources somewhat, or allow more with --hours.",
    };
  return { ...base, state: "good", advice: "" };
}

/** The same candidates scored twice. */
export interface Repeat {
  candidates: number;
  largestDifference: number;
  /** Where the run keeps the first score of each candidate, so that the same text never scores otherwise within it. */
  kept?: Spread;
}

export function judgeRepeat({ candidates, largestDifference, kept }: Repeat): Finding {
  const base = {
    check: "repeat",
    question: "Does the reward give the same score twice?",
    answer: `Of ${candidates} candidates scored twice the largest difference is ${largestDifference.toPrecision(1)}.`,
  } as const;
  // Chance that stays with a candidate for good is noise among candidates.
  if (kept && kept.spread >= LINES.spreadToNoise.good * kept.noise)
    return { ...base, answer: `${base.answer} The run keeps the first.`, state: "good", advice: "" };
  return largestDifference <= LINES.repeat
    ? { ...base, state: "good", advice: "" }
    : {
        ...base,
        state: "bad",
        advice:
          "The best of many is then the luckiest. Take chance out of the reward, or score each candidate several times and average.",
      };
}

/**
 * One answer of all findings: without a reward that chooses well and gives the same twice, no other figure helps. That it chooses
 * well is measured by another metric; where it does beyond chance, noise beside its spread is a doubt alone.
 */
export function diagnose(findings: readonly Finding[]): Diagnosis {
  const of = (state: State) => findings.filter((finding) => finding.state === state);
  const mendable = new Set<Finding["check"]>(["temperature", "cost"]);
  if (of("good").some(({ check }) => check === "best-of-n")) mendable.add("spread");
  const essential = of("bad").filter(({ check }) => !mendable.has(check));
  const doubts = [...of("bad"), ...of("weak")].map(({ check }) => NAMES[check]);
  const [outcome, sentence]: [Diagnosis["outcome"], string] =
    essential.length > 0
      ? ["unlikely", `ReST is unlikely to help as things are: look at ${listed(doubts)} first.`]
      : doubts.length > 0
        ? ["uncertain", `ReST may help, but look at ${listed(doubts)} first.`]
        : ["likely", "ReST is likely to help here."];
  return { outcome, sentence, findings: [...findings] };
}

const NAMES: Readonly<Record<Finding["check"], string>> = {
  spread: "the reward's spread",
  "best-of-n": "what the reward prefers",
  temperature: "the temperature",
  cost: "the cost",
  repeat: "the reward's chance",
};

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function points(reward: number): string {
  return (100 * reward).toFixed(1);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}
