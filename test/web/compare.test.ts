/** The routes of the page that sets runs beside each other. */

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { configDifferences } from "../../src/web/config-differences.js";
import { compareRoute } from "../../src/web/routes/compare.js";
import { createDashboard, type Dashboard } from "../../src/web/server.js";
import type { ComparedView, CompareList } from "../../src/web/views.js";
import { ask, refusal, request } from "./in-process.js";
import { JUDGE, temporaryFolder, writeRun, writeStudy } from "./made-run.js";

const folder = temporaryFolder();
const outside = temporaryFolder();
const [REST, GOLD] = ["study/runs/seed-1/rest", "study/runs/seed-1/gold"];
let dashboard: Dashboard;

beforeAll(() => {
  writeRun(join(folder.dir, REST), { judged: true });
  writeRun(join(folder.dir, GOLD), { evaluated: ["G0I0"], config: "improve:\n  loss: gold\n" });
  writeStudy(join(folder.dir, "study"));
  mkdirSync(join(folder.dir, "lone"), { recursive: true });
  writeRun(join(folder.dir, "lone"), { evaluated: [], seed: 7 });
  writeFileSync(join(outside.dir, "figure-9.csv"), "secret");
});
afterAll(() => {
  folder.remove();
  outside.remove();
});
beforeEach(() => {
  dashboard = createDashboard({ dir: folder.dir, address: "127.0.0.1", parts: [compareRoute] });
});
afterEach(() => dashboard.close());

const compared = (...names: string[]) =>
  ask<ComparedView>(
    dashboard,
    `/api/compare/runs?${names.map((name) => `name=${encodeURIComponent(name)}`).join("&")}`,
  );

describe("runs and studies of a folder", () => {
  test("are listed with how much of them is evaluated", async () => {
    const list = await ask<CompareList>(dashboard, "/api/compare");
    expect(list.runs).toEqual([
      { name: "lone", evaluated: 0 },
      { name: GOLD, evaluated: 1 },
      { name: REST, evaluated: 3 },
    ]);
    expect(list.studies).toHaveLength(1);
    const [study] = list.studies;
    expect(study).toMatchObject({
      name: "study",
      runs: [GOLD, REST],
      progress: { all: 4, finished: 2 },
      figures: ["figure-3"],
    });
    expect(study!.findings[0]).toMatchObject({ number: 1, verdict: "holds" });
  });

  test("Table 1 reads as the study's own", async () => {
    const { table1 } = (await ask<CompareList>(dashboard, "/api/compare")).studies[0]!;
    expect(table1.columns.map(({ header }) => header).slice(0, 4)).toEqual([
      "policy",
      "loss",
      "mean reward",
      "vs random",
    ]);
    expect(table1.rows[1]).toMatchObject({ mark: "best" });
    expect(table1.rows[1]!.cells.slice(0, 4)).toEqual([
      "rest G1I1",
      "bc",
      "58.0 [56.0, 60.0]",
      "+6.0 [+2.0, +10.0]",
    ]);
  });

  test("a study that was opened itself goes by its folder's name", async () => {
    const own = createDashboard({
      dir: join(folder.dir, "study"),
      address: "127.0.0.1",
      parts: [compareRoute],
    });
    const { studies } = await ask<CompareList>(own, "/api/compare");
    expect(studies.map(({ name, runs }) => [name, runs])).toEqual([
      ["study", ["runs/seed-1/gold", "runs/seed-1/rest"]],
    ]);
    expect((await request(own, "/api/compare/figures/figure-3.csv?study=study")).status).toBe(200);
  });

  test("a Table 1 that is none is named", async () => {
    const other = temporaryFolder();
    writeRun(join(other.dir, "runs/seed-1/rest"));
    writeFileSync(join(other.dir, "table1.json"), '{"runs": {"all": 1, "finished": 1}, "rows": [{}]}');
    const own = createDashboard({ dir: other.dir, address: "127.0.0.1", parts: [compareRoute] });
    const found = await refusal(await request(own, "/api/compare"));
    other.remove();
    expect(found.status).toBe(400);
    expect(found.error).toMatch(/table1\.json.*rows\.0\.name/);
  });
});

describe("chosen runs", () => {
  test("have what a judge says, where there is one, and a sentence where it falls while the reward rises", async () => {
    const [rest, gold] = (await compared(REST, GOLD)).runs;
    expect(rest!.policies[0]!.judge).toMatchObject({ name: JUDGE, mean: { value: 0.7 } });
    expect(rest!.warnings).toEqual([
      { policy: "G1I1", text: expect.stringContaining(`while the judge ${JUDGE} fell (70.0 → 60.0)`) },
    ]);
    expect(rest!.gains.find(({ figure }) => figure === "judge")).toMatchObject({
      along: "policies",
      // √KL of 4.
      points: [{ name: "G1I1", distance: 2, gain: expect.closeTo(-10) }],
    });
    expect(gold!.policies[0]).not.toHaveProperty("judge");
    expect(gold!.warnings).toEqual([]);
  });

  test("have what each policy cost: by hand from the steps that led to it", async () => {
    const [run] = (await compared(REST)).runs;
    expect(run!.seed).toBe(1);
    const cost = run!.policies.map(({ name, samplesDrawn, rewardCalls, seconds }) => [
      name,
      samplesDrawn,
      rewardCalls,
      seconds,
    ]);
    expect(cost).toEqual([
      // prepare 1, BC 10; evaluation never counts
      ["G0I0", 0, 0, 11],
      // and the reward 5, Grow 20, scoring 4, Improve 8
      ["G1I1", 600, 650, 48],
      // its own Improve 9 in place of that
      ["G1I1-random", 600, 650, 49],
    ]);
  });

  test("have gains over BC against √KL, of the reward and of what is held out", async () => {
    const [run] = (await compared(REST)).runs;
    const along = (figure: string, line: string) =>
      run!.gains.find((gain) => gain.figure === figure && gain.along === line)?.points;
    // KL 4, reward 50 to 58, chrF 60 to 59; the control is no step of ReST.
    expect(along("reward", "policies")).toEqual([{ name: "G1I1", distance: 2, gain: expect.closeTo(8, 9) }]);
    expect(along("chrf", "policies")).toEqual([{ name: "G1I1", distance: 2, gain: expect.closeTo(-1, 9) }]);
    // KL of the best of 2: ln 2 − 1/2.
    expect(along("reward", "best of N")).toEqual([
      {
        name: "best of 2",
        distance: expect.closeTo(Math.sqrt(0.1931471805599453), 9),
        gain: expect.closeTo(10, 9),
      },
    ]);
    expect(run!.heldOut.metric).toBe("chrf");
    expect(run!.gains[0]!.curve).toEqual([]);
    expect(run!.gains[0]!.words).toMatch(/^no peak/);
  });

  test("show the keys that differ, and no others", async () => {
    const { configuration } = await compared(REST, GOLD);
    const loss = configuration.find(({ key }) => key === "improve.loss");
    expect(loss).toEqual({ key: "improve.loss", values: ['"bc"', '"gold"'] });
    expect(configuration.map(({ key }) => key)).not.toContain("data.train");
  });

  test("of which one is not begun or damaged are shown without it, and it is named", async () => {
    writeFileSync(join(folder.dir, "lone/coppice.resolved.yaml"), "data: [");
    const { runs, failed } = await compared(REST, "lone");
    writeRun(join(folder.dir, "lone"), { evaluated: [], seed: 7 });
    expect(runs.map(({ name }) => name)).toEqual([REST]);
    expect(failed).toEqual([{ name: "lone", error: expect.stringContaining("coppice.resolved.yaml") }]);
  });

  test("whose configuration is a link out of the folder are named, and nothing of it is shown", async () => {
    const file = join(folder.dir, "lone/coppice.resolved.yaml");
    writeFileSync(join(outside.dir, "secret.yaml"), "the-secret: outside\n");
    rmSync(file);
    symlinkSync(join(outside.dir, "secret.yaml"), file);
    const { runs, failed } = await compared(REST, "lone");
    rmSync(file);
    writeRun(join(folder.dir, "lone"), { evaluated: [], seed: 7 });
    expect(runs.map(({ name }) => name)).toEqual([REST]);
    expect(failed).toEqual([{ name: "lone", error: expect.any(String) }]);
    expect(failed[0]!.error).not.toContain("the-secret");
  });

  test("with nothing evaluated have no policies and no gains", async () => {
    expect((await compared("lone")).runs[0]).toMatchObject({ policies: [], gains: [], seed: 7 });
  });

  test.each([["../lone"], [`${folder.dir}/lone`], ["study"], ["lone/../lone"], [""]])(
    "%j is not a run of this folder",
    async (name) => {
      const found = await refusal(
        await request(dashboard, `/api/compare/runs?name=${encodeURIComponent(name)}`),
      );
      expect(found.status).toBe(404);
    },
  );

  test("thirteen at a time are too many", async () => {
    const names = Array.from({ length: 13 }, (_, i) => `name=r${i}`).join("&");
    expect(await refusal(await request(dashboard, `/api/compare/runs?${names}`))).toMatchObject({
      status: 400,
      error: expect.stringContaining("12"),
    });
  });
});

describe("a study's figures", () => {
  const figure = (file: string, study = "study") =>
    request(dashboard, `/api/compare/figures/${file}?study=${encodeURIComponent(study)}`);

  test("are served as what they are", async () => {
    const csv = await figure("figure-3.csv");
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(await csv.text()).toBe("arm,policy,reward\nrest,BC,50\n");
    const svg = await figure("figure-3.svg");
    expect(svg.headers.get("content-type")).toBe("image/svg+xml");
    expect(svg.headers.get("content-security-policy")).toContain("script-src 'self'");
  });

  test.each([
    ["notes.txt"],
    ["figure-4.csv"],
    ["..%2Ftable1.json"],
    ["%2e%2e%2ftable1.json"],
    ["figure-3.csv%00.svg"],
  ])("%s is not one of them", async (file) => {
    expect((await figure(file)).status).toBe(404);
  });

  test("of another folder are not served", async () => {
    expect((await figure("figure-3.csv", "../study")).status).toBe(404);
    expect((await figure("figure-3.csv", REST)).status).toBe(404);
  });

  test("that are links out of the study are not served", async () => {
    symlinkSync(join(outside.dir, "figure-9.csv"), join(folder.dir, "study/figures/figure-9.csv"));
    expect((await figure("figure-9.csv")).status).toBe(404);
  });
});

describe("configDifferences", () => {
  test("lists keys by their whole name, with what is missing as null", () => {
    expect(
      configDifferences([
        { seed: 1, grow: { steps: 1, topK: null }, list: [1, 2] },
        { seed: 1, grow: { steps: 2, topK: null }, list: [1, 2], extra: {} },
      ]),
    ).toEqual([
      { key: "extra", values: [null, "{}"] },
      { key: "grow.steps", values: ["1", "2"] },
    ]);
  });

  test("a list is one value, and equal configurations differ in nothing", () => {
    expect(configDifferences([{ a: [1, 2] }, { a: [2, 1] }, { a: [1, 2] }])).toEqual([
      { key: "a", values: ["[1,2]", "[2,1]", "[1,2]"] },
    ]);
    expect(configDifferences([{ a: 1 }, { a: 1 }])).toEqual([]);
    expect(configDifferences([{ a: 1 }])).toEqual([]);
  });
});
