/** Chromium and the built page, for tests that see what a reader sees. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { expect } from "vitest";

const CHROMIUM = process.env.COPPICE_CHROMIUM ?? "/usr/bin/chromium";
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Milliseconds: a machine that does other work too answers late. */
export const PATIENCE = 60_000;

/** Whether there is a Chromium; says loudly what is not tested where there is none. */
export function hasChromium(untested: string): boolean {
  const there = existsSync(CHROMIUM);
  if (!there)
    console.warn(
      `SKIPPED: ${untested} not tested, for there is no ${CHROMIUM}; install Debian's chromium, or name another with COPPICE_CHROMIUM.`,
    );
  return there;
}

export interface Browser {
  /**
   * A page in a context of its own, with nothing loaded. `problems` is given what it complains of: uncaught errors,
   * dialogs, and errors in the console, a violated content security policy among them.
   */
  newPage(look?: BrowserContextOptions, problems?: string[]): Promise<Page>;
  close(): Promise<void>;
}

export interface Chromium extends Browser {
  /** Folder of the built page. */
  built: string;
}

/** Starts the browser, which is gone after `close`. */
export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  return {
    newPage: async (look = {}, problems = []) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...look });
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE);
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("dialog", (dialog) => {
        problems.push(`dialog ${dialog.message()}`);
        dialog.dismiss().catch(() => {});
      });
      page.on("console", (message) => {
        if (message.type() === "error") problems.push(message.text());
      });
      return page;
    },
    close: () => browser.close(),
  };
}

/** Builds the page and starts the browser; both are gone after `close`. */
export async function openChromium(): Promise<Chromium> {
  const built = mkdtempSync(join(tmpdir(), "coppice-page-"));
  const remove = () => rmSync(built, { recursive: true, force: true });
  try {
    await build({
      configFile: fileURLToPath(new URL("../../vite.config.ts", import.meta.url)),
      logLevel: "error",
      build: { outDir: built, emptyOutDir: true },
    });
    const browser = await openBrowser();
    return {
      built,
      newPage: browser.newPage,
      close: async () => {
        await browser.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** What axe finds on the page as it stands: rule and first place. */
export async function axeFindings(page: Page): Promise<[string, string | undefined][]> {
  await page.evaluate(AXE);
  // What axe.run resolves to, in part.
  const { violations } = (await page.evaluate("axe.run()")) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
}

/** Pixels by which the page is wider than the window; below 0 where room is kept for a scroll bar. */
export async function pixelsTooWide(page: Page): Promise<number> {
  return (await page.evaluate(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  )) as number;
}

/** Waits until no chart that stands on the page is still to be drawn. */
export async function waitForCharts(page: Page): Promise<void> {
  const undrawn =
    "[...document.querySelectorAll('.drawing')].filter((one) => !one.querySelector('svg')).length";
  await expect.poll(() => page.evaluate(undrawn), { timeout: PATIENCE }).toBe(0);
}
