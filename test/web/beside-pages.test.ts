/** The pages Policies, Compare and Reward in a real browser, on a made-up run with hostile texts. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { compareRoute } from "../../src/web/routes/compare.js";
import { policiesRoute } from "../../src/web/routes/policies.js";
import { rewardRoute } from "../../src/web/routes/reward.js";
import type { TypedRequest } from "../../src/web/typed-translator.js";
import { type OpenDashboard, openDashboard } from "./asking.js";
import { HOSTILE, temporaryFolder, writeRun, writeStudy } from "./made-run.js";

const CHROMIUM = process.env.COPPICE_CHROMIUM ?? "/usr/bin/chromium";
const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser)
  console.warn(
    `SKIPPED: Policies, Compare and Reward are not tested, for there is no ${CHROMIUM}; install Debian's chromium.`,
  );

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Milliseconds: a machine that does other work too answers late. */
const PATIENCE = 60_000;
const RUN = "study/runs/seed-1/rest";

describe.skipIf(!hasBrowser)("in a browser", () => {
  let browser: Browser;
  let built: string;
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
    writeRun(join(folder.dir, RUN));
    writeRun(join(folder.dir, "study/runs/seed-1/gold"), { config: "improve:\n  loss: gold\n" });
    writeRun(join(folder.dir, "young"), { evaluated: [], reward: false });
    writeStudy(join(folder.dir, "study"));
    built = mkdtempSync(join(tmpdir(), "coppice-page-"));
    await build({
      configFile: "vite.config.ts",
      logLevel: "error",
      build: { outDir: built, emptyOutDir: true },
    });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    folder.remove();
    rmSync(built, { recursive: true, force: true });
  });
  beforeEach(async () => {
    problems.length = 0;
    const open = async () => ({ translate, close: async () => {} });
    dashboard = await openDashboard(folder.dir, {
      page: built,
      parts: [policiesRoute(open), compareRoute, rewardRoute(async () => [])],
    });
  });
  afterEach(async () => {
    await dashboard.close();
    expect(problems).toEqual([]);
  });

  async function open(path: string, look: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...look });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("dialog", (dialog) => problems.push(`dialog ${dialog.message()}`));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
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
    const page = await open(`reward?run=${RUN}&policy=G0I0`);
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
        const undrawn =
          "[...document.querySelectorAll('.drawing')].filter((one) => !one.querySelector('svg')).length";
        await expect.poll(() => page.evaluate(undrawn), { timeout: PATIENCE }).toBe(0);
        await page.evaluate(AXE);
        // What axe.run resolves to, in part.
        const found = (await page.evaluate("axe.run()")) as {
          violations: { id: string; nodes: { html: string }[] }[];
        };
        expect(found.violations.map(({ id, nodes }) => [path, id, nodes[0]?.html])).toEqual([]);
        const over = await page.evaluate(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        expect(over).toBeLessThanOrEqual(0);
        await page.context().close();
      }
    },
  );
});
