/** What the figures say in plain sentences, and what should make a reader doubt them. */

import type { BestOfNPoint, HeldOut, Interval, Metric, PolicySummary, RunSummary } from "../store/summary.js";
import { visible } from "./escape.js";
import { baseline, controlPairs, judgeName, lastStep, steps } from "./figures.js";
import { count, decimal, percent, plural, points, rewardPoints, signed } from "./format.js";
import { gainSeries, metricName, peakOf } from "./gains.js";
import { bestOfNPolicies } from "./tables.js";

/**
 * `good`: what one hopes for, shown by the figures; `bad`: its opposite; `neutral`: cannot be told, or neither;
 * `warning`: a reason to doubt the run or its figures.
 */
type FindingKind = "good" | "bad" | "neutral" | "warning";

export interface Finding {
  kind: FindingKind;
  /** What the sentence is about; at most one warning a topic. */
  topic:
    | "steps"
    | "reward"
    | "bleu"
    | "chrf"
    | "judge"
    | "selection"
    | "gaming"
    | "held-out"
    | "over-optimisation"
    | "guard"
    | "copying"
    | "forgetting"
    | "best-of-n"
    | "ceiling"
    | "ties"
    | "diversity"
    | "length"
    | "repetition"
    | "few-sentences"
    | "unequal-sentences"
    | "unfinished"
    | "thin-filter"
    | "weak-reward"
    | "blind-reward"
    | "missing-figures"
    | "peak";
  text: string;
}

export interface Verdict {
  /** One or two sentences: the answer to "did it get better?". */
  headline: string;
  /** Warnings first, then the rest in the order they are read. */
  findings: Finding[];
}

/** Bounds of the warnings. Rules of thumb of ours, named here so that the page can state them. */
export const BOUNDS = {
  /** Evaluated sentences below which an interval is too wide to see gains of a point or two. */
  sentences: 200,
  /** Mean reward from which hardly any room is left. */
  ceiling: 0.95,
  /** Share of sources whose candidates all score alike. */
  ties: 0.3,
  /** Share of a diversity figure that must remain of BC's: distinct 2-grams vary less than unique samples. */
  distinctLeft: 0.7,
  uniqueLeft: 0.5,
  entropyLeft: 0.5,
  /** Share of candidates cut at the length limit. */
  unfinished: 0.05,
  /** Relative change of the length ratio. */
  length: 0.15,
  /** Rise of the share of repeated words. */
  repetition: 0.02,
  /** Rise of the share of samples that copy their source. */
  copying: 0.05,
  /** Rise of the loss on human translations, in nats a token. */
  forgetting: 0.5,
  /** Share of sources that keep a candidate. */
  sourcesKept: 0.2,
  /** Kendall's τ with the target metric. */
  kendall: 0.2,
  /** Share of damaged translations of a kind that must score below the intact ones; a guess reaches half. */
  noticed: 0.8,
  /** chrF points that best-of-N loses against one sample. */
  bestOfNChrf: 0.5,
} as const;

/** `rose` and `fell` are beyond noise, as `judge` tells it; the others are within. */
export type Change = "rose" | "rose within noise" | "equal" | "fell within noise" | "fell";

/**
 * Compares two intervals by overlap. That is careful: both come from the same sentences, so that intervals which overlap a
 * little can still hide a real change, while intervals apart seldom mislead.
 */
export function change(before: Interval, after: Interval): Change {
  if (after.low > before.high) return "rose";
  if (after.high < before.low) return "fell";
  if (after.value > before.value) return "rose within noise";
  if (after.value < before.value) return "fell within noise";
  return "equal";
}

/** What policies are compared by; `judge` is what `evaluate.judge` says. */
type Figure = "reward" | Metric | "judge";

/** What a figure is multiplied by to stand in points of 100. */
const SCALES: Readonly<Record<Figure, number>> = { reward: 100, bleu: 1, chrf: 1, judge: 100 };

const NOT_MEASURED: Interval = { value: Number.NaN, low: Number.NaN, high: Number.NaN };

/** On the figure's own scale; NaN where the policy has none. */
function intervalOf(policy: Measured, figure: Figure): Interval {
  return figure === "judge" ? (policy.judge?.mean ?? NOT_MEASURED) : policy[figure];
}

/** How a figure went from one policy to another, and what tells that it is beyond noise or not. */
interface Judgement {
  how: Change;
  /** `the 95 % intervals overlap`, or the interval of the difference itself where the summary has it. */
  why: string;
}

/** By the interval of the difference, paired by source, where the summary holds it; else by the overlap of the two. */
function judge(
  { differences = [] }: Pick<RunSummary, "differences">,
  before: Measured,
  after: Measured,
  figure: Figure,
): Judgement {
  const found = differences.find(({ policy, against }) => policy === after.name && against === before.name);
  const difference = found?.[figure];
  if (!difference) {
    const how = change(intervalOf(before, figure), intervalOf(after, figure));
    return { how, why: clear(how) ? "the 95 % intervals do not overlap" : "the 95 % intervals overlap" };
  }
  const { value, low, high } = difference;
  const scale = SCALES[figure];
  return {
    how: change({ value: 0, low: 0, high: 0 }, { value, low, high }),
    why: `95 % interval of the difference ${signed(scale * low)} to ${signed(scale * high)}`,
  };
}

const clear = (how: Change): boolean => how === "rose" || how === "fell";

/** Reads the summary; never throws on one of the right shape, however empty. Sentences are safe for a terminal, not yet for HTML. */
export function verdict(summary: RunSummary): Verdict {
  const { headline, findings } = judged(summary);
  return {
    headline: visible(headline),
    findings: findings.map((finding) => ({ ...finding, text: visible(finding.text) })),
  };
}

function judged(summary: RunSummary): Verdict {
  const start = baseline(summary);
  const last = lastStep(summary);
  if (start === undefined) {
    return {
      headline: "There is nothing to compare yet: the starting policy (BC) has not been evaluated.",
      findings: evaluationWarnings(summary),
    };
  }
  if (last === undefined) {
    return {
      headline: `Only the starting policy (BC) has been evaluated: mean reward ${rewardPoints(start.reward.value)} of 100, chrF ${points(start.chrf.value)}, BLEU ${points(start.bleu.value)}. No Improve step has been evaluated yet.`,
      findings: evaluationWarnings(summary),
    };
  }
  const warnings = [
    ...gamed(summary, start, last).map(({ kind, topic, text }): Finding => ({ kind, topic, text })),
    ...bestOfNGaming(summary),
    ...evaluationWarnings(summary),
    ...policyWarnings(start, last),
    ...improveWarnings(summary),
  ];
  const rest: Finding[] = [
    ...stepByStep(summary),
    metric(summary, "chrf", "chrF", start, last),
    metric(summary, "bleu", "BLEU", start, last),
    ...judgeFinding(summary, start, last),
    { kind: "neutral", topic: "held-out", text: summary.heldOut.why },
    ...overOptimisation(summary),
    ...guarded(summary),
    ...selection(summary),
    ...peak(summary),
  ];
  return { headline: startToLast(summary, start, last), findings: [...warnings, ...rest] };
}

function gamed(summary: RunSummary, start: PolicySummary, last: PolicySummary) {
  return gaming(start, last, summary.heldOut, (figure) => judge(summary, start, last, figure).how);
}

function startToLast(summary: RunSummary, start: PolicySummary, last: PolicySummary): string {
  const { how } = judge(summary, start, last, "reward");
  const figures = `from ${rewardPoints(start.reward.value)} (${start.name}) to ${rewardPoints(last.reward.value)} (${last.name}) of 100`;
  const reward = {
    rose: `Mean reward rose ${figures}, beyond noise`,
    "rose within noise": `Mean reward went ${figures}, a rise within noise`,
    equal: `Mean reward did not change (${figures})`,
    "fell within noise": `Mean reward went ${figures}, a fall within noise`,
    fell: `Mean reward fell ${figures}, beyond noise`,
  }[how];
  const named = judgeName({ policies: [last] });
  const metrics = byMetric([
    { name: "chrF", how: judge(summary, start, last, "chrf").how },
    { name: "BLEU", how: judge(summary, start, last, "bleu").how },
    ...(named === undefined
      ? []
      : [{ name: `the judge ${named}`, how: judge(summary, start, last, "judge").how }]),
  ]);
  const [warning] = gamed(summary, start, last);
  if (how === "rose" && warning?.sure) return `${reward}, but ${metrics}: possible gaming of the reward.`;
  return `${reward}; ${metrics}.`;
}

/** The second half of the headline: what the metrics that nobody trained on did; those that did the same together. */
function byMetric(metrics: readonly { name: string; how: Change }[]): string {
  const together = new Map<string, string[]>();
  for (const { name, how } of metrics) {
    const verb = clear(how) ? how : "stayed within noise";
    together.set(verb, [...(together.get(verb) ?? []), name]);
  }
  // What fell is what a reader must not miss.
  const order = [...together].sort(([a], [b]) => Number(b === "fell") - Number(a === "fell"));
  return order.map(([verb, names]) => `${listed(names)} ${verb}`).join(", ");
}

/** `a`, `a and b`, `a, b and c`. */
function listed(names: readonly string[]): string {
  return [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" and ");
}

function stepByStep(summary: RunSummary): Finding[] {
  const all = steps(summary);
  const moves = all.slice(1).map((after, at) => {
    const before = all[at]!;
    const by = after.reward.value - before.reward.value;
    return { name: after.name, by, how: judge(summary, before, after, "reward").how };
  });
  const rises = moves.filter(({ by }) => by > 0).length;
  const beyond = moves.filter(({ how }) => clear(how));
  const rose =
    moves.length === 1
      ? `Reward ${rises === 1 ? "rose" : "did not rise"} in the one step`
      : rises === moves.length
        ? `Reward rose at each of the ${count(moves.length)} steps`
        : `Reward rose at ${rises === 0 ? "none" : count(rises)} of ${count(moves.length)} steps`;
  const certainty =
    beyond.length === 0
      ? "No single step is beyond noise."
      : beyond.length === moves.length
        ? "Each step is beyond noise."
        : `Beyond noise: ${beyond.map(({ name }) => name).join(", ")}; the others are not.`;
  return [
    {
      kind: moves.some(({ how }) => how === "fell") ? "bad" : beyond.length > 0 ? "good" : "neutral",
      topic: "steps",
      text: `${rose} (${changes(moves)}). ${certainty}`,
    },
  ];
}

/** Steps whose changes are all told; of more, the widest ones. */
const MOST_MOVES = 16;

function changes(moves: readonly { name: string; by: number }[]): string {
  const say = ({ name, by }: { name: string; by: number }) => `${name} ${signed(by * 100)}`;
  if (moves.length <= MOST_MOVES) return moves.map(say).join(", ");
  const sorted = [...moves].sort((a, b) => a.by - b.by);
  return `from ${say(sorted[0]!)} to ${say(sorted.at(-1)!)}`;
}

/** The highest reward is not the last one. */
function peak(summary: RunSummary): Finding[] {
  const all = steps(summary);
  const last = all.at(-1)!;
  const best = all.reduce((a, b) => (b.reward.value > a.reward.value ? b : a));
  if (best === last) return [];
  return [
    {
      kind: "neutral",
      topic: "peak",
      text: `${best.name} has the highest mean reward (${rewardPoints(best.reward.value)}), not the last policy ${last.name} (${rewardPoints(last.reward.value)})${clear(judge(summary, last, best, "reward").how) ? "" : "; the difference is within noise"}.`,
    },
  ];
}

function metric(
  summary: RunSummary,
  topic: "bleu" | "chrf",
  label: string,
  start: PolicySummary,
  last: PolicySummary,
): Finding {
  const before = start[topic];
  const after = last[topic];
  const { how, why } = judge(summary, start, last, topic);
  const figures = `${points(before.value)} → ${points(after.value)}, ${signed(after.value - before.value)}`;
  const text = {
    rose: `${label} rose (${figures}); ${why}.`,
    "rose within noise": `${label} stayed within noise (${figures}): ${why}.`,
    equal: `${label} did not change (${figures}).`,
    "fell within noise": `${label} stayed within noise (${figures}): ${why}.`,
    fell: `${label} fell (${figures}); ${why}.`,
  }[how];
  return { kind: how === "rose" ? "good" : how === "fell" ? "bad" : "neutral", topic, text };
}

/** What `evaluate.judge` says, and whether the reward went the other way. */
function judgeFinding(summary: RunSummary, start: PolicySummary, last: PolicySummary): Finding[] {
  const [before, after] = [start.judge?.mean, last.judge?.mean];
  if (!before || !after) return [];
  const name = `The judge ${last.judge!.name}, which no policy is trained for,`;
  const { how, why } = judge(summary, start, last, "judge");
  const figures = `${rewardPoints(before.value)} → ${rewardPoints(after.value)}, ${signed(100 * (after.value - before.value))}`;
  const parted =
    after.value < before.value && last.reward.value > start.reward.value ? " while the reward rose" : "";
  const text = {
    rose: `${name} rose (${figures}); ${why}.`,
    "rose within noise": `${name} stayed within noise (${figures}): ${why}.`,
    equal: `${name} did not change (${figures}).`,
    "fell within noise": `${name} fell${parted}, within noise (${figures}): ${why}.`,
    fell: `${name} fell${parted} (${figures}); ${why}.`,
  }[how];
  return [{ kind: how === "rose" ? "good" : how === "fell" ? "bad" : "neutral", topic: "judge", text }];
}

/** Selection by reward against as many candidates chosen at random. */
function selection(summary: RunSummary): Finding[] {
  const start = baseline(summary)!;
  const pairs = controlPairs(summary);
  // An online method selects nothing that could be chosen at random instead.
  if (pairs.length === 0 && summary.improves.length === 0 && summary.online) return [];
  if (pairs.length === 0) {
    return [
      {
        kind: "neutral",
        topic: "selection",
        text: "There is no random-selection control in this run, so the gain of choosing by reward cannot be told from the gain of training longer on own samples.",
      },
    ];
  }
  return pairs.map(({ control, selected }): Finding => {
    const { how, why } = judge(summary, control, selected, "reward");
    const gap = signed((selected.reward.value - control.reward.value) * 100);
    const figures = `${selected.name} ${rewardPoints(selected.reward.value)}, ${control.name} ${rewardPoints(control.reward.value)}, ${gap}`;
    const gain = selected.reward.value - start.reward.value;
    const byChance = control.reward.value - start.reward.value;
    const share =
      how === "rose" && gain > 0 && byChance > 0
        ? ` Training on random candidates alone gave ${signed(byChance * 100)} of the ${signed(gain * 100)} over ${start.name}.`
        : "";
    const text = {
      rose: `Choosing by reward beats choosing at random (${figures}; ${why}): selection itself adds to the gain.${share}`,
      "rose within noise": `Choosing by reward cannot be told from choosing at random (${figures}; ${why}): the gain of selection, if any, is within noise.`,
      equal: `Choosing by reward and choosing at random give the same reward (${figures}).`,
      "fell within noise": `Choosing by reward cannot be told from choosing at random (${figures}; ${why}).`,
      fell: `Choosing by reward did worse than choosing at random (${figures}; ${why}): look at the reward and the thresholds.`,
    }[how];
    return { kind: how === "rose" ? "good" : how === "fell" ? "bad" : "neutral", topic: "selection", text };
  });
}

/** The figures that tell gaming from a gain. */
type Measured = Pick<PolicySummary, "name" | "reward" | "bleu" | "chrf" | "judge">;

/** What of a run the sentences on gaming are read from: there before the run is finished, too. */
export interface GamedRun extends Pick<RunSummary, "differences" | "heldOut"> {
  policies: readonly (Measured & Pick<PolicySummary, "grow" | "improve" | "control">)[];
}

/** Of each policy beside the first whose reward is above the first one's while the judge or metrics are below: a sentence. */
export function gamingByPolicy(run: GamedRun): { policy: string; text: string }[] {
  const start = baseline(run);
  if (!start) return [];
  return run.policies
    .filter((policy) => policy !== start && !policy.control)
    .flatMap((policy) =>
      gaming(start, policy, run.heldOut, (figure) => judge(run, start, policy, figure).how).map(
        ({ text }) => ({
          policy: visible(policy.name),
          text: visible(text),
        }),
      ),
    );
}

/**
 * Reward up while a metric or the judge goes down; `sure` when that fall is beyond noise. Within noise only what is of
 * another family than the reward counts, and all of it.
 */
export function gaming(
  start: Measured,
  last: Measured,
  { judges }: HeldOut,
  how = (figure: Metric | "judge") => change(intervalOf(start, figure), intervalOf(last, figure)),
): (Finding & { sure: boolean })[] {
  if (last.reward.value <= start.reward.value) return [];
  const named = start.judge && last.judge && `the judge ${last.judge.name}`;
  const metrics: { metric: Metric | "judge"; label: string }[] = [
    { metric: "chrf", label: "chrF" },
    { metric: "bleu", label: "BLEU" },
    ...(named === undefined ? [] : [{ metric: "judge" as const, label: named }]),
  ];
  const say = (list: typeof metrics): string =>
    listed(
      list.map(({ metric, label }) => {
        const [before, after] = [start, last].map(
          (policy) => intervalOf(policy, metric).value * SCALES[metric],
        );
        return `${label} fell (${points(before)} → ${points(after)})`;
      }),
    );
  const fallen = metrics.filter(({ metric }) => how(metric) === "fell");
  if (fallen.length > 0) {
    return [
      {
        kind: "warning",
        topic: "gaming",
        sure: true,
        text: `Possible gaming of the reward: reward went up (${rewardPoints(start.reward.value)} → ${rewardPoints(last.reward.value)}) while ${say(fallen)}, beyond the intervals. Read the translations before trusting the reward.`,
      },
    ];
  }
  const outside = metrics.filter(({ metric }) => metric === "judge" || judges.includes(metric));
  if (outside.every(({ metric }) => how(metric) === "fell within noise")) {
    return [
      {
        kind: "warning",
        topic: "gaming",
        sure: false,
        text:
          outside.length === 1
            ? `Reward went up while ${say(outside)}. That is within noise, but if it goes on falling the policy is gaming the reward.`
            : `Reward went up while ${say(outside)}. ${outside.length === 2 ? "Both" : "All"} are within noise, but if they go on falling the policy is gaming the reward.`,
      },
    ];
  }
  return [];
}

/** Where the fitted curves turn down, if the points say so. */
function overOptimisation(summary: RunSummary): Finding[] {
  const held = gainSeries(summary).find(({ name }) => name === "held-out, policies");
  if (held === undefined) return [];
  const found = peakOf(held.fit);
  if ("undecided" in found || !found.reached) return [];
  const { peak } = found;
  const furthest = Math.max(...held.points.map(({ distance }) => distance));
  return [
    {
      kind: "neutral",
      topic: "over-optimisation",
      text: `The curve fitted to ${metricName(summary.heldOut.metric)} against the distance from ${baseline(summary)!.name} is highest at √KL ${decimal(peak.distance, 2)}, and the policies go to ${decimal(furthest, 2)}: past the peak, more of this reward costs ${metricName(summary.heldOut.metric)}.`,
    },
  ];
}

/** Steps that the guard on a held-out metric ended. */
function guarded(summary: RunSummary): Finding[] {
  const stopped = summary.improves.flatMap(({ policy, guardedAt }) =>
    guardedAt === undefined ? [] : [`${policy} at training step ${count(guardedAt)}`],
  );
  if (stopped.length === 0) return [];
  return [
    {
      kind: "neutral",
      topic: "guard",
      text: `The guard on a held-out metric ended ${stopped.join(", ")}; what it refused was not kept.`,
    },
  ];
}

/** With rising N the reward picks candidates that chrF likes less. */
function bestOfNGaming(summary: RunSummary): Finding[] {
  const losers = bestOfNPolicies(summary).flatMap(([name, curve]) => {
    const first = curve[0] as BestOfNPoint;
    const last = curve.at(-1) as BestOfNPoint;
    return last.n > first.n && first.chrf - last.chrf > BOUNDS.bestOfNChrf
      ? [
          `${name} (${points(first.chrf)} at N = ${count(first.n)}, ${points(last.chrf)} at N = ${count(last.n)})`,
        ]
      : [];
  });
  if (losers.length === 0) return [];
  return [
    {
      kind: "warning",
      topic: "best-of-n",
      text: `The reward picks worse translations the more it may choose from: chrF of the best of N falls for ${losers.join(", ")}. The reward disagrees with chrF at its top end.`,
    },
  ];
}

/** What makes the evaluation itself doubtful. */
function evaluationWarnings(summary: RunSummary): Finding[] {
  const findings: Finding[] = [];
  const warn = (topic: Finding["topic"], text: string): void => {
    findings.push({ kind: "warning", topic, text });
  };
  const policies = summary.policies;
  const broken = policies.filter((policy) =>
    [policy.reward, policy.bleu, policy.chrf]
      .flatMap(({ value, low, high }) => [value, low, high])
      .some((figure) => !Number.isFinite(figure)),
  );
  if (broken.length > 0) {
    warn(
      "missing-figures",
      `Figures are missing or not finite for ${broken.map(({ name }) => name).join(", ")}: sentences about them mean nothing.`,
    );
  }
  const sizes = policies.map(({ n }) => n);
  const fewest = Math.min(...sizes);
  if (policies.length > 0 && fewest < BOUNDS.sentences) {
    warn(
      "few-sentences",
      `Only ${plural(fewest, "sentence")} evaluated: with fewer than ${count(BOUNDS.sentences)}, gains of a point or two cannot be seen.`,
    );
  }
  if (new Set(sizes).size > 1) {
    warn(
      "unequal-sentences",
      `Policies were evaluated on different numbers of sentences (${count(fewest)} to ${count(Math.max(...sizes))}): their figures are not strictly comparable.`,
    );
  }
  const { kendall } = summary.reward;
  if (typeof kendall === "number" && kendall < BOUNDS.kendall) {
    warn(
      "weak-reward",
      `The learned reward ranks candidates poorly: Kendall's τ with its target metric is ${decimal(kendall, 2)} on unseen sources. A higher reward need not mean a better translation.`,
    );
  }
  const missed = (summary.reward.probe ?? [])
    .filter(({ noticed }) => noticed < BOUNDS.noticed)
    .sort((a, b) => a.noticed - b.noticed);
  if (missed.length > 0) {
    const list = missed.map(({ damage, noticed }) => `${damage} (falls in ${percent(noticed)})`).join(", ");
    warn(
      "blind-reward",
      `The reward often does not fall for ${list}: a policy can learn just that. coppice reward probe shows the texts.`,
    );
  }
  return findings;
}

/** What the last policy does that a mean reward does not show. */
function policyWarnings(start: PolicySummary, last: PolicySummary): Finding[] {
  const findings: Finding[] = [];
  const warn = (topic: Finding["topic"], text: string): void => {
    findings.push({ kind: "warning", topic, text });
  };
  if (last.reward.value >= BOUNDS.ceiling) {
    warn(
      "ceiling",
      `Mean reward of ${last.name} is ${rewardPoints(last.reward.value)} of 100, near its ceiling: the reward can hardly tell candidates apart any more, and further steps cannot show a gain.`,
    );
  }
  const lost = [
    {
      is: `distinct-2 ${decimal(start.diversity.distinct2, 2)} → ${decimal(last.diversity.distinct2, 2)}`,
      now: last.diversity.distinct2,
      bound: start.diversity.distinct2 * BOUNDS.distinctLeft,
    },
    {
      is: `unique samples ${percent(start.diversity.uniqueShare)} → ${percent(last.diversity.uniqueShare)}`,
      now: last.diversity.uniqueShare,
      bound: start.diversity.uniqueShare * BOUNDS.uniqueLeft,
    },
    {
      is: `entropy ${decimal(start.diversity.entropy, 2)} → ${decimal(last.diversity.entropy, 2)} nats`,
      now: last.diversity.entropy,
      bound: (start.diversity.entropy ?? Number.NaN) * BOUNDS.entropyLeft,
    },
  ].filter(({ now, bound }) => now !== null && now < bound);
  if (lost.length > 0) {
    warn(
      "diversity",
      `Diversity has collapsed from ${start.name} to ${last.name} (${lost.map(({ is }) => is).join(", ")}): a next Grow step would find few new candidates.`,
    );
  }
  const longer = last.lengthRatio / start.lengthRatio;
  if (Math.abs(longer - 1) > BOUNDS.length) {
    warn(
      "length",
      `Translations became ${longer > 1 ? "longer" : "shorter"} (length ratio to the references ${decimal(start.lengthRatio, 2)} → ${decimal(last.lengthRatio, 2)}): the reward may be paying for length.`,
    );
  }
  if (last.repetitionRate - start.repetitionRate > BOUNDS.repetition) {
    warn(
      "repetition",
      `Translations repeat themselves more (${percent(start.repetitionRate)} → ${percent(last.repetitionRate)} of words).`,
    );
  }
  if (last.copyRate - start.copyRate > BOUNDS.copying) {
    warn(
      "copying",
      `More samples copy their source (${percent(start.copyRate)} → ${percent(last.copyRate)}): the reward may be paying for words left untranslated.`,
    );
  }
  const forgotten = [
    { where: "training pairs", before: start.lossOnTrain, after: last.lossOnTrain },
    { where: "out-of-domain pairs", before: start.lossOutOfDomain, after: last.lossOutOfDomain },
  ].filter(({ before, after }) => (after ?? Number.NaN) - (before ?? Number.NaN) > BOUNDS.forgetting);
  if (forgotten.length > 0) {
    const list = forgotten.map(
      ({ where, before, after }) => `${where} ${decimal(before, 2)} → ${decimal(after, 2)}`,
    );
    warn(
      "forgetting",
      `Human translations have become less likely (loss in nats a token: ${list.join(", ")}): the policy is forgetting what BC learned.`,
    );
  }
  if (last.unfinishedShare > BOUNDS.unfinished) {
    warn(
      "unfinished",
      `${percent(last.unfinishedShare)} of the samples of ${last.name} were cut at the length limit: raise the limit, or see whether the policy fails to end its sentences.`,
    );
  }
  return findings;
}

/** What the filter of an Improve step leaves to learn from. */
function improveWarnings(summary: RunSummary): Finding[] {
  const findings: Finding[] = [];
  const tied = summary.improves.reduce((most, step) => Math.max(most, step.tiedSources), 0);
  if (tied > BOUNDS.ties) {
    findings.push({
      kind: "warning",
      topic: "ties",
      text: `For ${percent(tied)} of the sources all candidates score alike: nothing is learned from choosing among them. More candidates or a higher temperature may help.`,
    });
  }
  const thin = summary.improves.filter(
    ({ sourcesKept, sources }) => sources > 0 && sourcesKept / sources < BOUNDS.sourcesKept,
  );
  if (thin.length > 0) {
    findings.push({
      kind: "warning",
      topic: "thin-filter",
      text: `Few sources keep a candidate (${thin.map(({ policy, sourcesKept, sources }) => `${policy}: ${count(sourcesKept)} of ${count(sources)}`).join(", ")}): the policy trains on the easy sentences only. A threshold per source keeps the hard ones.`,
    });
  }
  return findings;
}
