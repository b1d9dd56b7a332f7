/** The routes of the page on the reward. */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { disagreements, rewardBands } from "../../src/web/disagreement.js";
import { type RatedTranslation, ratedTranslations } from "../../src/web/rated-translations.js";
import { rewardRoute } from "../../src/web/routes/reward.js";
import { createDashboard, type Dashboard } from "../../src/web/server.js";
import type { DisagreementsView, RewardView } from "../../src/web/views.js";
import { ask, refusal, request } from "./in-process.js";
import { HOSTILE, JUDGE, temporaryFolder, writeRun } from "./made-run.js";

const folder = temporaryFolder();
let ratings: RatedTranslation[];
let dashboard: Dashboard;

beforeAll(() => writeRun(folder.dir));
afterAll(() => folder.remove());
beforeEach(() => {
  ratings = [];
  dashboard = createDashboard({
    dir: folder.dir,
    address: "127.0.0.1",
    parts: [rewardRoute(async () => ratings)],
  });
});
afterEach(() => dashboard.close());

describe("a reward", () => {
  test("comes with its probe, what it was taught, its agreement and calibration", async () => {
    const view = await ask<RewardView>(dashboard, "/api/reward");
    expect(view).toMatchObject({ kind: "learned", weakBelow: 0.8, rated: 0, retrained: [] });
    expect(view.probe).toEqual([
      { kind: "dropped", damage: "words dropped", pairs: 40, noticed: 0.95 },
      { kind: "doubled", damage: "words doubled", pairs: 40, noticed: 0.55 },
    ]);
    expect(view.learned).toMatchObject({
      target: "chrF",
      calibration: [
        { raw: -1, reward: 0.1 },
        { raw: 0, reward: 0.5 },
        { raw: 2, reward: 0.9 },
      ],
      meanReward: { samples: 0.5, references: 0.7 },
    });
    expect(view.learned!.agreement[0]).toMatchObject({
      kendall: 0.4,
      spearman: 0.57,
      pairwiseAccuracy: 0.63,
      pairs: 2125,
    });
  });

  test("that is not taught and not probed yet has neither", async () => {
    const other = temporaryFolder();
    writeRun(other.dir, { evaluated: [], reward: false });
    const own = createDashboard({
      dir: other.dir,
      address: "127.0.0.1",
      parts: [rewardRoute(async () => [])],
    });
    const view = await ask<RewardView>(own, "/api/reward");
    other.remove();
    expect(view).toMatchObject({ kind: "learned", policies: [] });
    expect(view).not.toHaveProperty("learned");
    expect(view).not.toHaveProperty("probe");
  });

  test("whose facts were deleted is shown without them", async () => {
    const other = temporaryFolder();
    writeRun(other.dir);
    rmSync(join(other.dir, "reward"), { recursive: true });
    const own = createDashboard({
      dir: other.dir,
      address: "127.0.0.1",
      parts: [rewardRoute(async () => [])],
    });
    const view = await ask<RewardView>(own, "/api/reward");
    other.remove();
    expect(view).not.toHaveProperty("learned");
  });
});

describe("its disagreements with chrF", () => {
  test("are led by the translation that it overrates most, by ranks worked by hand", async () => {
    // BC: rewards 0.2, 0.9, 0.5 rank 1, 3, 2; chrF 100, 25, 56 rank 3, 1, 2.
    const view = await ask<DisagreementsView>(dashboard, "/api/reward/disagreements?policy=G0I0");
    expect(view).toMatchObject({ policy: "G0I0", judge: "chrf", translations: 3, spearman: -1, kendall: -1 });
    expect(view.overrated).toEqual([
      {
        policy: "G0I0",
        source: HOSTILE,
        reference: "ab",
        text: "ac",
        reward: 0.9,
        judge: expect.closeTo(25, 9),
        gap: expect.closeTo(2 / 3, 12),
      },
    ]);
    expect(view.underrated.map(({ source, gap }) => [source, gap])).toEqual([
      ["Quelle eins", expect.closeTo(-2 / 3, 12)],
    ]);
    expect(view.points).toEqual([
      [0.2, expect.closeTo(100, 9)],
      [0.9, expect.closeTo(25, 9)],
      [0.5, expect.closeTo(500 / 9, 9)],
    ]);
  });

  test("are the last policy's where none is named, not a control's", async () => {
    expect((await ask<DisagreementsView>(dashboard, "/api/reward/disagreements")).policy).toBe("G1I1");
  });

  test.each([
    ["policy=G9I9", 404],
    ["policy=../G0I0", 404],
    ["judge=dice", 400],
    ["judge=people", 404],
  ])("%s is refused with %i", async (query, status) => {
    const found = await refusal(await request(dashboard, `/api/reward/disagreements?${query}`));
    expect(found.status).toBe(status);
    expect(found.error).toMatch(/\.$/);
  });
});

describe("its disagreements with the run's judge", () => {
  test("are by what it says of each translation, in points of 100; refused where there is none", async () => {
    expect((await ask<RewardView>(dashboard, "/api/reward")).judge).toBeNull();
    const path = "/api/reward/disagreements?judge=model&policy=G0I0";
    expect((await refusal(await request(dashboard, path))).error).toMatch(/No judge has scored/);
    const other = temporaryFolder();
    writeRun(other.dir, { judged: true });
    const own = createDashboard({
      dir: other.dir,
      address: "127.0.0.1",
      parts: [rewardRoute(async () => [])],
    });
    expect((await ask<RewardView>(own, "/api/reward")).judge).toBe(JUDGE);
    const view = await ask<DisagreementsView>(own, path);
    // A third of 70, two thirds, and 70.
    expect(view.points).toEqual(
      [0.2, 0.9, 0.5].map((reward, at) => [reward, expect.closeTo((70 * (at + 1)) / 3, 9)]),
    );
    await own.close();
    other.remove();
  });
});

describe("its disagreements with people", () => {
  const rated = (policy: string, reward: number, rating: number): RatedTranslation => ({
    policy,
    source: "Quelle",
    reference: "ab",
    text: `${policy} ${rating}`,
    reward,
    rating,
  });

  test("are over all rated policies, or one", async () => {
    ratings = [rated("G0I0", 0.1, 6), rated("G0I0", 0.3, 4), rated("G1I1", 0.9, 1)];
    expect((await ask<RewardView>(dashboard, "/api/reward")).rated).toBe(3);
    const all = await ask<DisagreementsView>(dashboard, "/api/reward/disagreements?judge=people");
    expect(all).toMatchObject({ policy: "", translations: 3, spearman: -1 });
    expect(all.overrated[0]).toMatchObject({ policy: "G1I1", judge: 1 });
    expect(all.underrated[0]).toMatchObject({ policy: "G0I0", judge: 6 });
    const one = await ask<DisagreementsView>(dashboard, "/api/reward/disagreements?judge=people&policy=G0I0");
    expect(one).toMatchObject({ policy: "G0I0", translations: 2 });
  });
});

describe("rated translations", () => {
  test("have the mean of their ratings; repeats, checks, other scales and what is no policy do not count", async () => {
    const other = temporaryFolder();
    const line = (rater: string, system: string, score: number, more: object = {}) => ({
      scale: "sqm",
      kind: "item",
      item: "round/0",
      rater,
      system,
      source: "Quelle",
      text: `of ${system}`,
      reference: "ab",
      score,
      reward: 0.25,
      ...more,
    });
    const { reward: _, ...unscored } = line("r1", "G2I1", 3);
    const lines = [
      line("r1", "G0I0", 6),
      line("r2", "G0I0", 3),
      line("r1", "G1I1", 2, { text: HOSTILE }),
      line("r1", "G0I0", 0, { kind: "repeat" }),
      line("r1", "G0I0", 0, { kind: "check" }),
      line("r3", "G0I0", 90, { scale: "da" }),
      line("r1", "human", 6),
      unscored,
    ];
    mkdirSync(join(other.dir, "ratings"));
    writeFileSync(
      join(other.dir, "ratings/imported.jsonl"),
      lines.map((each) => `${JSON.stringify(each)}\n`).join(""),
    );
    const found = await ratedTranslations(other.dir);
    other.remove();
    expect(found).toEqual([
      { policy: "G0I0", source: "Quelle", reference: "ab", text: "of G0I0", reward: 0.25, rating: 4.5 },
      { policy: "G1I1", source: "Quelle", reference: "ab", text: HOSTILE, reward: 0.25, rating: 2 },
    ]);
  });

  test("are none where nobody has rated", async () => {
    expect(await ratedTranslations(folder.dir)).toEqual([]);
  });
});

describe("disagreements", () => {
  test("a gap is the difference of rank shares; ties share their ranks and keep their order", () => {
    // Ranks by reward 1.5, 1.5, 3, 4; by judge 4, 2.5, 2.5, 1.
    expect(disagreements([0, 0, 1, 2], [9, 5, 5, 1])).toEqual([
      { index: 3, gap: 0.75 },
      { index: 2, gap: 0.125 },
      { index: 1, gap: -0.25 },
      { index: 0, gap: -0.625 },
    ]);
    expect(disagreements([1, 1], [2, 2])).toEqual([
      { index: 0, gap: 0 },
      { index: 1, gap: 0 },
    ]);
  });

  test("lists of different lengths are a mistake of the caller", () => {
    expect(() => disagreements([1], [1, 2])).toThrow(RangeError);
  });
});

describe("bands of reward", () => {
  test("hold equally many, to one, by rising reward", () => {
    expect(rewardBands([0.9, 0.1, 0.5, 0.3, 0.7], [5, 1, 3, 2, 4], 2)).toEqual([
      { low: 0.1, high: 0.5, reward: expect.closeTo(0.3, 12), judge: 2, count: 3 },
      { low: 0.7, high: 0.9, reward: expect.closeTo(0.8, 12), judge: 4.5, count: 2 },
    ]);
  });

  test("are as many as translations where these are few, and none of none", () => {
    expect(rewardBands([0.2, 0.1], [1, 2], 10).map(({ count, low }) => [count, low])).toEqual([
      [1, 0.1],
      [1, 0.2],
    ]);
    expect(rewardBands([], [], 10)).toEqual([]);
  });
});
