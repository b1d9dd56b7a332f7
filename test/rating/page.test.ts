/** The rating page in a real browser: a whole round by two raters with the keyboard alone, and what could go wrong on it. */

import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Listening, listen } from "../../src/http/listen.js";
import { readLog } from "../../src/rating/log.js";
import type { RatableSource } from "../../src/rating/plan.js";
import { readRatings } from "../../src/rating/read.js";
import { ratingResults } from "../../src/rating/results.js";
import { ratingsFolder, storeRound } from "../../src/rating/round.js";
import { createRatingServer } from "../../src/web/rating-server.js";
import { axeFindings, type Chromium, hasChromium, openChromium, pixelsTooWide } from "../web/browser.js";
import { ratable, temporaryFolder, testRound } from "./rounds.js";

/** Milliseconds: a machine that does other work too answers late. */
const PATIENCE = { timeout: 30_000 };

describe.skipIf(!hasChromium("The rating page is"))("in a browser", () => {
  let chromium: Chromium;
  beforeAll(async () => {
    chromium = await openChromium();
  });
  afterAll(async () => {
    await chromium?.close();
  });

  /** A server of a new round, and a way to open its page. */
  async function serveRound(options: Parameters<typeof testRound>[0]) {
    const dir = temporaryFolder();
    const { createdAt: _, ...plan } = testRound(options);
    const round = await storeRound(dir, plan);
    const app = createRatingServer({
      place: { dir, round: round.id },
      address: "127.0.0.1",
      page: chromium.built,
    });
    let listening: Listening = await listen(app, { address: "127.0.0.1", port: 0 });
    const { port } = listening;
    return {
      dir,
      round,
      stop: () => listening.close(100),
      start: async () => {
        listening = await listen(app, { address: "127.0.0.1", port });
      },
      open: async (rater: string, look: BrowserContextOptions = {}) => {
        const problems: string[] = [];
        const page = await chromium.newPage({ viewport: { width: 1200, height: 800 }, ...look }, problems);
        await page.goto(listening.url);
        await page.waitForSelector("[data-testid=rater]");
        await page.fill("[data-testid=rater]", rater);
        await page.keyboard.press("Enter");
        await page.waitForSelector("[data-testid=item], [data-testid=finished]");
        return { page, problems };
      },
    };
  }

  const itemOf = async (page: Page) =>
    Number(await page.getAttribute("[data-testid=item]", "data-item").catch(() => null));
  const textsOf = (page: Page) => page.locator(".rate-text").allTextContents();
  /** Presses a key that leads to another item, or to the end. */
  async function go(page: Page, key: string): Promise<void> {
    const before = await page.textContent("[data-testid=progress]");
    await page.keyboard.press(key);
    await expect.poll(() => page.textContent("[data-testid=progress]"), PATIENCE).not.toBe(before);
  }

  /** Rates every shown text by `score`, with the keyboard alone. */
  async function rateItem(page: Page, score: (text: string) => number): Promise<void> {
    const texts = await textsOf(page);
    for (const [output, text] of texts.entries()) {
      if (output > 0) await page.keyboard.press(output % 2 === 0 ? "Tab" : "ArrowDown");
      await page.keyboard.press(String(score(text)));
    }
    await go(page, "Enter");
  }

  test("two raters go through a round by keyboard, and the results follow from what they pressed", async () => {
    const { dir, round, open, stop } = await serveRound({ items: 6, repeats: 2, checks: 4 });
    const raters = {
      // Likes the second policy by two points, sees the damage.
      anna: (text: string) =>
        text.includes("2. kind") ? 5 : text.startsWith("reference") ? 6 : /^\d/.test(text) ? 0 : 3,
      ben: () => 4,
    };
    for (const [rater, score] of Object.entries(raters)) {
      const { page, problems } = await open(rater);
      for (let item = 0; item < round.items.length; item++) {
        expect(await itemOf(page)).toBe(item);
        await rateItem(page, score);
      }
      await page.waitForSelector("[data-testid=finished]");
      expect(problems).toEqual([]);
      await page.context().close();
    }
    await stop();
    const { judgements } = await readRatings(dir);
    const [results] = ratingResults(judgements, 1);
    const last = results!.systems.find(({ name }) => name === "G1I2")!;
    // Anna +2, Ben 0, on each of six items.
    expect(last.difference).toMatchObject({ value: 1, wins: 6, losses: 0, p: 2 / 64 });
    expect(results!.raters).toMatchObject([
      { name: "anna", careless: false, checks: { seen: 4, failed: 0 }, repeats: { same: 1 } },
      { name: "ben", careless: true, checks: { seen: 4, failed: 4 } },
    ]);
  });

  test("comment, skip and undo by keyboard; keys in the comment are letters", async () => {
    const { dir, round, open, stop } = await serveRound({ items: 3 });
    const { page } = await open("anna");
    await page.keyboard.press("c");
    await page.keyboard.type("us 06");
    await page.keyboard.press("Escape");
    await rateItem(page, () => 2);
    await go(page, "s");
    expect(await itemOf(page)).toBe(2);
    await go(page, "u");
    expect(await itemOf(page)).toBe(1);
    await go(page, "u");
    expect(await itemOf(page)).toBe(0);
    expect(await page.inputValue("[data-testid=comment]")).toBe("us 06");
    expect(await page.locator("input:checked").count()).toBe(2);
    // Enter keeps what was given before.
    await go(page, "Enter");
    await stop();
    const lines = readLog(ratingsFolder(dir).log).lines;
    expect(lines.map(({ action }) => action)).toEqual(["rate", "skip", "undo", "undo", "rate"]);
    expect(lines[4]).toMatchObject({ round: round.id, item: 0, scores: [2, 2], comment: "us 06" });
  });

  test("Enter before everything is rated says which text is open and goes there", async () => {
    const { open, stop } = await serveRound({ items: 2 });
    const { page } = await open("anna");
    await page.keyboard.press("3");
    await page.keyboard.press("Enter");
    expect(await page.textContent("[data-testid=message]")).toContain("Translation 2 has no rating yet");
    await page.keyboard.press("5");
    await go(page, "Enter");
    expect(await itemOf(page)).toBe(1);
    await stop();
  });

  test("a server that is away loses nothing: the page says so, and the same key sends again", async () => {
    const { dir, open, start, stop } = await serveRound({ items: 2 });
    const { page } = await open("anna");
    await stop();
    for (const key of ["4", "ArrowDown", "1", "Enter"]) await page.keyboard.press(key);
    await expect
      .poll(() => page.textContent("[data-testid=message]"), PATIENCE)
      .toContain("The server does not answer");
    expect(await page.locator("input:checked").count()).toBe(2);
    await start();
    await go(page, "Enter");
    expect(readLog(ratingsFolder(dir).log).lines).toHaveLength(1);
    await stop();
  });

  test("a second page of the same rater repeats nothing and loses nothing", async () => {
    const { dir, open, stop } = await serveRound({ items: 3 });
    const [one, two] = [await open("anna"), await open("anna")];
    await rateItem(one.page, () => 1);
    // The second page still shows the first item: what it gives counts, and it goes on to the second.
    await rateItem(two.page, () => 6);
    expect(await itemOf(two.page)).toBe(1);
    await stop();
    const { judgements } = await readRatings(dir);
    expect(judgements.map(({ score }) => score)).toEqual([6, 6]);
    expect(readLog(ratingsFolder(dir).log).lines).toHaveLength(2);
  });

  test("texts and names that look like markup are shown as they are", async () => {
    const hostile = [
      `<img src=x onerror="alert(1)"><script>alert(2)</script>`,
      `</p><a href="javascript:alert(3)">click</a>{{7*7}}\${1}`,
    ];
    const sources: RatableSource[] = ratable(1).map((source) => ({
      ...source,
      source: `<svg onload=alert(4)>`,
      outputs: source.outputs.map((output, at) => ({ ...output, text: hostile[at]! })),
    }));
    const { open, stop } = await serveRound({ items: 1, sources });
    const { page, problems } = await open(`<b onmouseover=alert(5)>x`);
    expect((await textsOf(page)).sort()).toEqual(hostile.toSorted());
    expect(await page.textContent("[data-testid=source]")).toBe("<svg onload=alert(4)>");
    expect(await page.locator("main img, main svg, main a, main b, main script").count()).toBe(0);
    expect(problems).toEqual([]);
    await stop();
  });

  test.each([
    { name: "light", look: { colorScheme: "light" } },
    { name: "dark", look: { colorScheme: "dark" } },
    { name: "narrow", look: { viewport: { width: 320, height: 640 } } },
  ] as const)(
    "$name: nothing that a machine finds inaccessible, and no scrolling sideways",
    async ({ look }) => {
      const sources = ratable(2).map((source) => ({ ...source, source: "Wort ".repeat(80) + source.id }));
      const { open, stop } = await serveRound({ items: 2, sources });
      const { page } = await open("anna", look);
      await page.keyboard.press("3");
      expect(await axeFindings(page)).toEqual([]);
      expect(await pixelsTooWide(page)).toBeLessThanOrEqual(0);
      await stop();
    },
  );
});
