import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { liveReporter } from "../../src/rest/live.js";
import { silent } from "../../src/rest/reporter.js";
import { runAll } from "../../src/rest/run.js";
import { readLiveFile } from "../../src/store/live-file.js";
import { tinyRun } from "./tiny-run.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-live-"));
  path = join(folder, "live.json");
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

describe("a live reporter", () => {
  it("writes what is done now: step, progress, rate and time left", async () => {
    const live = liveReporter(path, silent);
    live.step("grow-1");
    const progress = live.progress("Grow 1", 1000, "candidates");
    await vi.advanceTimersByTimeAsync(2000);
    progress.update(100, "loss 2.3");
    await vi.advanceTimersByTimeAsync(2000);
    expect(await readLiveFile(path)).toMatchObject({
      pid: process.pid,
      step: "grow-1",
      said: null,
      progress: {
        label: "Grow 1",
        done: 100,
        total: 1000,
        unit: "candidates",
        detail: "loss 2.3",
        perSecond: 50,
        secondsLeft: 18,
      },
    });
    live.note("Something happened.");
    progress.finish();
    await vi.advanceTimersByTimeAsync(2000);
    expect(await readLiveFile(path)).toMatchObject({ progress: null, said: "Something happened." });
    live.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("writes at most once a second, and the last state at the end of it", async () => {
    const live = liveReporter(path, silent);
    const progress = live.progress("Score 1", 5000, "candidates");
    const seen = new Set<number | undefined>();
    for (let done = 1; done <= 5000; done++) {
      progress.update(done);
      await vi.advanceTimersByTimeAsync(1);
      if (done % 10 === 0) seen.add((await readLiveFile(path))?.progress?.done);
    }
    // Five seconds, and the file's beginning.
    expect(seen.size).toBeGreaterThanOrEqual(4);
    expect(seen.size).toBeLessThanOrEqual(6);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await readLiveFile(path))?.progress?.done).toBe(5000);
    live.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("hands everything on", () => {
    const heard: unknown[] = [];
    const live = liveReporter(path, {
      step: (name) => heard.push(name),
      note: (sentence) => heard.push(sentence),
      progress: (...what) => {
        heard.push(what);
        return { update: (...done) => heard.push(done), finish: () => heard.push("finished") };
      },
    });
    live.step("G0I0");
    live.note("A sentence.");
    const progress = live.progress("BC", 3, "steps");
    progress.update(1, "loss");
    progress.finish();
    live.close();
    expect(heard).toEqual(["G0I0", "A sentence.", ["BC", 3, "steps"], [1, "loss"], "finished"]);
  });

  it("lets a run go on where the file cannot be written", () => {
    mkdirSync(path);
    const live = liveReporter(path, silent);
    live.step("G0I0");
    live.note("A sentence.");
    expect(() => live.close()).not.toThrow();
    rmSync(path, { recursive: true });
  });
});

describe("a run", () => {
  it("names each step while it works, and leaves no live.json behind", async () => {
    vi.useRealTimers();
    const dir = tinyRun();
    const steps: string[] = [];
    await runAll({
      dir,
      reporter: { ...silent, step: (name) => steps.push(name) },
    });
    expect(steps.slice(0, 2)).toEqual(["prepare", "G0I0"]);
    expect(steps).toContain("evaluate-G1I2");
    expect(readdirSync(dir)).not.toContain("live.json");
    rmSync(dir, { recursive: true });
  });
});
