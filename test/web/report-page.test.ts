/** `report.html` in a real browser, opened from disk. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderReport } from "../../src/report/report.js";
import { rising } from "../report/samples.js";
import { axeFindings, type Browser, hasChromium, openBrowser, pixelsTooWide } from "./browser.js";

describe.skipIf(!hasChromium("report.html was"))("a report opened from disk", () => {
  const folder = mkdtempSync(join(tmpdir(), "coppice-report-"));
  const file = join(folder, "report.html");
  let browser: Browser;
  beforeAll(async () => {
    writeFileSync(file, await renderReport(rising()));
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(["light", "dark"] as const)(
    "%s: nothing that axe finds, no complaint, nothing sideways",
    async (colorScheme) => {
      const problems: string[] = [];
      const page = await browser.newPage({ colorScheme }, problems);
      await page.goto(pathToFileURL(file).href);
      expect(await page.locator("svg[role=img]").count()).toBeGreaterThan(2);
      await page.setViewportSize({ width: 360, height: 700 });
      expect(await pixelsTooWide(page)).toBeLessThanOrEqual(0);
      expect(problems).toEqual([]);
      expect(await axeFindings(page)).toEqual([]);
    },
  );
});
