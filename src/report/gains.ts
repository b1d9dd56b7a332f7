/** What each step away from BC gained, and the curves through it: the figures of the over-optimisation charts. */

import { bestOfNKl } from "../evaluate/kl.js";
import { fitGain, type GainFit, type GainForm, type GainPoint } from "../evaluate/over-optimisation.js";
import type { Metric, PolicySummary, RunSummary } from "../store/summary.js";
import { baseline, judgeName, steps } from "./figures.js";
import { count } from "./format.js";

/** A place at `distance` = √KL from BC, where the figure is `gain` points of 100 above BC's. */
export interface NamedGain extends GainPoint {
  name: string;
}

/** What policies gain or lose: their reward, a metric, or what `evaluate.judge` says. */
export type GainFigure = "reward" | Metric | "judge";

export interface GainSeries {
  /** `reward, policies`, `reward, best of N`, and the same of the held-out metric; of the judge, `judge, policies`. */
  name: `${"reward" | "held-out" | "judge"}, ${"policies" | "best of N"}`;
  figure: GainFigure;
  form: GainForm;
  points: NamedGain[];
  fit: GainFit;
}

type JudgedPolicy = Pick<
  PolicySummary,
  "name" | "grow" | "improve" | "control" | "reward" | "bleu" | "chrf" | "judge" | "klFromBc"
>;

/** What of a run gains are read from: there before the run is finished, too. */
export interface JudgedRun extends Pick<RunSummary, "bestOfN" | "heldOut"> {
  policies: readonly JudgedPolicy[];
}

/** How many times as far as the furthest point a peak may lie and still be said. */
const REACH = 2;

/** The peak of a fitted curve and whether the points reach it, or why none is decided. */
export function peakOf(fit: GainFit): { peak: GainPoint; reached: boolean } | { undecided: string } {
  if ("undecided" in fit) return fit;
  const { peak, furthest } = fit.curve;
  if (peak.distance > REACH * furthest) return { undecided: "the points hardly curve" };
  return { peak, reached: peak.distance <= furthest };
}

/** In words; the judge by its own name. */
export function figureName(run: Pick<JudgedRun, "policies">, figure: GainFigure): string {
  return figure === "judge" ? (judgeName(run) ?? "judge") : metricName(figure);
}

export function metricName(figure: "reward" | Metric): string {
  return { reward: "reward", bleu: "BLEU", chrf: "chrF" }[figure];
}

/** The figure in points, 0 to 100; NaN where the policy has none. */
export function figureOf(policy: JudgedPolicy, figure: GainFigure): number {
  if (figure === "judge") return (policy.judge?.mean.value ?? Number.NaN) * 100;
  return figure === "reward" ? policy.reward.value * 100 : policy[figure].value;
}

/** √KL of a policy from BC, NaN where it is not known; that of BC from itself is 0 whatever was stored. */
export function distanceOf(summary: JudgedRun, policy: JudgedPolicy): number {
  if (policy.klFromBc === null) return Number.NaN;
  return policy === baseline(summary) ? 0 : Math.sqrt(Math.max(0, policy.klFromBc));
}

/**
 * The reward, the held-out metric and the judge, each along the policies of ReST (fitted in the form of reinforcement
 * learning), the first two also along the best of N of BC's samples, whose KL is log n − (n − 1)/n and which no judge
 * scores. Series without a point away from BC are left out.
 */
export function gainSeries(summary: JudgedRun): GainSeries[] {
  const start = baseline(summary);
  if (start === undefined) return [];
  const figures = [
    { label: "reward", figure: "reward" },
    { label: "held-out", figure: summary.heldOut.metric },
    { label: "judge", figure: "judge" },
  ] as const;
  return figures
    .flatMap(({ label, figure }): Omit<GainSeries, "fit">[] => [
      {
        name: `${label}, policies`,
        figure,
        form: "rl",
        points: steps(summary).flatMap((policy) =>
          policy === start
            ? []
            : [
                {
                  name: policy.name,
                  distance: distanceOf(summary, policy),
                  gain: figureOf(policy, figure) - figureOf(start, figure),
                },
              ],
        ),
      },
      {
        name: `${label}, best of N`,
        figure,
        form: "best-of-n",
        points: figure === "judge" ? [] : bestOfNGains(summary, figure),
      },
    ])
    .map((series) => ({
      ...series,
      points: series.points.filter(({ distance, gain }) => Number.isFinite(distance + gain)),
    }))
    .filter(({ points }) => points.length > 0)
    .map((series) => ({ ...series, fit: fitGain(series.points, series.form) }));
}

/** Best of N among BC's samples against one of them: both means over single samples. */
function bestOfNGains(summary: JudgedRun, figure: "reward" | Metric): NamedGain[] {
  const name = baseline(summary)?.name;
  const curve = summary.bestOfN.filter(({ policy }) => policy === name).sort((a, b) => a.n - b.n);
  const one = curve.find(({ n }) => n === 1);
  if (one === undefined) return [];
  return curve
    .filter(({ n }) => n > 1)
    .map((point) => ({
      name: `best of ${count(point.n)}`,
      distance: Math.sqrt(bestOfNKl(point.n)),
      gain: figure === "reward" ? (point.reward - one.reward) * 100 : point[figure] - one[figure],
    }));
}
