/** The charts of a run: vega-lite specifications built from the summary, drawn to SVG without a browser. */

import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { type GainFit, type GainForm, gainAt } from "../evaluate/over-optimisation.js";
import type { Interval, PolicySummary, RunSummary } from "../store/summary.js";
import { escapeHtml, shorten, visible } from "./escape.js";
import { baseline, controlNames, controlPairs, judgeName, steps } from "./figures.js";
import { count, decimal, percent, points, rewardPoints, signed, translationsBy } from "./format.js";
import {
  distanceOf,
  figureName,
  figureOf,
  type GainFigure,
  type GainSeries,
  gainSeries,
  peakOf,
} from "./gains.js";
import { bestOfNPolicies } from "./tables.js";

export interface Chart {
  /** Fit for a file name: `reward-by-step`. */
  name: string;
  /** What the chart shows, in words with its figures, for those who cannot see it. */
  description: string;
  spec: TopLevelSpec;
}

export type Layer = Extract<TopLevelSpec, { layer: unknown }>["layer"][number];

/**
 * Okabe and Ito's palette, told apart with any colour vision. A page may set the variables (a lighter blue on a dark
 * ground); elsewhere the colour after the comma holds.
 */
export const BLUE = "var(--chart-blue, #0072B2)";
export const GREEN = "var(--chart-green, #009E73)";
export const VERMILLION = "var(--chart-vermillion, #D55E00)";

/** A random-selection control, told from the policies by shape as well as colour. */
const CONTROL_MARK = {
  type: "point",
  shape: "diamond",
  color: VERMILLION,
  filled: false,
  size: 80,
  strokeWidth: 2,
} as const;
export const PURPLE = "var(--chart-purple, #CC79A7)";
export const ORANGE = "var(--chart-orange, #E69F00)";
export const SKY = "var(--chart-sky, #56B4E9)";
/** Text, axes and the starting policy take the colour of the text around the chart. */
export const INK = "currentColor";

/** Width of every drawing, so that all have letters of one size where a page scales them; the plot is what margins leave. */
const DRAWING_WIDTH = 440;
const LEFT = 44;
export const plotWidth = (right: number): number => DRAWING_WIDTH - LEFT - right;

/** Right margin that holds a name beside the last point. */
export const NAME_ROOM = 118;

/** Mean width of a character of the labels, for placing them: fonts differ from machine to machine, the drawing must not. */
const CHARACTER = 6.8;

/** Names are shortened in charts only; tables and text have them whole. */
export function shortName(name: string, limit = 14): string {
  const short = shorten(visible(name), limit);
  return short.left === 0 ? short.text : `${short.text}…`;
}

/** Characters that a name under the axis may have: names of ReST policies always fit, longer ones must not touch. */
function axisRoom(names: number, slot: number): number {
  return names > CROWDED ? 8 : Math.max(4, Math.floor(slot / CHARACTER) - 2);
}

/** Number of policies from which names are turned, and figures given only where they matter. */
const CROWDED = 12;

/** Pixels that a turned name takes from the next. */
const TURNED = 14;

/** Which of `count` names, `slot` pixels apart, stand under the axis: all, or so many that none touches the next, the last always. */
export function namedPlaces(count: number, slot: number): (at: number) => boolean {
  const every = Math.max(1, Math.ceil(TURNED / slot));
  const last = count - 1;
  return (at) => at === last || (at % every === 0 && last - at >= every);
}

interface Frame {
  title: string;
  subtitle: string;
  height: number;
  right: number;
  bottom?: number;
  layers: Layer[];
}

/**
 * A drawing of a size fixed here: nothing is measured, so that the same summary gives the same bytes whatever fonts or
 * canvas a machine has.
 */
export function frame({ title, subtitle, height, right, bottom = 30, layers }: Frame): TopLevelSpec {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: plotWidth(right),
    height,
    autosize: { type: "none" },
    background: "transparent",
    padding: { left: LEFT, top: 54, right, bottom },
    config: {
      // One picture with one description: roles of its parts, which have no names, would only be read out.
      aria: false,
      mark: { aria: false },
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis: {
        labelColor: INK,
        titleColor: INK,
        gridColor: INK,
        gridOpacity: 0.14,
        domain: false,
        ticks: false,
        labelFontSize: 12,
        labelOpacity: 0.75,
        labelPadding: 8,
        labelLimit: 0,
        labelOverlap: false,
      },
    },
    layer: [
      words(title, { x: -40, y: -38, size: 15, weight: 600 }),
      words(subtitle, { x: -40, y: -20, size: 12, faint: true }),
      ...layers,
    ],
  };
}

interface WordStyle {
  x: number;
  y: number;
  size?: number;
  weight?: number;
  faint?: boolean;
  align?: "left" | "center" | "right";
  angle?: number;
}

/** Text at a place given in pixels from the plot's upper left corner. */
export function words(text: string, style: WordStyle): Layer {
  return {
    data: { values: [{}] },
    mark: {
      type: "text",
      text,
      color: INK,
      align: style.align ?? "left",
      baseline: "middle",
      fontSize: style.size ?? 12,
      fontWeight: style.weight === 600 ? 600 : 400,
      opacity: style.faint ? 0.75 : 1,
      angle: style.angle ?? 0,
      limit: 0,
    },
    encoding: { x: { value: style.x }, y: { value: style.y } },
  };
}

export interface Domain {
  low: number;
  high: number;
}

/** A range that holds all finite `values` with `room` (a share of them) on both sides, at least `span` wide, cut to `within`. */
export function domain(values: number[], span: number, within: Domain, room = 0.12): Domain {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return { low: within.low, high: Math.min(within.high, within.low + span) };
  const lowest = Math.min(...finite);
  const highest = Math.max(...finite);
  const margin = Math.max((highest - lowest) * room, (span - (highest - lowest)) / 2);
  return { low: Math.max(within.low, lowest - margin), high: Math.min(within.high, highest + margin) };
}

export const yAxis = (range: Domain, tickCount: number, format = ""): object => ({
  type: "quantitative",
  scale: { domain: [range.low, range.high], nice: false, zero: false },
  axis: { title: null, tickCount, ...(format === "" ? {} : { format }) },
});

export const pixelOf = (value: number, range: Domain, height: number): number =>
  height * (1 - (value - range.low) / (range.high - range.low || 1));

interface Mark {
  at: number;
  name: string;
  value: number;
  low: number;
  high: number;
}

interface ByStep {
  title: string;
  subtitle: string;
  colour: string;
  height: number;
  /** Least height of the axis, so that noise does not look like a mountain. */
  span: number;
  figure: (policy: PolicySummary) => Interval;
}

/** One figure of each policy with its interval, in the order the policies were made; controls as hollow diamonds. */
function byStep(summary: RunSummary, options: ByStep): TopLevelSpec {
  const all = steps(summary);
  const mark = (policy: PolicySummary, at: number, name: string): Mark => ({
    at,
    name,
    ...options.figure(policy),
  });
  const drawable = ({ value, low, high }: Mark): boolean => [value, low, high].every(Number.isFinite);
  const right = 36;
  const slot = plotWidth(right) / (Math.max(all.length - 1, 1) + 0.8);
  // A little to the right, so that the interval of a control does not hide in that of its counterpart.
  const aside = 10 / slot;
  const line = all
    .map((policy, at) => mark(policy, at, shortName(policy.name, axisRoom(all.length, slot))))
    .filter(drawable);
  const controls = controlPairs(summary)
    .map(({ control, selected }) => mark(control, all.indexOf(selected) + aside, "random"))
    .filter(drawable);
  const range = domain(
    [...line, ...controls].flatMap(({ low, high }) => [low, high]),
    options.span,
    { low: 0, high: 100 },
    20 / (options.height - 40), // 20 pixels above and below, for the figures beside the intervals
  );
  const x = {
    field: "at",
    type: "quantitative" as const,
    scale: { domain: [-0.4, Math.max(all.length - 1, 1) + 0.4], nice: false, zero: false },
    axis: null,
  };
  const y = { field: "value", ...yAxis(range, options.height > 150 ? 5 : 3) };
  const interval = (values: Mark[], colour: string): Layer => ({
    data: { values },
    mark: { type: "rule", color: colour, strokeWidth: 2, opacity: 0.55 },
    encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
  });
  const crowded = all.length > CROWDED;
  const isNamed = namedPlaces(all.length, slot);
  /** A figure beside the axis begins at its point, so that it hides no number of the axis. */
  const alignAt = (at: number) => (slot * (at + 0.4) < 36 && crowded ? "left" : "center");
  const start = line[0];
  return frame({
    title: options.title,
    subtitle: options.subtitle,
    height: options.height,
    right,
    bottom: crowded ? 54 : 30,
    layers: [
      ...(start === undefined
        ? []
        : [
            {
              data: { values: [start] },
              mark: { type: "rule", color: INK, strokeDash: [3, 4], opacity: 0.45 },
              encoding: { y },
            } satisfies Layer,
          ]),
      interval(controls, VERMILLION),
      interval(line, options.colour),
      {
        data: { values: line },
        mark: { type: "line", color: options.colour, strokeWidth: 2 },
        encoding: { x, y },
      },
      {
        data: { values: line },
        mark: {
          type: "point",
          color: options.colour,
          filled: true,
          size: 60,
          opacity: 1,
        },
        encoding: { x, y },
      },
      {
        data: { values: controls },
        mark: { ...CONTROL_MARK, opacity: 1 },
        encoding: { x, y },
      },
      ...line
        .filter((_, at) => !crowded || at === 0 || at === line.length - 1)
        .map(({ at, value, low, high }) => {
          // Where a control stands above its counterpart, its figure goes above and the counterpart's below.
          const below = controls.some((control) => control.at === at + aside && control.value > value);
          return words(points(value), {
            x: slot * (at + 0.4),
            y: below ? pixelOf(low, range, options.height) + 11 : pixelOf(high, range, options.height) - 9,
            align: alignAt(at),
            weight: 600,
          });
        }),
      ...controls.map(({ at, value, low, high }) => {
        const above = line.some((other) => other.at + aside === at && other.value < value);
        return words(`random ${points(value)}`, {
          x: slot * (at + 0.4),
          y: above ? pixelOf(high, range, options.height) - 9 : pixelOf(low, range, options.height) + 11,
          align: alignAt(at),
        });
      }),
      ...line
        .filter(({ at }) => isNamed(at))
        .map(({ at, name }) =>
          words(name, {
            x: slot * (at + 0.4),
            y: options.height + 18,
            align: crowded ? "right" : "center",
            angle: crowded ? -50 : 0,
          }),
        ),
    ],
  });
}

const hundredfold = ({ value, low, high }: Interval): Interval => ({
  value: value * 100,
  low: low * 100,
  high: high * 100,
});

function listed(summary: RunSummary, figure: (policy: PolicySummary) => string): string {
  return summary.policies.map((policy) => `${policy.name} ${figure(policy)}`).join(", ");
}

function rewardByStep(summary: RunSummary): Chart {
  return {
    name: "reward-by-step",
    description: `Mean reward of each policy, 0 to 100: ${listed(summary, ({ reward }) => rewardPoints(reward.value))}.`,
    spec: byStep(summary, {
      title: "Mean reward by step",
      subtitle: "0 to 100, sources never trained on; bars: 95 % interval",
      colour: BLUE,
      height: 296,
      span: 6,
      figure: ({ reward }) => hundredfold(reward),
    }),
  };
}

/** What `evaluate.judge` says; absent where no policy has its figures. */
function judgeByStep(summary: RunSummary): Chart | undefined {
  const judge = judgeName(summary);
  if (judge === undefined) return undefined;
  return {
    name: "judge-by-step",
    description: `What the judge ${judge} says of each policy's ${translationsBy(summary.beam)}, 0 to 100: ${listed(summary, (policy) => rewardPoints(policy.judge?.mean.value))}.`,
    spec: byStep(summary, {
      title: `${shortName(judge, 30)} by step`,
      subtitle: "the judge, which no policy is trained for, 0 to 100",
      colour: ORANGE,
      height: 106,
      span: 6,
      figure: ({ judge: judged }) => hundredfold(judged?.mean ?? NOT_MEASURED),
    }),
  };
}

/** Not drawn. */
const NOT_MEASURED: Interval = { value: Number.NaN, low: Number.NaN, high: Number.NaN };

function metricByStep(summary: RunSummary, metric: "bleu" | "chrf"): Chart {
  const label = metric === "bleu" ? "BLEU" : "chrF";
  return {
    name: `${metric}-by-step`,
    description: `${label} of each policy's ${translationsBy(summary.beam)}: ${listed(summary, (policy) => points(policy[metric].value))}.`,
    spec: byStep(summary, {
      title: `${label} by step`,
      subtitle: `${translationsBy(summary.beam)} against the references`,
      colour: metric === "bleu" ? PURPLE : GREEN,
      height: 106,
      span: 6,
      figure: (policy) => policy[metric],
    }),
  };
}

export interface Curve {
  name: string;
  colour: string;
  dashed: boolean;
  points: { x: number; y: number }[];
}

/** Labels pushed apart until no two are closer than a line: top to bottom, then back from the bottom edge. */
function spread(wanted: number[], height: number, apart = 15): number[] {
  const order = wanted.map((_, at) => at).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const placed = [...wanted];
  order.forEach((at, rank) => {
    if (rank > 0) placed[at] = Math.max(placed[at]!, placed[order[rank - 1]!]! + apart);
  });
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const limit = rank === order.length - 1 ? height : placed[order[rank + 1]!]! - apart;
    placed[order[rank]!] = Math.min(placed[order[rank]!]!, limit);
  }
  return placed;
}

interface Curves {
  title: string;
  subtitle: string;
  height: number;
  range: Domain;
  xScale: object;
  xAxis: object | null;
  yFormat?: string;
  curves: Curve[];
  extra?: Layer[];
}

/** Lines with their names at the right end, joined by a thin line where a name had to move. */
export function lines({
  title,
  subtitle,
  height,
  range,
  xScale,
  xAxis,
  yFormat,
  curves,
  extra = [],
}: Curves): TopLevelSpec {
  const x = { field: "x", type: "quantitative" as const, scale: xScale, axis: xAxis };
  const y = { field: "y", ...yAxis(range, 5, yFormat) };
  const end = plotWidth(NAME_ROOM);
  const ends = curves.map(({ points: each }) => pixelOf(each.at(-1)!.y, range, height));
  const labels = spread(ends, height);
  return frame({
    title,
    subtitle,
    height,
    right: NAME_ROOM,
    bottom: 44,
    layers: [
      ...curves.flatMap(({ colour, dashed, points: values }): Layer[] => [
        {
          data: { values },
          mark: { type: "line", color: colour, strokeWidth: 2, ...(dashed ? { strokeDash: [6, 4] } : {}) },
          encoding: { x, y },
        },
        {
          data: { values },
          mark: { type: "point", color: colour, filled: true, size: 36, opacity: 1 },
          encoding: { x, y },
        },
      ]),
      ...curves.flatMap(({ name, colour }, at): Layer[] => [
        {
          data: { values: [{}] },
          mark: { type: "rule", color: colour, opacity: 0.6 },
          encoding: {
            x: { value: end + 4 },
            y: { value: ends[at]! },
            x2: { value: end + 16 },
            y2: { value: labels[at]! },
          },
        },
        words(name, { x: end + 20, y: labels[at]! }),
      ]),
      ...extra,
    ],
  });
}

/** Colours of the policies between the first and the last; beyond them they come round again. */
const BETWEEN = [SKY, GREEN, PURPLE, ORANGE];

/** Most curves one chart can hold apart; beyond it the first, the last of each Grow step and the controls remain, or some of them. */
const MOST_CURVES = 6;
const MOST_CONTROLS = 3;

function bestOfN(summary: RunSummary, metric: "reward" | "chrf"): Chart | undefined {
  const controls = new Set(summary.policies.filter(({ control }) => control).map(({ name }) => name));
  const start = baseline(summary)?.name;
  const every = bestOfNPolicies(summary)
    .map(([name, curve]) => ({
      name,
      points: curve
        .map((point) => ({ x: point.n, y: metric === "reward" ? point.reward * 100 : point.chrf }))
        .filter(({ x, y }) => Number.isFinite(y) && x >= 1),
    }))
    .filter((curve) => curve.points.length > 0);
  const ofGrow = (name: string): number => summary.policies.find((policy) => policy.name === name)?.grow ?? 0;
  const lastOfGrow =
    every.length <= MOST_CURVES
      ? every
      : every.filter(({ name }, at) => {
          if (controls.has(name)) return true;
          const next = every.slice(at + 1).find((later) => !controls.has(later.name));
          return next === undefined || ofGrow(next.name) !== ofGrow(name);
        });
  const line = spaced(
    lastOfGrow.filter(({ name }) => !controls.has(name)),
    MOST_CURVES,
  );
  const beside = spaced(
    lastOfGrow.filter(({ name }) => controls.has(name)),
    MOST_CONTROLS,
  );
  const shown = lastOfGrow.filter((curve) => line.includes(curve) || beside.includes(curve));
  if (shown.length === 0) return undefined;
  const plain = shown.filter(({ name }) => !controls.has(name));
  const colourOf = (name: string): string => {
    if (controls.has(name)) return VERMILLION;
    if (name === start) return INK;
    const at = plain.findIndex((curve) => curve.name === name);
    return at === plain.length - 1 ? BLUE : BETWEEN[Math.max(0, at - 1) % BETWEEN.length]!;
  };
  const sizes = [...new Set(shown.flatMap((curve) => curve.points.map(({ x }) => x)))].sort((a, b) => a - b);
  const largest = sizes.at(-1)!;
  const label = metric === "reward" ? "reward" : "chrF";
  return {
    name: `best-of-n-${metric}`,
    description: `Expected ${label} of the best of N candidates by reward. ${shown
      .map(
        (curve) =>
          `${curve.name}: ${curve.points.map(({ x, y }) => `${points(y)} at N = ${count(x)}`).join(", ")}.`,
      )
      .join(" ")}`,
    spec: lines({
      title: metric === "reward" ? "Reward of the best of N" : "chrF of the same candidates",
      subtitle:
        metric === "reward"
          ? "candidate with the highest reward among N samples"
          : "does the reward pick what the reference supports?",
      height: 220,
      range: domain(
        shown.flatMap((curve) => curve.points.map(({ y }) => y)),
        6,
        { low: 0, high: 100 },
      ),
      xScale: { type: "log", base: 2, domain: [1, Math.max(2, largest)], nice: false },
      xAxis: {
        title: "N, samples to choose from",
        titleFontWeight: 400,
        titleFontSize: 12,
        titleOpacity: 0.75,
        titlePadding: 8,
        values: thinned(sizes),
        grid: false,
        format: "d",
      },
      curves: shown.map((curve) => ({
        name: shortName(curve.name),
        colour: colourOf(curve.name),
        dashed: controls.has(curve.name),
        points: curve.points,
      })),
    }),
  };
}

/** At most so many, the first and the last among them, evenly apart. */
function spaced<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]!);
}

/** Tick positions of a logarithmic axis that lie at least half a doubling apart. */
function thinned(sizes: number[]): number[] {
  const kept: number[] = [];
  for (const size of sizes) if (kept.length === 0 || size >= kept.at(-1)! * 1.4) kept.push(size);
  return kept;
}

function keptByStep(summary: RunSummary): Chart | undefined {
  const controls = controlNames(summary);
  const improves = summary.improves.filter(({ policy }) => !controls.has(policy));
  if (improves.length === 0) return undefined;
  const height = 220;
  const range = { low: 0, high: 100 };
  const last = Math.max(improves.length - 1, 1);
  const share = improves.map(({ keptShare }, x) => ({ x, y: keptShare * 100 }));
  const coverage = improves.map(({ sourcesKept, sources }, x) => ({
    x,
    y: sources === 0 ? 0 : (sourcesKept / sources) * 100,
  }));
  const curves = [
    { name: "sources", colour: ORANGE, dashed: false, points: coverage },
    { name: "candidates", colour: BLUE, dashed: false, points: share },
  ];
  // Names stand at the last point, which with one step is the first: the axis ends where the last point is.
  const domainOfX = improves.length === 1 ? [-0.6, 0] : [-0.3, last];
  const at = (x: number): number =>
    (plotWidth(NAME_ROOM) * (x - domainOfX[0]!)) / (domainOfX[1]! - domainOfX[0]!);
  const crowded = improves.length > 8;
  const isNamed = namedPlaces(improves.length, at(1) - at(0));
  return {
    name: "kept-by-improve-step",
    description: `Share kept by each Improve step: ${improves
      .map(
        ({ policy, keptShare, sourcesKept, sources }) =>
          `${policy} ${percent(keptShare)} of candidates, ${count(sourcesKept)} of ${count(sources)} sources`,
      )
      .join("; ")}.`,
    spec: lines({
      title: "What each Improve step keeps",
      subtitle: "share of candidates above the threshold, and of sources that keep any",
      height,
      range,
      xScale: { domain: domainOfX, nice: false, zero: false },
      xAxis: null,
      yFormat: "d",
      curves,
      extra: [
        ...curves.flatMap(({ points: each }) =>
          each
            .filter(({ x }) => !crowded || x === 0 || x === last)
            .map(({ x, y }) =>
              words(percent(y / 100), {
                x: at(x) - (x === last ? 6 : 0),
                // The last figure stands left of its point: below a falling line, above a rising one.
                y: pixelOf(y, range, height) + (x === last && x > 0 && each[x - 1]!.y > y ? 13 : -12),
                align: x === last || improves.length === 1 ? "right" : "center",
                weight: 600,
              }),
            ),
        ),
        ...improves.flatMap(({ policy }, x) =>
          isNamed(x)
            ? words(shortName(policy), {
                x: at(x),
                y: height + 18,
                align: crowded ? "right" : "center",
                angle: crowded ? -50 : 0,
              })
            : [],
        ),
      ],
    }),
  };
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * A place for each label beside its point that touches no other label or point, where there is one. Of few points one
 * without such a place has its label all the same; of many it has none.
 */
function placeLabels(
  marks: { x: number; y: number; name: string }[],
): ({ x: number; y: number; align: "left" | "right" | "center" } | undefined)[] {
  const few = marks.length <= CROWDED;
  const taken: Box[] = marks.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }));
  return marks.map(({ x, y, name }) => {
    const wide = Array.from(name).length * CHARACTER;
    const places = [
      { x: x + 8, y: y + 11, align: "left" as const, left: x + 8 },
      { x, y: y - 14, align: "center" as const, left: x - wide / 2 },
      { x, y: y + 15, align: "center" as const, left: x - wide / 2 },
      { x: x - 10, y: y - 4, align: "right" as const, left: x - 10 - wide },
      { x: x + 10, y: y + 20, align: "left" as const, left: x + 10 },
      { x: x - 10, y: y - 20, align: "right" as const, left: x - 10 - wide },
    ];
    const box = (place: (typeof places)[number]): Box => ({
      left: place.left,
      right: place.left + wide,
      top: place.y - 7,
      bottom: place.y + 7,
    });
    const free =
      places.find(
        (place) =>
          box(place).left > 0 &&
          box(place).right < DRAWING_WIDTH - LEFT &&
          !taken.some((other) => overlap(other, box(place))),
      ) ?? (few ? places[0]! : undefined);
    if (!free) return undefined;
    taken.push(box(free));
    return { x: free.x, y: free.y, align: free.align };
  });
}

/** A mark of a chart against √KL. */
interface Place {
  x: number;
  y: number;
  name: string;
}

/** Points along a fitted curve from BC to `furthest`, at BC's own height at 0. */
function fitted(fit: GainFit, start: number, furthest: number): { x: number; y: number }[] {
  if ("undecided" in fit) return [];
  const { curve } = fit;
  return Array.from({ length: CURVE_POINTS + 1 }, (_, i) => {
    const x = (furthest * i) / CURVE_POINTS;
    return { x, y: start + gainAt(curve, x) };
  });
}

const CURVE_POINTS = 60;

/** The points within the axis, numbered by stretch: where a curve leaves the plot and comes back, nothing joins the two. */
function stretchesWithin(values: { x: number; y: number }[], { low, high }: Domain) {
  let stretch = 0;
  return values.flatMap((point) => {
    if (point.y >= low && point.y <= high) return [{ ...point, stretch }];
    stretch++;
    return [];
  });
}

/** A figure against the distance from BC: reward that is bought dearly, or at a held-out metric's expense, shows here. */
function againstKl(summary: RunSummary, figure: GainFigure): Chart | undefined {
  const start = baseline(summary);
  const mark = (policy: PolicySummary): Place => ({
    x: distanceOf(summary, policy),
    y: figureOf(policy, figure),
    name: shortName(policy.name),
  });
  const drawable = ({ x, y }: Place): boolean => Number.isFinite(x) && Number.isFinite(y);
  const path = steps(summary).map(mark).filter(drawable);
  const controls = summary.policies
    .filter(({ control }) => control)
    .map(mark)
    .filter(drawable);
  if (path.length < 2 || start === undefined) return undefined;
  const height = 220;
  const series = gainSeries(summary).filter((each) => each.figure === figure);
  const origin = figureOf(start, figure);
  // The best of N is drawn by what it gains over one sample, from BC's own height.
  const choices = series
    .filter(({ form }) => form === "best-of-n")
    .flatMap(({ points: places }) => places)
    .map(({ name, distance, gain }): Place => ({ x: distance, y: origin + gain, name }));
  const all = [...path, ...controls];
  const furthest = Math.max(0.5, ...[...all, ...choices].map(({ x }) => x));
  const ofForm = (form: GainForm) => {
    const found = series.find((each) => each.form === form);
    return found === undefined || !Number.isFinite(origin) ? [] : fitted(found.fit, origin, furthest);
  };
  const [alongPolicies, alongChoices] = [ofForm("rl"), ofForm("best-of-n")];
  const range = domain(
    [...all, ...choices].map(({ y }) => y),
    6,
    { low: 0, high: 100 },
  );
  const x = {
    field: "x",
    type: "quantitative" as const,
    scale: { domain: [-furthest * 0.04, furthest * 1.04], nice: false, zero: false },
    axis: {
      title: "√KL from BC (square root of nats)",
      titleFontWeight: 400 as const,
      titleFontSize: 12,
      titleOpacity: 0.75,
      titlePadding: 8,
      tickCount: 5,
      grid: false,
    },
  };
  const y = { field: "y", ...yAxis(range, 5) };
  const colour = { reward: BLUE, chrf: GREEN, bleu: PURPLE, judge: ORANGE }[figure];
  const label = figure === "reward" ? "Mean reward" : shortName(figureName(summary, figure), 24);
  const right = 60;
  const places = placeLabels(
    all.map((each) => ({
      name: each.name,
      x: (plotWidth(right) * (each.x + furthest * 0.04)) / (furthest * 1.08),
      y: pixelOf(each.y, range, height),
    })),
  );
  const curve = (values: { x: number; y: number }[], ink: string): Layer => ({
    data: { values: stretchesWithin(values, range) },
    mark: { type: "line", color: ink, strokeWidth: 1.5, strokeDash: [5, 4], opacity: 0.8 },
    encoding: { x, y, detail: { field: "stretch", type: "nominal" } },
  });
  return {
    name: `${figure}-against-kl`,
    description: `${label} against the square root of the KL divergence from BC: ${all
      .map((each) => `${each.name} at ${decimal(each.x, 2)}: ${points(each.y)}`)
      .join(", ")}.${series.map((each) => ` ${peakWords(each)}`).join("")}`,
    spec: frame({
      title: `${label} against distance from BC`,
      subtitle:
        choices.length > 0
          ? "dots: policies; circles: best of N of BC; dashed: fitted"
          : figure === "reward"
            ? "how much reward each bit of change buys"
            : "falling while reward rises: gaming",
      height,
      right,
      bottom: 44,
      layers: [
        curve(alongPolicies, colour),
        curve(alongChoices, ORANGE),
        {
          data: { values: path.map((each, order) => ({ ...each, order })) },
          mark: { type: "line", color: colour, strokeWidth: 1.5, opacity: 0.6 },
          encoding: { x, y, order: { field: "order", type: "quantitative" } },
        },
        {
          data: { values: choices },
          mark: { type: "point", color: ORANGE, filled: false, size: 40, opacity: 1 },
          encoding: { x, y },
        },
        {
          data: { values: path },
          mark: { type: "point", color: colour, filled: true, size: 60, opacity: 1 },
          encoding: { x, y },
        },
        {
          data: { values: controls },
          mark: CONTROL_MARK,
          encoding: { x, y },
        },
        ...all.flatMap(({ name }, at) => {
          const place = places[at];
          return place ? words(name, place) : [];
        }),
      ],
    }),
  };
}

/** What the curve through a series says, for those who cannot see it. */
function peakWords({ form, fit }: GainSeries): string {
  const along = form === "rl" ? "Along the policies" : "Along the best of N";
  const found = peakOf(fit);
  if ("undecided" in found) return `${along} no peak is decided (${found.undecided}).`;
  const { distance, gain } = found.peak;
  return `${along} the fitted curve is highest at ${decimal(distance, 2)}, ${signed(gain)} over BC.`;
}

/** Every chart that the summary has figures for, in the order of the page. */
export function charts(summary: RunSummary): Chart[] {
  if (summary.policies.length === 0) return [];
  return [
    rewardByStep(summary),
    metricByStep(summary, "chrf"),
    metricByStep(summary, "bleu"),
    judgeByStep(summary),
    keptByStep(summary),
    bestOfN(summary, "reward"),
    bestOfN(summary, "chrf"),
    againstKl(summary, "reward"),
    againstKl(summary, summary.heldOut.metric),
    againstKl(summary, "judge"),
  ].filter((chart) => chart !== undefined);
}

export interface DrawOptions {
  /** A picture to stand alone in a file: fixed colours on white, no variables. Otherwise it follows the page around it. */
  standalone?: boolean;
}

/** Draws a chart as an SVG element; the same chart gives the same bytes. */
export async function drawSvg(chart: Chart, options: DrawOptions = {}): Promise<string> {
  const view = new vega.View(vega.parse(compile(chart.spec).spec), { renderer: "none" });
  const drawn = await view.toSVG();
  view.finalize();
  const described = drawn.replace(
    "<svg ",
    () => `<svg role="img" aria-label="${escapeHtml(visible(chart.description))}" `,
  );
  if (!options.standalone) return described;
  return described
    .replace(/(fill|stroke)="var\([^,"]*, (#[0-9A-Fa-f]{6})\)"/g, '$1="$2"')
    .replace(/(fill|stroke)="currentColor"/g, '$1="#1b1f24"')
    .replace(/<svg [^>]*>/, (opening) => `${opening}<rect width="100%" height="100%" fill="#ffffff"/>`);
}
