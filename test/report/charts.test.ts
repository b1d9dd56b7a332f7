import { beforeAll, describe, expect, test } from "vitest";
import { type Chart, charts, drawSvg } from "../../src/report/charts.js";
import type { RunSummary } from "../../src/store/summary.js";
import { badlyNested, tags, words } from "./markup.js";
import {
  around,
  hostile,
  improveStep,
  long,
  onlyBc,
  parting,
  policy,
  rising,
  withPolicy,
} from "./samples.js";

/** Okabe and Ito, "Color Universal Design" (2008): the eight colours, black being the page's ink here. */
const OKABE_ITO = ["#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"];

function named(summary: RunSummary, name: string): Chart {
  const chart = charts(summary).find((each) => each.name === name);
  if (chart === undefined) throw new Error(`no chart ${name}`);
  return chart;
}

/** Vertical places of the texts that read as one of `labels`. */
function heights(svg: string, labels: string[]): number[] {
  return labels.map((label) => {
    const match = new RegExp(`translate\\([-\\d.]+,([-\\d.]+)\\)"[^>]*>${label}</text>`).exec(svg);
    if (match === null) throw new Error(`no label ${label}`);
    return Number(match[1]);
  });
}

const shapes: [string, RunSummary][] = [
  ["a run with a control", rising()],
  ["two Grow steps of four", long()],
  ["BC alone", onlyBc()],
  [
    "one Improve step and one N",
    rising({ improves: [improveStep("G1I1")], bestOfN: rising().bestOfN.slice(0, 1) }),
  ],
  [
    "figures that are not numbers",
    withPolicy("G1I2", { reward: around(Number.NaN, 1), klFromBc: Number.NaN }),
  ],
  [
    "equal figures everywhere",
    rising({ policies: rising().policies.map((each) => ({ ...each, klFromBc: 0, reward: around(1, 0) })) }),
  ],
  ["hostile text", hostile()],
  ["a judge", parting()],
  ["no policy at all", rising({ policies: [], improves: [], bestOfN: [] })],
];

describe.each(shapes)("%s", (_, summary) => {
  const drawn: string[] = [];
  beforeAll(async () => {
    for (const chart of charts(summary)) drawn.push(await drawSvg(chart));
  });

  test("every chart is whole SVG without a place that is no number", () => {
    for (const svg of drawn) {
      expect(badlyNested(tags(svg))).toEqual([]);
      expect(svg.replace(/<text[^>]*>[^<]*<\/text>/g, "")).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
  test("colours are Okabe and Ito's or the text's own", () => {
    for (const svg of drawn) {
      const colours = Array.from(svg.matchAll(/(?:fill|stroke)="([^"]+)"/g), ([, colour]) => colour!);
      for (const colour of new Set(colours)) {
        if (["none", "currentColor", "transparent"].includes(colour)) continue;
        expect(OKABE_ITO).toContain(/^var\(--chart-[a-z]+, (#[0-9A-F]{6})\)$/.exec(colour)?.[1]);
      }
    }
  });
  test("drawn again, in another order, the bytes are the same", async () => {
    const again: string[] = [];
    for (const chart of charts(summary).reverse()) again.unshift(await drawSvg(chart));
    expect(again).toEqual(drawn);
  });
});

test("a chart without figures is left out", () => {
  expect(charts(onlyBc()).map(({ name }) => name)).toEqual([
    "reward-by-step",
    "chrf-by-step",
    "bleu-by-step",
  ]);
  expect(charts(rising()).map(({ name }) => name)).toEqual([
    "reward-by-step",
    "chrf-by-step",
    "bleu-by-step",
    "kept-by-improve-step",
    "best-of-n-reward",
    "best-of-n-chrf",
    "reward-against-kl",
    "bleu-against-kl",
  ]);
});

test("what a control's steps keep, evaluated or not, is no step of ReST", () => {
  const { improves } = rising();
  const { description } = named(
    rising({ improves: [...improves, improveStep("G1I1-random"), improveStep("G1I2-random")] }),
    "kept-by-improve-step",
  );
  expect(description).toContain("G1I1 30 % of candidates");
  expect(description).not.toContain("random");
});

test("a higher reward stands higher, and every policy's figure is written beside its point", async () => {
  const svg = await drawSvg(named(rising(), "reward-by-step"));
  const places = heights(
    svg,
    ["73.1", "70.3", "66.2", "random 61.2", "60.0"].filter((label) => !label.startsWith("random")),
  );
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(new Set(places).size).toBe(4);
  expect(words(svg)).toContain("random 61.2");
  for (const name of ["BC", "G1I1", "G1I2", "G1I3"]) expect(words(svg)).toContain(name);
});

test("the description for those who cannot see the chart holds its figures", async () => {
  const chart = named(rising(), "reward-by-step");
  expect(chart.description).toBe(
    "Mean reward of each policy, 0 to 100: BC 60.0, G1I1 66.2, G1I2 70.3, G1I3 73.1, G1I3-random 61.2.",
  );
  const svg = tags(await drawSvg(chart))[0]!;
  expect(svg.attributes.get("role")).toBe("img");
  expect(svg.attributes.get("aria-label")).toBe(chart.description);
});

test("best-of-N names at the line ends are at least a line apart, even when the lines end together", async () => {
  const names = ["BC", "G1I1", "G1I2", "G1I3"];
  const summary = rising({
    bestOfN: names.flatMap((policy) =>
      [1, 16].map((n) => ({ policy, n, reward: 0.5 + n / 100, chrf: 50, bleu: 30 })),
    ),
  });
  const places = heights(await drawSvg(named(summary, "best-of-n-reward")), names).sort((a, b) => a - b);
  for (let at = 1; at < places.length; at++) expect(places[at]! - places[at - 1]!).toBeGreaterThanOrEqual(12);
});

test("with many policies, best-of-N shows BC, the last of each Grow step and no more", () => {
  const { description } = named(long(), "best-of-n-reward");
  expect(description.match(/\S+(?=: \d)/g)).toEqual(["BC", "G1I4", "G2I4"]);
});

test("a KL estimated below 0 is drawn at 0", () => {
  const { description } = named(withPolicy("G1I1", { klFromBc: -0.2 }), "reward-against-kl");
  expect(description).toContain("G1I1 at 0.00: 66.2");
  expect(description).toContain("G1I3 at 2.00: 73.1"); // √4
});

test("a picture that stands alone has fixed colours on white", async () => {
  const svg = await drawSvg(named(rising(), "best-of-n-reward"), { standalone: true });
  expect(svg).not.toMatch(/var\(|currentColor/);
  expect(svg).toContain('fill="#ffffff"');
  expect(badlyNested(tags(svg))).toEqual([]);
});

test("where the random control stands above, its figure is above its point and the other's is below", async () => {
  const above = await drawSvg(named(withPolicy("G1I3-random", { chrf: around(58, 1) }), "chrf-by-step"));
  const [control, selected] = heights(above, ["random 58.0", "52.6"]);
  expect(selected! - control!).toBeGreaterThan(24);
});

test("a judge has a chart by step and one against the distance; without one there is neither", () => {
  const names = (summary: RunSummary) =>
    charts(summary)
      .map(({ name }) => name)
      .filter((name) => name.startsWith("judge"));
  expect(names(rising())).toEqual([]);
  expect(names(parting())).toEqual(["judge-by-step", "judge-against-kl"]);
  expect(named(parting(), "judge-by-step").description).toBe(
    "What the judge bleurt-20 says of each policy's greedy translations, 0 to 100: BC 70.0, G1I1 69.0, G1I2 67.0, G1I3 64.0, G1I3-random 70.0.",
  );
});

test("of many policies so many are named as do not touch each other, the first and the last among them", () => {
  const summary = rising();
  const names = ["BC", ...Array.from({ length: 60 }, (_, i) => `G${Math.floor(i / 6) + 1}I${(i % 6) + 1}`)];
  const many = {
    ...summary,
    policies: names.map((name, at) => policy(name, { reward: around(0.5 + 0.005 * at, 0.01), klFromBc: at })),
    improves: names.slice(1).map((name) => improveStep(name)),
    bestOfN: names.flatMap((name) =>
      [1, 2].map((n) => ({ policy: name, n, reward: 0.5, chrf: 50, bleu: 30 })),
    ),
  };
  const textsOf = (name: string) =>
    Array.from(JSON.stringify(named(many, name).spec).matchAll(/"text":"(BC|G\d+I\d)"/g), ([, text]) => text);
  for (const name of ["reward-by-step", "kept-by-improve-step", "reward-against-kl"]) {
    expect(textsOf(name).length).toBeGreaterThan(8);
    expect(textsOf(name).length).toBeLessThan(35);
  }
  expect([textsOf("reward-by-step")[0], textsOf("reward-by-step").at(-1)]).toEqual(["BC", "G10I6"]);
  expect(textsOf("best-of-n-reward")).toEqual(["BC", "G2I6", "G4I6", "G6I6", "G8I6", "G10I6"]);
});
