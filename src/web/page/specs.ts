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
/** Pixels drawn and left out: of whole lines, and of dashed ones. */
const DASHES = [
  [1, 0],
  [6, 4],
];
const INK = "currentColor";

const CONFIG = {
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
    labelLimit: 260,
    titleFontSize: 12,
    titleFontWeight: 400,
    labelPadding: 6,
    tickCount: 6,
  },
  legend: { labelColor: INK, labelFontSize: 12, symbolSize: 60 },
};

export interface Axis {
  title: string;
  /** Whether 0 must be on it. */
  zero?: boolean;
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
  /** Of the points, from 0; that of the colour's number when absent. */
  shape?: number;
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
  // One line is named by the title.
  const legend =
    names.length === 1
      ? null
      : {
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
    scale: known(({ colour: own, shape = own }) => SHAPES[shape % SHAPES.length]),
    legend,
  };
  const axis = ({ title: words, domain, zero = false }: Axis, field: string) => ({
    field,
    type: "quantitative",
    title: words,
    scale: domain ? { domain, nice: false, zero: false } : { zero },
  });
  const [across, up] = [axis(x, "x"), axis(y, "y")];
  const rows = (draws: (line: Line) => boolean) =>
    lines
      .filter(draws)
      .flatMap(({ name, points, dashed }) =>
        points
          .filter((point) => Number.isFinite(point.x + point.y))
          .map((point, order) => ({ line: name, ...point, order, dashed: dashed === true })),
      );
  const intervals = rows(() => true).filter(({ low, high }) => low !== undefined && high !== undefined);
  const layers = [
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
          scale: { domain: [false, true], range: DASHES },
          legend: null,
        },
      },
    },
    {
      data: { values: intervals },
      mark: { type: "rule", opacity: 0.55, strokeWidth: 1.5 },
      encoding: { x: across, y: { ...up, field: "low" }, y2: { field: "high" }, color: colour },
    },
    ...[true, false].map((faint) => ({
      data: { values: rows((line) => line.draw !== "curve" && (line.faint ?? false) === faint) },
      mark: { type: "point", filled: true, size: 55, opacity: faint ? 0.3 : 0.95 },
      encoding: { x: across, y: up, color: colour, shape },
    })),
  ];
  const filled = layers.filter(({ data: { values } }) => values.length > 0);
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: { text: title, anchor: "start", fontSize: 14, color: INK },
    width: 380,
    height: 240,
    autosize: { type: "pad" },
    background: "transparent",
    config: CONFIG,
    // A layer without rows has no ends for the axes to take; a chart without any keeps one, to be drawn at all.
    layer: filled.length > 0 ? filled : layers.slice(-1),
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
    config: CONFIG,
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
