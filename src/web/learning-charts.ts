/** How training went, from the lines of metrics.jsonl: losses and what the looks at the validation part saw. */

import {
  BLUE,
  type Curve,
  domain,
  GREEN,
  INK,
  lines,
  ORANGE,
  PURPLE,
  SKY,
  shortName,
} from "../report/charts.js";
import { decimal } from "../report/format.js";
import { BC, isOnlinePolicy, parsePolicyName } from "../rest/names.js";
import type { MetricRecord } from "../store/metrics.js";
import type { ChartView } from "./protocol.js";

/** Curves that one chart can hold apart. */
const MOST_CURVES = 6;

const COLOURS = [BLUE, ORANGE, GREEN, PURPLE, SKY, INK];

/** One look at a policy in training. */
interface LookRow {
  step: number;
  /** Of training, nats a token; null at the start. */
  loss: number | null;
  /** BC: minus the validation loss; Improve: the mean reward on the validation part, in [0, 1]. */
  score: number;
}

/** The charts that the records have figures for. */
export function learningCharts(records: readonly MetricRecord[]): ChartView[] {
  const trained = records.flatMap(({ step, evaluations }) =>
    typeof step === "string" && parsePolicyName(step) && !isOnlinePolicy(step)
      ? [{ name: step, looks: looksOf(evaluations) }]
      : [],
  );
  const first = trained.find(({ name }) => name === BC);
  const improved = trained.filter(({ name }) => name !== BC).slice(-MOST_CURVES);
  const losses = (looks: readonly LookRow[]) =>
    looks.flatMap(({ step, loss }) => (loss === null ? [] : [{ x: step, y: loss }]));
  return [
    chart("bc-loss", "Loss of the first policy", "nats a token, by training step", 3, [
      { name: "training", points: losses(first?.looks ?? []) },
      { name: "validation", points: (first?.looks ?? []).map(({ step, score }) => ({ x: step, y: -score })) },
    ]),
    chart(
      "improve-loss",
      "Loss of each Improve step",
      "nats a token, by training step",
      3,
      improved.map(({ name, looks }) => ({ name, points: losses(looks) })),
    ),
    chart(
      "validation-reward",
      "Reward while improving",
      "of samples, validation part, 0 to 100, by training step",
      1,
      improved.map(({ name, looks }) => ({
        name,
        points: looks.map(({ step, score }) => ({ x: step, y: 100 * score })),
      })),
    ),
  ].filter((made) => made !== undefined);
}

function looksOf(evaluations: MetricRecord[string]): LookRow[] {
  if (!Array.isArray(evaluations)) return [];
  return evaluations.flatMap((row: unknown) => {
    if (typeof row !== "object" || row === null || !("step" in row) || !("score" in row)) return [];
    const { step, score } = row;
    const loss = "loss" in row && typeof row.loss === "number" ? row.loss : null;
    return typeof step === "number" && typeof score === "number" ? [{ step, loss, score }] : [];
  });
}

function chart(
  name: string,
  title: string,
  subtitle: string,
  digits: number,
  given: readonly Pick<Curve, "name" | "points">[],
): ChartView | undefined {
  const curves = given.filter(({ points }) => points.length > 0);
  if (curves.length === 0) return undefined;
  const all = curves.flatMap(({ points }) => points);
  const range = domain(
    all.map(({ y }) => y),
    digits === 1 ? 4 : 0.2,
    { low: 0, high: Math.max(100, ...all.map(({ y }) => 2 * y)) },
  );
  const last = Math.max(...all.map(({ x }) => x));
  return {
    name,
    description: `${title}, ${subtitle}. ${curves
      .map(({ name: each, points }) => {
        const [start, end] = [points[0]!, points.at(-1)!];
        return `${each}: ${decimal(start.y, digits)} at step ${start.x}, ${decimal(end.y, digits)} at step ${end.x}.`;
      })
      .join(" ")}`,
    spec: lines({
      title,
      subtitle,
      height: 220,
      range,
      xScale: { domain: [0, Math.max(1, last)], nice: false, zero: true },
      xAxis: { title: null, tickCount: 5, grid: false, format: "d" },
      curves: curves.map(({ name: each, points }, at) => ({
        name: shortName(each),
        colour: COLOURS[at % COLOURS.length]!,
        dashed: each.endsWith("-random"),
        points,
      })),
    }),
  };
}
