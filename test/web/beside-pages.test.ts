/** The pages Policies, Compare and Reward in a real browser, on a made-up run with hostile texts. */

import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { compareRoute } from "../../src/web/routes/compare.js";
import { policiesRoute } from "../../src/web/routes/policies.js";
import { rewardRoute } from "../../src/web/routes/reward.js";
import type { TypedRequest } from "../../src/web/typed-translator.js";
import { type OpenDashboard, openDashboard } from "./asking.js";
import {
  axeFindings,
  type Chromium,
  hasChromium,
  openChromium,
  PATIENCE,
  pixelsTooWide,
  waitForCharts,
} from "./browser.js";
import { HOSTILE, JUDGE, temporaryFolder, writeRun, writeStudy } from "./made-run.js";

const RUN = "study/runs/seed-1/rest";

describe.skipIf(!hasChromium("Policies, Compare and Reward are"))("in a browser", () => {
  let chromium: Chromium;
  let dashboard: OpenDashboard;
  /** What the pages complained of. */
  const problems: string[] = [];
  const folder = temporaryFolder();
  const translate = async ({ policy, text, bestOf }: TypedRequest) => ({
    policy,
    greedy: { text: `${HOSTILE} ${policy} ${text}`, reward: 0.25, finished: true },
    samples: Array.from({ length: bestOf }, (_, at) => ({
      text: `sample ${at}`,
      reward: 0.9 - at / 100,
      finished: at > 0,
    })),
  });

  beforeAll(async () => {
    writeRun(join(folder.dir, RUN), { judged: true });
    writeRun(join(folder.dir, "study/runs/seed-1/gold"), { config: "improve:\n  loss: gold\n" });
    writeRun(join(folder.dir, "young"), { evaluated: [], reward: false });
    writeStudy(join(folder.dir, "study"));
    chromium = await openChromium();
  });
  afterAll(async () => {
    await chromium?.close();
    folder.remove();
  });
  beforeEach(async () => {
    problems.length = 0;
    const open = async () => ({ translate, close: async () => {} });
    dashboard = await openDashboard(folder.dir, {
      page: chromium.built,
      parts: [policiesRoute(open), compareRoute, rewardRoute(async () => [])],
    });
  });
  afterEach(async () => {
    await dashboard.close();
    expect(problems).toEqual([]);
  });

  async function open(path: string, look: BrowserContextOptions = {}): Promise<Page> {
    const page = await chromium.newPage(look, problems);
    await page.goto(`${dashboard.url}/#/${path}`);
    return page;
  }

  const textOf = (page: Page, id: string) => page.locator(`[data-testid=${id}]`).first().textContent();

  test("a sentence is typed, sent and read by keyboard alone; what would be markup is text", async () => {
    const page = await open(`policies?run=${RUN}`);
    await page.focus("[data-testid=typed-text]");
    await page.keyboard.type("Guten Tag");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-testid=typed-result]");
    await expect
      .poll(() => textOf(page, "typed-status"), { timeout: PATIENCE })
      .toBe("Done: 3 of 3 policies.");
    const result = await textOf(page, "typed-result");
    for (const policy of ["G0I0", "G1I1", "G1I1-random"])
      expect(result).toContain(`${HOSTILE} ${policy} Guten Tag`);
    expect(result).toContain("sample 0 (cut at the length limit)");
    expect(await page.locator("[data-testid=typed-result] img").count()).toBe(0);
    const all = page.locator("[data-testid=typed-result] summary").first();
    await all.focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("[data-testid=typed-result] li").first().textContent()).toContain("90.0");
    await page.context().close();
  });

  test("a source is searched for and shown by every policy", async () => {
    const page = await open(`policies?run=${RUN}`);
    await page.waitForSelector("[data-testid=one-source]");
    await page.fill("[data-testid=source-search]", "onerror");
    await expect
      .poll(() => page.locator("[data-testid=sources] li").allInnerTexts(), { timeout: PATIENCE })
      .toEqual([expect.stringContaining(HOSTILE)]);
    await expect.poll(() => textOf(page, "one-source"), { timeout: PATIENCE }).toContain(HOSTILE);
    expect(await page.locator("[data-testid=translations] tbody tr").count()).toBe(3);
    expect(await page.locator("main img").count()).toBe(0);
    await page.fill("[data-testid=source-search]", "nowhere");
    await expect.poll(() => textOf(page, "empty"), { timeout: PATIENCE }).toContain("Search for fewer");
    await page.context().close();
  });

  test("what the judge says stands on every page that compares, and where it falls while the reward rises", async () => {
    const page = await open(`policies?run=${RUN}`);
    await page.waitForSelector("[data-testid=one-source]");
    expect(await page.locator("[data-testid=translations] th[scope=col]").allInnerTexts()).toContain("judge");
    expect(await textOf(page, "warnings")).toContain(`while the judge ${JUDGE} fell (70.0 → 60.0)`);
    await page.goto(`${dashboard.url}/#/compare`);
    await page.waitForSelector("[data-testid=compared-policies]");
    expect(await textOf(page, "compared-policies")).toContain("60.0 [58.0, 62.0]");
    expect(await textOf(page, "warnings")).toContain(`${RUN}, G1I1: Possible gaming of the reward`);
    for (const chart of ["judge-against-samplesDrawn", "judge-gain-against-kl"])
      await page.waitForSelector(`[data-testid=chart-${chart}]`);
    await page.goto(`${dashboard.url}/#/reward?run=${RUN}`);
    await page.waitForSelector("[data-testid=chart-reward-against-model]");
    expect(await page.locator("main b").count()).toBe(0);
    await page.context().close();
  });

  test("runs are chosen, and what differs in them is listed", async () => {
    const page = await open("compare");
    await page.waitForSelector("[data-testid=configuration]");
    expect(await textOf(page, "configuration")).toMatch(/improve\.loss\s*"gold"\s*"bc"/);
    expect(await textOf(page, "study")).toContain("rest G1I1");
    await page.getByRole("checkbox", { name: /seed-1\/gold/ }).uncheck();
    await page.waitForSelector("text=Choose two runs or more");
    await page.getByRole("checkbox", { name: /seed-1\/rest/ }).uncheck();
    await expect.poll(() => textOf(page, "empty"), { timeout: PATIENCE }).toContain("No run is chosen");
    await page.context().close();
  });

  test("the reward's worst disagreements stand with their texts", async () => {
    const page = await open(`reward?run=${RUN}&policy=G0I0&judge=chrf`);
    await page.waitForSelector("[data-testid=overrated]");
    expect(await textOf(page, "overrated")).toContain(HOSTILE);
    expect(await textOf(page, "underrated")).toContain("Quelle eins");
    expect(await textOf(page, "probe")).toMatch(/words doubled\s*55 %/);
    await page.context().close();
  });

  test("a run without anything evaluated says what to wait for", async () => {
    for (const [path, words] of [
      ["policies", "No policy has been evaluated yet."],
      ["reward", "The reward has not been probed yet."],
    ] as const) {
      const page = await open(`${path}?run=young`);
      await page.waitForSelector(`text=${words}`);
      await page.context().close();
    }
  });

  test.each([
    ["light", 1280],
    ["dark", 390],
  ] as const)(
    "%s, %i pixels wide: nothing that axe finds, nothing that overflows",
    async (colorScheme, width) => {
      for (const path of ["policies", "compare", "reward"]) {
        const page = await open(`${path}?run=${RUN}`, { colorScheme, viewport: { width, height: 900 } });
        await page.waitForSelector("main table");
        await waitForCharts(page);
        expect([path, await axeFindings(page)]).toEqual([path, []]);
        expect(await pixelsTooWide(page)).toBeLessThanOrEqual(0);
        await page.context().close();
      }
    },
  );
});
