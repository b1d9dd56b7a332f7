import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDashboard } from "./asking.js";

/** Bytes of the whole page compressed, without the chart library; and of what the first paint waits for. */
const MOST = 300_000;
const MOST_AT_FIRST = 60_000;

let page: string;
let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "coppice-page-"));
  page = join(root, "page");
  await build({ configFile: "vite.config.ts", logLevel: "error", build: { outDir: page } });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const compressed = (name: string) => gzipSync(readFileSync(join(page, name))).length;
const assets = () => readdirSync(join(page, "assets")).map((name) => `assets/${name}`);
const isChartLibrary = (name: string) => /^assets\/charts-/.test(name);

describe("the built page", () => {
  it("is small without the chart library, which is one chunk of its own", () => {
    expect(assets().filter(isChartLibrary)).toHaveLength(1);
    const own = assets().filter((name) => !isChartLibrary(name));
    const bytes = ["index.html", ...own].reduce((sum, name) => sum + compressed(name), 0);
    expect(bytes).toBeLessThan(MOST);
  });

  it("waits at first for its frame alone", () => {
    const html = readFileSync(join(page, "index.html"), "utf8");
    const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, name]) => name!);
    expect(first.length).toBeGreaterThan(1);
    expect(first.some(isChartLibrary)).toBe(false);
    expect(first.reduce((sum, name) => sum + compressed(name), 0)).toBeLessThan(MOST_AT_FIRST);
  });

  it("keeps to the server's policy: no inline script or style, nothing from elsewhere", () => {
    const html = readFileSync(join(page, "index.html"), "utf8");
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    const styles = assets().filter((name) => name.endsWith(".css"));
    for (const name of styles) expect(readFileSync(join(page, name), "utf8")).not.toMatch(/url\(|@import/);
  });

  it("looks as the report does: the style of the components stands in front of its own", () => {
    for (const entry of ["index.html", "rate.html"]) {
      const sheets = [...readFileSync(join(page, entry), "utf8").matchAll(/href="\/(assets\/[^"]+\.css)"/g)];
      const style = sheets.map(([, name]) => readFileSync(join(page, name!), "utf8")).join("\n");
      expect(style.indexOf("--chart-blue:")).toBeGreaterThan(-1);
      expect(style.indexOf("--chart-blue:")).toBeLessThan(style.indexOf(".run-choice"));
      expect(style).toContain(".reward-bar .track");
    }
  });

  it("is served as it was built, and its absence said", async () => {
    const open = await openDashboard(root, { page });
    try {
      const { status, headers, text } = await open.ask("/");
      expect(status).toBe(200);
      expect(headers["content-type"]).toMatch(/^text\/html/);
      for (const [, name] of text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
        const asset = await open.ask(name!);
        expect(asset.status).toBe(200);
        expect(asset.headers["content-type"]).toMatch(/^text\/(javascript|css)/);
        expect(asset.headers["cache-control"]).toContain("immutable");
      }
    } finally {
      await open.close();
    }
    const without = await openDashboard(root, { page: join(root, "nothing") });
    const { status, text } = await without.ask("/");
    await without.close();
    expect(status).toBe(503);
    expect(text).toContain("npm run build");
  });
});
