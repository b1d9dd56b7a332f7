/** Table 1, the paper's figures and the page, from studies made by hand. */

import { createCanvas, loadImage } from "@napi-rs/canvas";
import { describe, expect, test } from "vitest";
import { drawSvg } from "../../src/report/charts.js";
import { toMarkdown } from "../../src/report/tables.js";
import { figures } from "../../src/study/figures.js";
import { renderPage } from "../../src/study/page.js";
import { pngOf } from "../../src/study/png.js";
import { table1, tableRows } from "../../src/study/table.js";
import { findings } from "../../src/study/verdicts.js";
import { badlyNested, tags, words } from "../report/markup.js";
import { arm, armView, type Given, study } from "./views.js";

const bc: Given = {
  reward: [50, 54],
  bleu: [20, 22],
  chrf: [40, 42],
  bestOfN: { 1: [50, 54], 2: [60, 64] },
};
const percentile = (p: number) => ({ improve: { thresholds: { kind: "percentile" as const, values: [p] } } });
const rest = armView(arm("rest", "rest", percentile(90)), {
  G0I0: bc,
  G1I1: {
    reward: [60, 66],
    bleu: [21, 23],
    chrf: [44, 45],
    samples: 800,
    bestOfN: { 1: [60, 66], 2: [70, 70] },
  },
});
const loose = armView(arm("loose", "rest", percentile(50)), {
  G0I0: bc,
  G1I1: { reward: [55, 61], samples: 800 },
});
const random = armView(arm("random", "random", percentile(90)), {
  G0I0: bc,
  "G1I1-random": { reward: [50, 56], samples: 800 },
});
const sampling = armView(arm("sampling", "best-of-n"), { G0I0: bc });
const view = study(rest, loose, random, sampling);

describe("Table 1", () => {
  const rows = tableRows(view);

  test("has BC once, each policy once, the controls of the random arm, and the largest N", () => {
    expect(rows.map(({ name, kind, loss, grow, improve }) => [name, kind, loss, grow, improve])).toEqual([
      ["BC", "bc", null, 0, 0],
      ["rest G1I1", "rest", "bc", 1, 1],
      ["loose G1I1", "rest", "bc", 1, 1],
      ["random G1I1-random", "random", "bc", 1, 1],
      ["BC best of 2", "best-of-n", null, 0, 0],
    ]);
  });

  test("sets each policy beside random selection of as many steps, paired by seed", () => {
    // 60 − 50 and 66 − 56: ten points in both seeds.
    expect(rows[1]!.versusRandom).toEqual({
      reward: expect.closeTo(0.1, 9),
      low: expect.closeTo(0.1, 9),
      high: expect.closeTo(0.1, 9),
    });
    // BC has none, nor an arm that keeps more, nor the random arm itself.
    expect([0, 2, 3].map((at) => rows[at]!.versusRandom)).toEqual([null, null, null]);
  });

  test("gives means over seeds with Student's interval: 63 ± 12.706 · 3", () => {
    expect(rows[1]).toMatchObject({
      reward: expect.closeTo(0.63, 9),
      bleu: 22,
      chrf: 44.5,
      samples: 800,
      seeds: 2,
    });
    expect(rows[1]!.low).toBeCloseTo(0.63 - 12.7062 * 0.03, 5);
    expect(rows[1]!.high).toBe(1);
    expect(toMarkdown(table1(rows))).toContain("| **rest G1I1** | **bc** | **63.0 \\[24.9, 100.0\\]** |");
  });

  test("has no BLEU for best of N", () => {
    expect(rows.at(-1)).toMatchObject({ reward: expect.closeTo(0.62, 9), bleu: null });
  });
});

describe("a judge", () => {
  const judged = study(
    armView(arm("rest"), {
      G0I0: { ...bc, judge: [70, 72] },
      G1I1: { reward: [60, 66], chrf: [44, 45], judge: [66, 70] },
    }),
  );

  test("has a column with its interval in Table 1; without one there is none", () => {
    const rows = tableRows(judged);
    // 68 ± 12.706 · 2.
    expect(rows[1]!.judge).toEqual({
      name: "bleurt",
      mean: expect.closeTo(0.68, 9),
      low: expect.closeTo(0.68 - 12.7062 * 0.02, 5),
      high: expect.closeTo(0.68 + 12.7062 * 0.02, 5),
    });
    expect(toMarkdown(table1(rows))).toMatch(
      /\| chrF \| bleurt \| samples \|[\s\S]*68\.0 \\\[42\.6, 93\.4\\\]/,
    );
    expect(table1(tableRows(view)).columns.map(({ header }) => header)).not.toContain("bleurt");
  });

  test("stands beside chrF in Figure 7", () => {
    const figure = figures(judged).drawn.find(({ name }) => name === "figure-7")!;
    expect(figure.csv.split("\n")[0]).toBe(
      "policy,reward_change,reward_low,reward_high,chrf_change,chrf_low,chrf_high,judge_change,judge_low,judge_high",
    );
    expect(figure.csv.split("\n")[1]).toMatch(/,-3(\.0+)?,/);
    expect(figure.about).toContain("chrF and bleurt");
  });
});

describe("the figures", () => {
  const { drawn, missing } = figures(view);
  const csvOf = (name: string) =>
    drawn
      .find((figure) => figure.name === name)!
      .csv.trimEnd()
      .split("\n");

  test("are those whose arms are there; of each other one it is said what is missing", () => {
    expect(drawn.map(({ name }) => name)).toEqual(["figure-3", "figure-6", "figure-7", "figure-15"]);
    expect(missing.map(({ name }) => name)).toEqual([
      "figure-4",
      "figure-5",
      "figure-13",
      "figure-14",
      "figure-16",
    ]);
    expect(missing[0]!.why).toBe("no arm has two Grow steps");
  });

  test("have their figures beside them as CSV", () => {
    expect(csvOf("figure-3").map((line) => line.split(",").slice(0, 3))).toEqual([
      ["arm", "policy", "reward"],
      ["rest", "G0I0", "52"],
      ["rest", "G1I1", "63"],
    ]);
    expect(csvOf("figure-15").map((line) => line.split(",").slice(0, 3))).toEqual([
      ["policy", "p", "reward"],
      ["loose G1I1", "50", expect.stringMatching(/^58(\.0+)?$/)],
      ["rest G1I1", "90", "63"],
    ]);
    expect(csvOf("figure-6").length).toBe(1 + 2 * 2);
  });

  test("with other losses and a second Grow gain the figures of those", () => {
    const gold = arm("gold");
    const otherLoss = {
      ...gold,
      config: { ...gold.config, improve: { ...gold.config.improve, loss: "gold" as "bc" } },
    };
    const more = study(
      // The second Grow of one loss alone is no comparison of losses.
      armView(arm("rest", "rest", { grow: { steps: 2 } }), {
        G0I0: bc,
        G1I1: { reward: [60, 66] },
        G2I1: { reward: [70, 71] },
      }),
      armView(otherLoss, { G0I0: bc, G1I1: { reward: [58, 60] } }),
    );
    const found = new Map(figures(more).drawn.map((figure) => [figure.name, figure.csv]));
    for (const name of ["figure-4", "figure-5", "figure-13", "figure-14"])
      expect(found.has(name), name).toBe(true);
    expect(found.get("figure-4")).toContain("G2I1");
    expect(found.get("figure-14")).not.toContain("G2I1");
  });

  test("draw as SVG with every name, the same bytes each time", async () => {
    const svg = await drawSvg(drawn[1]!.chart);
    expect(svg).toContain("BC");
    expect(svg).toContain("rest G1I1");
    expect(svg).toContain("N, samples to choose from");
    expect(await drawSvg(drawn[1]!.chart)).toBe(svg);
    for (const figure of drawn) expect(await drawSvg(figure.chart)).not.toMatch(/NaN|undefined/);
  });
});

describe("PNG", () => {
  const svg = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40" viewBox="0 0 200 40"><rect width="100%" height="100%" fill="#ffffff"/><text x="10" y="25" font-family="system-ui, sans-serif" font-size="15px" fill="#000000">${text}</text></svg>`;
  /** Pixels darker than the middle. */
  const ink = async (png: Buffer) => {
    const image = await loadImage(png);
    const canvas = createCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let dark = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at]! < 128) dark++;
    return { dark, width: image.width, height: image.height };
  };

  test("has twice the size of the drawing, with letters in it", async () => {
    const blank = await ink(await pngOf(svg("")));
    const one = await ink(await pngOf(svg("I")));
    const many = await ink(await pngOf(svg("IIIIIIIIII")));
    expect([blank.width, blank.height, blank.dark]).toEqual([400, 80, 0]);
    expect(one.dark).toBeGreaterThan(20);
    // Ten letters are ten times the ink, give or take the smoothing of their edges.
    expect(many.dark / one.dark).toBeGreaterThan(8);
    expect(many.dark / one.dark).toBeLessThan(12);
  });
});

test("the page nests as it should, escapes what the user wrote, and asks for nothing from outside", async () => {
  const { drawn, missing } = figures(view);
  const page = renderPage({
    view,
    rows: tableRows(view),
    findings: findings(view),
    drawn: await Promise.all(drawn.map(async (figure) => ({ ...figure, svg: await drawSvg(figure.chart) }))),
    missing,
    source: "base: { data: <script>alert(1)</script> }\n",
    machine: { cpu: "a <b>chip</b>", cores: 2, memoryGb: 8, node: "22", os: "Linux" },
    version: "0",
  });
  expect(badlyNested(tags(page))).toEqual([]);
  expect(tags(page).map(({ name }) => name)).not.toContain("script");
  expect(page).not.toMatch(/(?:src|href)=/);
  expect(words(page)).toContain("base: { data: <script>alert(1)</script> }");
  expect(words(page)).toContain("of the paper's 7 findings");
  // What is to be written in a file stands as such; a finding without a figure says why and nothing else.
  expect(page).toContain("<code>grow: { steps: 2 }</code>");
  expect(words(page)).not.toMatch(/`|no figure/);
});
