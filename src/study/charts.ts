/** The two kinds of drawing that a study has: lines over steps, and figures side by side, both with their intervals. */

import {
  BLUE,
  type Chart,
  type Curve,
  domain,
  frame,
  GREEN,
  INK,
  type Layer,
  lines,
  NAME_ROOM,
  namedPlaces,
  ORANGE,
  PURPLE,
  pixelOf,
  plotWidth,
  SKY,
  shortName,
  VERMILLION,
  words,
  yAxis,
} from "../report/charts.js";
import { points, withMinus } from "../report/format.js";
import type { Estimate } from "./intervals.js";

/** What a point of a drawing shows. */
export type Drawn = Pick<Estimate, "value" | "low" | "high">;

export interface Line {
  name: string;
  dashed?: boolean;
  /** By place on the axis; a line may have gaps. */
  points: (Drawn & { x: number })[];
}

export interface Drawing {
  name: string;
  title: string;
  subtitle: string;
  /** What it shows in words, before the figures themselves. */
  description: string;
}

/** Colours told apart with any colour vision; beyond them they come round again. */
const COLOURS = [INK, BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY];
const colourOf = (at: number): string => COLOURS[at % COLOURS.length]!;

/** Of the dots of a group. */
const SERIES_COLOURS = [BLUE, GREEN, ORANGE];

const HEIGHT = 240;
/** Least height of an axis, so that noise does not look like a mountain. */
const SPAN = 6;
const WITHIN = { low: -100, high: 100 };

/** Lines over named places (Improve steps, thresholds), or with `doubling` over a logarithmic axis of numbers. */
export function lineChart(
  drawing: Drawing,
  { places, lines: drawn }: { places: readonly string[] | "doubling"; lines: readonly Line[] },
): Chart {
  const every = drawn.flatMap(({ points: each }) => each);
  const range = domain(
    every.flatMap(({ value, low, high }) => [value, low, high]),
    SPAN,
    WITHIN,
  );
  const last = places === "doubling" ? Math.max(...every.map(({ x }) => x)) : Math.max(places.length - 1, 1);
  const spanOfX = [-0.3, last];
  const xScale: object =
    places === "doubling"
      ? { type: "log", base: 2, domain: [1, Math.max(2, last)], nice: false }
      : { domain: spanOfX, nice: false, zero: false };
  const xAxis: object | null =
    places === "doubling"
      ? {
          title: "N, samples to choose from",
          titleFontWeight: 400,
          titleFontSize: 12,
          titleOpacity: 0.75,
          titlePadding: 8,
          grid: false,
          format: "d",
          values: [...new Set(every.map(({ x }) => x))],
        }
      : null;
  const slot = plotWidth(NAME_ROOM) / (last + 0.3);
  // Names of a few letters lie beside each other down to half an inch, turned down to a line's height.
  const turned = slot < 38;
  const isNamed = namedPlaces(places.length, slot);
  const curves: Curve[] = drawn.map(({ name, dashed = false, points: each }, at) => ({
    name: shortName(name),
    colour: colourOf(at),
    dashed,
    points: each.map(({ x, value }) => ({ x, y: value })),
  }));
  const intervals = drawn.map(
    ({ points: each }, at): Layer => ({
      data: { values: each },
      // Side by side, so that none hides another at the same place.
      mark: {
        type: "rule",
        color: colourOf(at),
        strokeWidth: 2,
        opacity: 0.45,
        xOffset: 4 * (at - (drawn.length - 1) / 2),
      },
      encoding: {
        x: { field: "x", type: "quantitative", scale: xScale, axis: xAxis },
        y: { ...yAxis(range, 5), field: "low" },
        y2: { field: "high" },
      },
    }),
  );
  const labels =
    places === "doubling"
      ? []
      : places.flatMap((place, x) =>
          isNamed(x)
            ? words(shortName(place, 12), {
                x: slot * (x + 0.3),
                y: HEIGHT + 18,
                align: turned ? "right" : "center",
                angle: turned ? -50 : 0,
              })
            : [],
        );
  return {
    name: drawing.name,
    description: `${drawing.description} ${drawn
      .map(
        ({ name, points: each }) =>
          `${name}: ${each
            .map(
              ({ x, value }) =>
                `${points(value)} at ${places === "doubling" ? `N = ${x}` : (places[x] ?? x)}`,
            )
            .join(", ")}.`,
      )
      .join(" ")}`,
    spec: lines({
      title: drawing.title,
      subtitle: drawing.subtitle,
      height: HEIGHT,
      range,
      xScale,
      xAxis,
      curves,
      extra: [...intervals, ...labels],
    }),
  };
}

/** Figures side by side, each with its interval, and a name below; a group has one dot for each of `series`. */
export function dotChart(
  drawing: Drawing,
  {
    series,
    groups,
  }: { series: readonly string[]; groups: readonly { name: string; dots: readonly Drawn[] }[] },
): Chart {
  const right = 24;
  const crowded = groups.length > 5;
  const slot = plotWidth(right) / Math.max(groups.length, 2);
  const range = domain(
    groups.flatMap(({ dots }) => dots.flatMap(({ value, low, high }) => [value, low, high])),
    SPAN,
    WITHIN,
    0.18,
  );
  // A group takes a third of its slot.
  const values = groups.flatMap(({ dots }, group) =>
    dots.map((dot, at) => ({ ...dot, series: at, at: group + 0.5 + ((at + 0.5) / dots.length - 0.5) / 3 })),
  );
  const x = {
    field: "at",
    type: "quantitative" as const,
    scale: { domain: [0, Math.max(groups.length, 2)], nice: false, zero: false },
    axis: null,
  };
  const y = { field: "value", ...yAxis(range, 5) };
  return {
    name: drawing.name,
    description: `${drawing.description} ${groups
      .map(
        ({ name, dots }) =>
          `${name}: ${dots.map(({ value }, at) => `${series[at]} ${points(value)}`).join(", ")}`,
      )
      .join("; ")}.`,
    spec: frame({
      title: drawing.title,
      subtitle: drawing.subtitle,
      height: HEIGHT,
      right,
      bottom: crowded ? 84 : 34,
      layers: [
        ...series.flatMap((_, at): Layer[] => {
          const data = { values: values.filter((dot) => dot.series === at) };
          const color = SERIES_COLOURS[at % SERIES_COLOURS.length]!;
          return [
            {
              data,
              mark: { type: "rule", color, strokeWidth: 2, opacity: 0.55 },
              encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
            },
            {
              data,
              mark: { type: "point", color, filled: true, size: 60, opacity: 1 },
              encoding: { x, y },
            },
          ];
        }),
        ...values.map(({ at, value, high }) =>
          words(withMinus(value, 1), {
            x: slot * at,
            y: pixelOf(high, range, HEIGHT) - 9,
            align: "center",
            weight: 600,
          }),
        ),
        ...groups.map(({ name }, group) =>
          words(shortName(name, crowded ? 14 : 16), {
            x: slot * (group + 0.5),
            y: HEIGHT + 18,
            align: crowded ? "right" : "center",
            angle: crowded ? -50 : 0,
          }),
        ),
      ],
    }),
  };
}
