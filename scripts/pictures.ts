/**
 * Pictures of the dashboard's pages, as README shows them, taken in Debian's Chromium.
 *
 *     npm run pictures -- RUN OUT      every page of a run (or a study), light and dark, as OUT/PAGE-light.png
 *
 * COPPICE_CHROMIUM names another Chromium than /usr/bin/chromium; `npm run build` makes the page first.
 */

import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { listen } from "../src/http/listen.js";
import { createDashboard } from "../src/web/server.js";

const PAGES = ["run", "candidates", "policies", "compare", "reward", "rate"];
const WIDTHS = { wide: 1280, narrow: 390 };

const [dir, out] = process.argv.slice(2);
if (dir === undefined || out === undefined) {
  console.error("npm run pictures -- RUN OUT");
  process.exit(2);
}
await mkdir(out, { recursive: true });
const address = "127.0.0.1";
const dashboard = createDashboard({ dir: await realpath(dir), address, page: "dist/web/page" });
const listening = await listen(dashboard.app, { address, port: 0 });
const browser = await chromium.launch({
  executablePath: process.env.COPPICE_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
for (const colorScheme of ["light", "dark"] as const)
  for (const [size, width] of Object.entries(WIDTHS)) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const page = await context.newPage();
    for (const name of PAGES) {
      await page.goto(`${listening.url}/#/${name}`, { waitUntil: "load" });
      // Charts are drawn after their library has come; event streams keep the network from ever being idle.
      await page.getByText("Loading…").first().waitFor({ state: "hidden", timeout: 60_000 });
      await page.waitForTimeout(1000);
      const suffix = size === "wide" ? colorScheme : `${colorScheme}-narrow`;
      await page.screenshot({ path: join(out, `${name}-${suffix}.png`) });
    }
    await context.close();
  }
await browser.close();
await dashboard.close();
await listening.close();
