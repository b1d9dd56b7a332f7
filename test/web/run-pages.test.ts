/** The pages Run, Candidates and Ratings in a real browser: a run that is under way, and folders made by hand. */

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Listening, listen } from "../../src/http/listen.js";
import { RatingDesk } from "../../src/rating/desk.js";
import { ratingsFolder, storeRound } from "../../src/rating/round.js";
import { runAll } from "../../src/rest/run.js";
import { type Candidate, CandidateWriter, HUMAN_SAMPLE_ID } from "../../src/store/candidates.js";
import type { RunSummary } from "../../src/store/summary.js";
import { createDashboard } from "../../src/web/server.js";
import { testRound } from "../rating/rounds.js";
import { tinyRun } from "../rest/tiny-run.js";
import {
  axeFindings,
  type Chromium,
  hasChromium,
  openChromium,
  PATIENCE,
  pixelsTooWide,
  waitForCharts,
} from "./browser.js";
import { temporaryFolder, writeRun } from "./made-run.js";

const ADDRESS = "127.0.0.1";
const SOON = { timeout: PATIENCE };
const MADE = "made";
const HOSTILE_RUN = "hostile";
const YOUNG = "young";

/** Texts that try to be markup, to run, to turn the line around, or to be too much. */
const HOSTILE = [
  `<img src=x onerror="alert(1)"><script>alert(2)</script>`,
  `</bdi></td></table><svg onload=alert(3)><style>*{display:none}</style><iframe src="javascript:alert(4)">`,
  `<a href="javascript:alert(5)" onmouseover="alert(6)" style="position:fixed;inset:0">click</a>{{7*7}}\${7*7}`,
  "\u202egnirts desrever\u202c \u2066isolated\u2069 \u0007bell",
  "A".repeat(100_000),
];
/** The same as a reader is to see them: what acts is written out, what is too much cut. */
const SHOWN = [
  ...HOSTILE.slice(0, 3),
  "[U+202E]gnirts desrever[U+202C] [U+2066]isolated[U+2069] [U+0007]bell",
  `${"A".repeat(5000)} … (95,000 more characters)`,
];

/**
 * 40 sources with their human translation and four samples. Rewards lie on, just above and between the 200ths that the
 * slider stops at; some samples are cut, some empty.
 */
const CANDIDATES: readonly Candidate[] = Array.from({ length: 40 }, (_, sourceId) =>
  [HUMAN_SAMPLE_ID, 0, 1, 2, 3].map((sampleId) => {
    const at = sourceId * 5 + sampleId + 1;
    const reward = at % 3 === 0 ? ((at * 7) % 201) / 200 : (((at * 37) % 1000) + 0.5) / 1000;
    const text = at % 17 === 5 ? " " : `translation ${sampleId} of ${sourceId}`;
    return candidate({ sourceId, sampleId, source: `Quelle ${sourceId}`, text, reward, cut: at % 11 === 3 });
  }),
).flat();

interface Row extends Pick<Candidate, "sourceId" | "sampleId" | "source" | "text" | "reward"> {
  cut?: boolean;
}

function candidate({ cut = false, ...row }: Row): Candidate {
  const human = row.sampleId === HUMAN_SAMPLE_ID;
  const tokens = human ? [] : [5, 2];
  const logProbs = tokens.map(() => -1);
  return {
    ...{ grow: 1, ...row, tokens, logProbs, sampleLogProbs: logProbs },
    ...{ finished: human || !cut, origin: human ? "human" : "policy" },
  };
}

async function writeGrow(run: string, candidates: readonly Candidate[]): Promise<void> {
  mkdirSync(join(run, "grow-1"), { recursive: true });
  const writer = await CandidateWriter.open(join(run, "grow-1/candidates.parquet"), {
    runId: "0123456789abcdef",
  });
  writer.append([...candidates]);
  await writer.finish();
}

/** What a threshold of `step` 200ths keeps of `CANDIDATES`, counted one by one; as the page words it. */
function countedAt(step: number): { kept: string; sources: string; mean: string; change: string } {
  const mean = (rows: readonly Candidate[]) =>
    rows.reduce((sum, { reward }) => sum + reward!, 0) / rows.length;
  const kept = CANDIDATES.filter(
    ({ reward, finished, text }) => reward! > step / 200 && finished && text.trim() !== "",
  );
  const change = (100 * (mean(kept) - mean(CANDIDATES))).toFixed(1);
  const sign = Number(change) === 0 ? "" : change.startsWith("-") ? "−" : "+";
  return {
    kept: `${kept.length} of 200 candidates`,
    sources: `${new Set(kept.map(({ sourceId }) => sourceId)).size} of 40 sources`,
    mean: (100 * mean(kept)).toFixed(1),
    change: `${sign}${change.replace("-", "")} against all`,
  };
}

describe.skipIf(!hasChromium("Run, Candidates and Ratings are"))("in a browser", () => {
  let chromium: Chromium;
  let server: Awaited<ReturnType<typeof serve>>;
  /** A tiny run that the first test takes to its end. */
  let live: string;
  let summary: RunSummary;
  const folder = temporaryFolder();

  beforeAll(async () => {
    live = tinyRun({ bc: { steps: 600, validateEvery: 300 } }, 300, folder.dir);
    const made = join(folder.dir, MADE);
    writeRun(made);
    await writeGrow(made, CANDIDATES);
    writeRun(join(folder.dir, HOSTILE_RUN));
    await writeGrow(
      join(folder.dir, HOSTILE_RUN),
      HOSTILE.flatMap((text, sourceId) =>
        [HUMAN_SAMPLE_ID, 0, 1].map((sampleId) =>
          candidate({ sourceId, sampleId, source: text, text, reward: (sampleId + 2) / 4 }),
        ),
      ),
    );
    writeRun(join(folder.dir, YOUNG), { evaluated: [], reward: false });
    await rate(made);
    chromium = await openChromium();
    server = await serve(folder.dir);
  });
  afterAll(async () => {
    await server?.close();
    await chromium?.close();
    folder.remove();
  });

  /** A dashboard that can be cut off and come back to the same port. */
  async function serve(dir: string) {
    const open = () => createDashboard({ dir, address: ADDRESS, page: chromium.built });
    let dashboard = open();
    let listening: Listening = await listen(dashboard.app, { address: ADDRESS, port: 0 });
    const { url, port } = listening;
    return {
      url,
      /** Cuts every connection where it stands, streams among them. */
      crash: async () => {
        await listening.close(0);
        await dashboard.close();
      },
      start: async () => {
        dashboard = open();
        listening = await listen(dashboard.app, { address: ADDRESS, port });
      },
      close: async () => {
        await dashboard.close();
        await listening.close(0);
      },
    };
  }

  async function open(path: string, look: BrowserContextOptions = {}, url = server.url) {
    const problems: string[] = [];
    const page = await chromium.newPage(look, problems);
    await page.goto(`${url}/#/${path}`);
    return { page, problems, close: () => page.context().close() };
  }

  const liveName = () => live.slice(folder.dir.length + 1);
  const textOf = (page: Page, id: string) => page.locator(`[data-testid=${id}]`).first().textContent();

  test("a run is followed from its first step to its last without reloading, and looks the same afterwards", async () => {
    const { page, problems, close } = await open(`run?run=${liveName()}`);
    await page.waitForSelector("[data-testid=run-state][data-state=new]");
    expect(await textOf(page, "advice")).toContain("coppice run");
    expect(await page.locator("[data-testid^=stage-]").count()).toBe(8);
    await page.evaluate(RECORD);
    summary = await runAll({ dir: live });
    await page.waitForSelector("[data-testid=run-state][data-state=finished]");
    await page.waitForSelector("[data-testid=headline]");
    await expect.poll(() => page.locator(".stale").count(), SOON).toBe(0);
    await waitForCharts(page);
    // Gone if the page had been loaded again.
    const seen = (await page.evaluate("window.seen")) as Seen;

    expect(seen.states).toEqual(["new", "running", "finished"]);
    const order = await page
      .locator("[data-testid^=stage-]")
      .evaluateAll((boxes) => boxes.map((box) => box.getAttribute("data-testid")!.slice("stage-".length)));
    expect(order).toEqual([
      "prepare",
      "G0I0",
      "grow-1",
      "score-1",
      "G1I1",
      "G1I2",
      "G1I1-random",
      "G1I2-random",
    ]);
    const places = seen.lit.map((id) => order.indexOf(id));
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
    expect(seen.lit).toContain("G0I0");
    expect(seen.lit.some((id) => id.startsWith("G1I"))).toBe(true);
    // A busy machine shows few of them; those of one step never go back.
    expect(seen.progress.length).toBeGreaterThan(1);
    for (const step of new Set(seen.progress.map(([label]) => label))) {
      const shares = seen.progress
        .filter(([label]) => label === step)
        .map(([, share]) => Number.parseInt(share, 10));
      expect(shares, step).toEqual(shares.toSorted((a, b) => a - b));
    }
    expect(seen.chartsWhileRunning).toBeGreaterThan(0);

    // The figures are those that the run itself ended with.
    const last = summary.policies.filter(({ control }) => !control).at(-1)!;
    const tiles = await page.locator(".tiles dd").allTextContents();
    expect(tiles[0]).toContain((100 * last.reward.value).toFixed(1));
    expect(tiles[1]).toContain(last.bleu.value.toFixed(1));
    expect(tiles[2]).toContain(last.chrf.value.toFixed(1));
    const then = await shownOn(page);
    expect(then.length).toBeGreaterThan(20);
    const fresh = await open(`run?run=${liveName()}`);
    await fresh.page.waitForSelector("[data-testid=headline]");
    await waitForCharts(fresh.page);
    expect(await shownOn(fresh.page)).toEqual(then);
    expect([...problems, ...fresh.problems]).toEqual([]);
    await fresh.close();
    await close();
  });

  test("a threshold is dragged, by mouse and by keyboard: what it keeps is what is counted by hand", async () => {
    const { page, problems, close } = await open(`candidates?run=${MADE}&source=3`);
    const slider = page.getByTestId("threshold");
    await slider.waitFor();
    await page.waitForSelector("[data-testid=candidate-list]");
    const agrees = async () => {
      const step = Number(await slider.inputValue());
      const { kept, sources, mean, change } = countedAt(step);
      expect(await textOf(page, "threshold-value")).toBe(`reward > ${(step / 2).toFixed(1)}`);
      expect(await textOf(page, "kept-share")).toContain(kept);
      expect(await textOf(page, "coverage")).toContain(sources);
      expect(await textOf(page, "kept-mean")).toBe(`${mean}${change}`);
      return step;
    };
    const box = (await slider.boundingBox())!;
    const middle = box.y + box.height / 2;
    const steps: number[] = [await agrees()];
    await page.mouse.move(box.x + box.width / 2, middle);
    await page.mouse.down();
    for (const share of [0.45, 0.3, 0.6, 0.9]) {
      await page.mouse.move(box.x + box.width * share, middle, { steps: 4 });
      steps.push(await agrees());
    }
    // Not let go yet.
    expect(page.url()).not.toContain("threshold=");
    await page.mouse.up();
    expect(new Set(steps).size).toBe(5);
    await expect.poll(() => page.url(), SOON).toContain(`threshold=${steps.at(-1)}`);

    for (const [key, by] of [
      ["ArrowLeft", -1],
      ["ArrowLeft", -1],
      ["ArrowRight", 1],
    ] as const) {
      await page.keyboard.press(key);
      steps.push(await agrees());
      expect(steps.at(-1)! - steps.at(-2)!).toBe(by);
    }
    await page.keyboard.press("Home");
    expect(await agrees()).toBe(0);
    for (let press = 0; press < 3; press++) await page.keyboard.press("PageUp");
    const step = await agrees();
    expect(step).toBeGreaterThan(10);

    // The rows say the same as the tiles, those of one source and those of the list.
    const verdicts = await page
      .locator("[data-testid=candidate]")
      .evaluateAll((rows) =>
        rows.map((row) => [row.textContent!.match(/sample (\d)/)![1], row.textContent!.includes("✓ kept")]),
      );
    const ofSource = CANDIDATES.filter(({ sourceId, sampleId }) => sourceId === 3 && sampleId >= 0);
    expect(verdicts).toEqual(
      ofSource
        .toSorted((a, b) => b.reward! - a.reward!)
        .map(({ sampleId, reward, finished, text }) => [
          String(sampleId),
          reward! > step / 200 && finished && text.trim() !== "",
        ]),
    );
    await page.reload();
    await slider.waitFor();
    expect(await agrees()).toBe(step);
    expect(problems).toEqual([]);
    await close();
  });

  test("a server that is gone is said, with what to do; when it is back the page goes on by itself", async () => {
    const own = await serve(folder.dir);
    const { page, close } = await open(`run?run=${liveName()}`, {}, own.url);
    await page.waitForSelector("[data-testid=headline]");
    const candidates = await open(`candidates?run=${MADE}`, {}, own.url);
    await candidates.page.waitForSelector("[data-testid=candidate-list]");
    for (const each of [page, candidates.page]) await each.evaluate("window.loadedOnce = true");
    await own.crash();
    await expect.poll(() => textOf(page, "not-heard"), SOON).toContain("coppice ui");
    // What was shown stays to be read.
    expect(await page.locator("[data-testid=headline]").count()).toBe(1);
    await candidates.page.fill("[data-testid=search]", "of 7");
    await expect.poll(() => textOf(candidates.page, "error"), SOON).toContain("Is coppice ui still running?");
    // A page that was never opened cannot be loaded now.
    await page.click("[data-testid=nav-reward]");
    await expect.poll(() => textOf(page, "error"), SOON).toContain("Is coppice ui still running?");
    await own.start();
    await expect
      .poll(() => candidates.page.locator("[data-testid=candidate-list] tbody tr").count(), SOON)
      .toBe(CANDIDATES.filter(({ text }) => text.includes("of 7")).length);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForSelector("h1:has-text('Reward')");
    await page.click("[data-testid=nav-run]");
    await page.waitForSelector("[data-testid=headline]");
    await expect.poll(() => page.locator("[data-testid=not-heard]").count(), SOON).toBe(0);
    expect(await candidates.page.evaluate("window.loadedOnce")).toBe(true);
    await close();
    await candidates.close();
    await own.close();
  });

  test("hostile texts are shown as texts", async () => {
    const { page, problems, close } = await open(`candidates?run=${HOSTILE_RUN}`);
    await page.waitForSelector("[data-testid=candidate-list]");
    const listed = await page.locator("[data-testid=candidate-list] td:nth-child(3) bdi").allTextContents();
    const inList = [...SHOWN.slice(0, -1), `${"A".repeat(400)} … (99600 more characters)`];
    expect([...new Set(listed)].sort()).toEqual(inList.sort());
    for (const [id, text] of SHOWN.entries()) {
      await page.evaluate(`location.hash = "#/candidates?run=${HOSTILE_RUN}&source=${id}"`);
      await expect.poll(() => textOf(page, "source-text"), SOON).toBe(text);
      expect(await page.getByTestId("candidate").first().textContent()).toContain(text);
    }
    await page.fill("[data-testid=search]", "<script>alert(2)");
    await expect.poll(() => page.locator("[data-testid=candidate-list] tbody tr").count(), SOON).toBe(3);
    await page.mouse.move(600, 400);
    const made = page.locator(
      "main :is(img, script, style, iframe, [style*=position], [onmouseover], [onload], [href^=javascript])",
    );
    expect(await made.count()).toBe(0);
    expect(await page.locator("main bdi :not(span, mark)").count()).toBe(0);
    expect(await pixelsTooWide(page)).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
    await close();
  });

  test("everything is reached by keyboard alone, and where one is can be seen", async () => {
    const { page, problems, close } = await open(`ratings?run=${MADE}`);
    await page.waitForSelector("[data-testid=nav-candidates]");
    /** Presses `key` until what `selector` names has the focus; each stop must be in sight and marked. */
    const tabTo = async (selector: string, key = "Tab") => {
      for (let press = 0; press < 150; press++) {
        await page.keyboard.press(key);
        const [there, marked, element] = (await page.evaluate(`(() => {
          const at = document.activeElement;
          const { outlineStyle, outlineWidth } = getComputedStyle(at);
          const box = at.getBoundingClientRect();
          const inSight = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
          return [at.matches(${JSON.stringify(selector)}),
            inSight && outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1,
            at.outerHTML.slice(0, 200)];
        })()`)) as [boolean, boolean, string];
        expect([element, marked]).toEqual([element, true]);
        if (there) return;
      }
      throw new Error(`${key} does not lead to ${selector}`);
    };
    await tabTo(".skip");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await tabTo("[data-testid=nav-candidates]", "Shift+Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-testid=candidate-list]");
    await tabTo("[data-testid=threshold]");
    await page.keyboard.press("ArrowRight");
    expect(page.url()).toContain("threshold=101");
    await tabTo("[aria-label='Save rewards as CSV']");
    const [saved] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    expect(saved.suggestedFilename()).toBe("rewards.csv");
    await tabTo("[data-testid=search]");
    await page.keyboard.type("of 12");
    await expect
      .poll(() => page.locator("[data-testid=candidate-list] tbody tr").count(), SOON)
      .toBe(CANDIDATES.filter(({ text }) => text.includes("of 12")).length);
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.press("Delete");
    await page.waitForSelector("th[aria-sort=descending] >> text=Reward");
    await tabTo("th[aria-sort=none] button");
    await page.keyboard.press("Enter");
    await page.waitForSelector("th[aria-sort=descending] >> text=Characters");
    await tabTo("[data-testid=candidate-list] tbody a");
    const link = await page.evaluate("document.activeElement.textContent");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-testid=source-text]");
    const first = await textOf(page, "source-text");
    expect(link).toContain(first);
    // The focus goes along to what was opened.
    await expect.poll(() => page.evaluate("document.activeElement.dataset.testid"), SOON).toBe("source");
    await tabTo("[data-testid=source] button:not(:disabled)");
    await page.keyboard.press("Enter");
    await expect.poll(() => textOf(page, "source-text"), SOON).not.toBe(first);
    expect(problems).toEqual([]);
    await close();
  });

  test("at 360 pixels nothing makes the page scroll sideways", async () => {
    const narrow = { viewport: { width: 360, height: 740 } };
    for (const path of [
      `run?run=${liveName()}`,
      `candidates?run=${MADE}&source=3`,
      `candidates?run=${HOSTILE_RUN}&source=4`,
    ]) {
      const { page, close } = await open(path, narrow);
      await page.waitForSelector("[data-testid=headline], [data-testid=candidate]");
      await waitForCharts(page);
      expect([path, await pixelsTooWide(page)]).toEqual([
        path,
        expect.toSatisfy((over: number) => over <= 0),
      ]);
      await close();
    }
  });

  test.each(["light", "dark"] as const)("%s: nothing that axe finds", async (colorScheme) => {
    for (const [path, shown] of [
      [`run?run=${liveName()}`, "[data-testid=headline]"],
      [`candidates?run=${MADE}&source=3`, "[data-testid=candidate]"],
      [`ratings?run=${MADE}`, "[data-testid=scale-sqm]"],
    ] as const) {
      const { page, problems, close } = await open(path, { colorScheme });
      await page.waitForSelector(shown);
      await waitForCharts(page);
      expect([path, await axeFindings(page)]).toEqual([path, []]);
      expect(problems).toEqual([]);
      await close();
    }
  });

  test("where there is nothing yet the page says what to do", async () => {
    for (const [path, words] of [
      [`candidates?run=${YOUNG}`, "They come with the first Grow step"],
      [`ratings?run=${YOUNG}`, "coppice rate"],
    ] as const) {
      const { page, problems, close } = await open(path);
      await expect.poll(() => textOf(page, "empty"), SOON).toContain(words);
      expect(await axeFindings(page)).toEqual([]);
      expect(problems).toEqual([]);
      await close();
    }
    const empty = temporaryFolder();
    const own = await serve(empty.dir);
    for (const path of ["", "candidates", "policies", "reward", "ratings"]) {
      const { page, problems, close } = await open(path, {}, own.url);
      await expect.poll(() => textOf(page, "empty"), SOON).toMatch(/no run here yet.*coppice init/);
      expect([path, await axeFindings(page)]).toEqual([path, []]);
      expect([path, problems]).toEqual([path, []]);
      await close();
    }
    await own.close();
    empty.remove();
  });

  test("a chart is saved as SVG, as PNG and as CSV, and each file is what its name says", async () => {
    const { page, problems, close } = await open(`run?run=${liveName()}`, { colorScheme: "dark" });
    await page.waitForSelector("[data-testid=chart-reward-by-step] svg");
    const name = "reward-by-step";
    const svg = (await savedBy(page, name, "SVG")).toString("utf8");
    const parsed = (await page.evaluate(`(() => {
      const { documentElement: root } = new DOMParser().parseFromString(${JSON.stringify(svg)}, "image/svg+xml");
      return { root: root.nodeName, width: root.getAttribute("width"), paths: root.querySelectorAll("path").length,
        words: root.textContent };
    })()`)) as { root: string; width: string; paths: number; words: string };
    expect(parsed.root).toBe("svg");
    expect(Number(parsed.width)).toBeGreaterThan(100);
    expect(parsed.paths).toBeGreaterThan(3);
    expect(parsed.words).toContain("Mean reward");
    // Other programs than browsers know no style sheet's variables.
    expect(svg).not.toContain("var(");

    const png = await savedBy(page, name, "PNG");
    expect(png.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
    const drawn = (await page.evaluate(`(async () => {
      const bytes = Uint8Array.from(atob("${png.toString("base64")}"), (one) => one.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const { width, height } = picture;
      const pen = new OffscreenCanvas(width, height).getContext("2d");
      pen.drawImage(picture, 0, 0);
      const { data } = pen.getImageData(0, 0, width, height);
      const colours = new Set(new Uint32Array(data.buffer));
      return { width, height, colours: colours.size, corner: [...data.slice(0, 4)] };
    })()`)) as { width: number; height: number; colours: number; corner: number[] };
    expect(drawn.width).toBe(2 * Math.floor(Number(parsed.width)));
    expect(drawn.colours).toBeGreaterThan(20);
    expect(drawn.corner).toEqual([255, 255, 255, 255]);

    const [head, ...rows] = cellsOf((await savedBy(page, name, "CSV")).toString("utf8"));
    expect(head).toEqual(["at", "name", "value", "low", "high"]);
    const figures = (values: readonly number[]) => values.map((value) => value.toFixed(6)).sort();
    expect(figures(rows.map((cells) => Number(cells[2])))).toEqual(
      figures(summary.policies.map(({ reward }) => 100 * reward.value)),
    );
    expect(problems).toEqual([]);
    await close();
  });

  test("the histogram of rewards is saved with the figures that are counted by hand", async () => {
    const { page, problems, close } = await open(`candidates?run=${MADE}`);
    await page.getByTestId("threshold").waitFor();
    const [head, ...rows] = cellsOf((await savedBy(page, "rewards", "CSV")).toString("utf8"));
    expect(head).toEqual(["above", "upTo", "candidates"]);
    expect(rows.map(([, , candidates]) => Number(candidates))).toEqual(
      rows.map(
        (_, k) =>
          CANDIDATES.filter(
            ({ reward }) => (reward! > k / 200 || (k === 0 && reward === 0)) && reward! <= (k + 1) / 200,
          ).length,
      ),
    );
    const svg = (await savedBy(page, "rewards", "SVG")).toString("utf8");
    expect(svg.match(/<rect/g)).toHaveLength(200);
    expect(svg).not.toContain("var(");
    expect(problems).toEqual([]);
    await close();
  });
});

/** What a page has shown, from the moment on that `RECORD` is run in it. */
interface Seen {
  /** Steps of the pipeline in the order in which they were lit. */
  lit: string[];
  states: string[];
  /** Label and share in the order in which they were shown. */
  progress: [string, string][];
  chartsWhileRunning: number;
}

const RECORD = `(() => {
  const seen = window.seen = { lit: [], states: [], progress: [], chartsWhileRunning: 0 };
  const add = (list, value) => {
    if (value !== undefined && JSON.stringify(list.at(-1)) !== JSON.stringify(value)) list.push(value);
  };
  const one = (id) => document.querySelector("[data-testid=" + id + "]");
  const look = () => {
    const state = one("run-state")?.dataset.state;
    add(seen.states, state);
    const lit = document.querySelectorAll("[data-status=running]");
    for (const box of lit) add(seen.lit, box.dataset.testid.slice("stage-".length));
    if (one("share")) add(seen.progress, [one("progress").getAttribute("aria-label"), one("share").textContent]);
    const charts = document.querySelectorAll("[data-testid^=chart-] svg").length;
    if (state === "running") seen.chartsWhileRunning = Math.max(seen.chartsWhileRunning, charts);
  };
  look();
  new MutationObserver(look).observe(document.body,
    { subtree: true, childList: true, attributes: true, characterData: true });
})()`;

/** Every word and figure of the page, descriptions of charts among them. */
async function shownOn(page: Page): Promise<string[]> {
  const words = await page.locator("main :is(h1, h2, p, li, dt, dd, th, td)").allTextContents();
  const pictures = await page
    .locator("main [role=img]")
    .evaluateAll((all) => all.map((each) => each.getAttribute("aria-label")!));
  return [...words, ...pictures];
}

async function savedBy(page: Page, chart: string, format: string): Promise<Buffer> {
  const [download]: [Download, unknown] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: `Save ${chart} as ${format}`, exact: true }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`${chart}.${format.toLowerCase()}`);
  return readFileSync(await download.path());
}

/** Of a CSV file without quoted cells. */
const cellsOf = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(","));

/** Two raters go through a round of the run: one likes the second policy better, one tells no difference. */
async function rate(run: string): Promise<void> {
  const { createdAt: _, ...plan } = testRound({ items: 6, repeats: 2, checks: 2 });
  const round = await storeRound(run, plan);
  const desk = new RatingDesk(round, ratingsFolder(run).log);
  for (const rater of ["anna", "ben"])
    for (let { next } = desk.at(rater); next; { next } = desk.at(rater)) {
      const scores = next.outputs.map((text) => (rater === "ben" ? 4 : text.includes("2. kind") ? 5 : 3));
      desk.rate(rater, { item: next.item, scores, comment: rater === "ben" ? "hm" : undefined });
    }
}
