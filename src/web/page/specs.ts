/** Vega-lite specifications of the charts that compare: colour, shape and dashes tell lines apart, with any colour vision. */

/** Okabe and Ito's palette as variables of the style sheet; after the comma what holds in a saved file. */
const COLOURS = [
  "var(--chart-blue, #0072B2)",
  "var(--chart-vermillion, #D55E00)",
  "var(--chart-green, #009E73)",
  "var(--chart-purple, #B0538A)",
  "var(--chart-orange, #E69F00)",
  "var(--chart-sky, #56B4E9)",
];
const SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"];
const INK = "currentColor";

export interface Axis {
  title: string;
  /** Ends of the axis; where the data end when absent. */
  domain?: readonly [number, number];
}

/** A place of a line; `low` and `high` are the ends of its interval. */
export interface Place {
  x: number;
  y: number;
  low?: number;
  high?: number;
  label?: string;
}

export interface Line {
  name: string;
  /** Lines of one colour belong together, such as two of one run; from 0. */
  colour: number;
  points: readonly Place[];
  /** `path` joins the points, `curve` draws the line without them, `dots` the points alone. */
  draw: "path" | "curve" | "dots";
  dashed?: boolean;
  /** For many points. */
  faint?: boolean;
}

/** Lines over a plane, named in a legend below. The drawing scales with the page. */
export function planeSpec({
  title,
  x,
  y,
  lines,
}: {
  title: string;
  x: Axis;
  y: Axis;
  lines: readonly Line[];
}): object {
  const names = lines.map(({ name }) => name);
  const known = <T>(of: (line: Line) => T) => ({ domain: names, range: lines.map(of) });
  const legend = {
    title: null,
    orient: "bottom",
    direction: "vertical",
    columns: names.length > 4 ? 2 : 1,
    labelLimit: 0,
    symbolOpacity: 1,
  };
  const colour = {
    field: "line",
    type: "nominal",
    scale: known((line) => COLOURS[line.colour % COLOURS.length]),
    legend,
  };
  const shape = {
    field: "line",
    type: "nominal",
    scale: known((line) => SHAPES[line.colour % SHAPES.length]),
    legend,
  };
  const axis = ({ title: words, domain }: Axis, field: string) => ({
    field,
    type: "quantitative",
    title: words,
    scale: domain ? { domain, nice: false, zero: false } : { zero: false },
  });
  const [across, up] = [axis(x, "x"), axis(y, "y")];
  const rows = (draws: (line: Line) => boolean) =>
    lines.filter(draws).flatMap(({ name, points, dashed, faint }) =>
      points
        .filter((point) => Number.isFinite(point.x + point.y))
        .map((point, order) => ({
          line: name,
          ...point,
          order,
          dashed: dashed === true,
          faint: faint === true,
        })),
    );
  const intervals = rows(() => true).filter(({ low, high }) => low !== undefined && high !== undefined);
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: { text: title, anchor: "start", fontSize: 14, color: INK },
    width: 380,
    height: 240,
    autosize: { type: "pad" },
    background: "transparent",
    config: {
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
        titleFontSize: 12,
        titleFontWeight: 400,
        labelPadding: 6,
        tickCount: 6,
      },
      legend: { labelColor: INK, labelFontSize: 12, symbolSize: 60 },
    },
    layer: [
      {
        data: { values: rows(({ draw }) => draw !== "dots") },
        mark: { type: "line", strokeWidth: 2, clip: true },
        encoding: {
          x: across,
          y: up,
          color: colour,
          order: { field: "order", type: "quantitative" },
          strokeDash: {
            field: "dashed",
            type: "nominal",
            scale: {
              domain: [false, true],
              range: [
                [1, 0],
                [6, 4],
              ],
            },
            legend: null,
          },
        },
      },
      {
        data: { values: intervals },
        mark: { type: "rule", opacity: 0.55, strokeWidth: 1.5 },
        encoding: { x: across, y: { ...up, field: "low" }, y2: { field: "high" }, color: colour },
      },
      {
        data: { values: rows(({ draw }) => draw !== "curve") },
        mark: { type: "point", filled: true, size: 55 },
        encoding: {
          x: across,
          y: up,
          color: colour,
          shape,
          opacity: {
            field: "faint",
            type: "nominal",
            scale: { domain: [false, true], range: [0.95, 0.3] },
            legend: null,
          },
        },
      },
    ],
  };
}

/** Horizontal bars from 0 to 1 as percentages, the longest names left. */
export function shareBarsSpec({
  title,
  bars,
  axis,
}: {
  title: string;
  axis: string;
  bars: readonly { name: string; share: number; weak: boolean }[];
}): object {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: { text: title, anchor: "start", fontSize: 14, color: INK },
    width: 260,
    height: { step: 20 },
    autosize: { type: "pad" },
    background: "transparent",
    data: { values: bars.map((bar) => ({ ...bar })) },
    config: {
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
        titleFontSize: 12,
        titleFontWeight: 400,
        labelLimit: 260,
      },
    },
    encoding: { y: { field: "name", type: "nominal", sort: null, title: null } },
    layer: [
      {
        mark: { type: "bar", height: 12 },
        encoding: {
          x: {
            field: "share",
            type: "quantitative",
            title: axis,
            scale: { domain: [0, 1] },
            axis: { format: ".0%", tickCount: 5 },
          },
          color: {
            field: "weak",
            type: "nominal",
            scale: { domain: [false, true], range: [COLOURS[0], COLOURS[1]] },
            legend: null,
          },
        },
      },
    ],
  };
}
