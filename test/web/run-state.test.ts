import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { liveReporter } from "../../src/rest/live.js";
import { silent } from "../../src/rest/reporter.js";
import { lockRun } from "../../src/store/lock.js";
import { runFolder } from "../../src/store/run-folder.js";
import type { RunFigures, RunState } from "../../src/web/protocol.js";
import { readRunState } from "../../src/web/run-state.js";
import { openDashboard } from "./asking.js";
import { finishedRun, newFolder } from "./run-folders.js";

let finished: string;
const folders: string[] = [];
beforeAll(async () => {
  finished = await finishedRun();
  folders.push(finished);
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A copy of the finished run that stands where it stood after so many steps. */
function runAfter(steps: number): string {
  const dir = newFolder();
  folders.push(dir);
  cpSync(finished, dir, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8"));
  manifest.steps = manifest.steps.slice(0, steps);
  writeFileSync(join(dir, "manifest.json"), JSON.stringify(manifest));
  for (const name of ["summary.json", "report.html"]) rmSync(join(dir, name));
  if (steps === 0) for (const name of ["manifest.json", "metrics.jsonl"]) rmSync(join(dir, name));
  return dir;
}

const stateOf = (dir: string): Promise<RunState> => readRunState({ ...runFolder(dir), name: "tiny" });

describe("the state of a run", () => {
  it("of a finished one follows from its files", async () => {
    const state = await stateOf(finished);
    expect(state).toMatchObject({ state: "finished", owner: null, live: null });
    expect(state.done).toBe(state.total);
    expect(state.stages.map(({ id, status }) => `${id} ${status}`)).toEqual(
      ["prepare", "G0I0", "grow-1", "score-1", "G1I1", "G1I2", "G1I1-random", "G1I2-random"].map(
        (id) => `${id} done`,
      ),
    );
  });

  it("of one that has not begun says how it is begun", async () => {
    const state = await stateOf(runAfter(0));
    expect(state).toMatchObject({ state: "new", done: 0 });
    expect(state.advice).toContain("coppice run ");
    expect(state.stages.every(({ status }) => status === "waiting")).toBe(true);
  });

  it("lights the step that its process says it works on, with what that says", async () => {
    const dir = runAfter(3);
    const lock = lockRun(dir);
    const live = liveReporter(join(dir, "live.json"), silent);
    try {
      live.step("grow-1");
      const state = await stateOf(dir);
      expect(state).toMatchObject({
        state: "running",
        owner: { pid: process.pid },
        live: { step: "grow-1" },
      });
      expect(state.stages.filter(({ status }) => status === "running").map(({ id }) => id)).toEqual([
        "grow-1",
      ]);
      expect(state.advice).toContain(`kill ${process.pid}`);
    } finally {
      live.close();
      lock.unlock();
    }
  });

  it("of one whose process was killed is stopped, and says what to do", async () => {
    const dir = runAfter(3);
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    const pid = child.pid!;
    writeFileSync(
      join(dir, "live.json"),
      JSON.stringify({ pid, step: "grow-1", progress: null, said: null, updated: new Date().toISOString() }),
    );
    child.kill("SIGKILL");
    await once(child, "exit");
    const state = await stateOf(dir);
    expect(state).toMatchObject({ state: "stopped", owner: null, live: null });
    expect(state.advice).toContain(`Process ${pid} ended before the run did`);
    expect(state.advice).toContain("coppice run ");
    expect(state.stages.some(({ status }) => status === "running")).toBe(false);
  });

  it("quotes a folder's name for the shell", async () => {
    const dir = join(runAfter(3), "it's; rm");
    cpSync(finished, dir, { recursive: true });
    rmSync(join(dir, "manifest.json"));
    expect((await stateOf(dir)).advice).toContain(`coppice run '${dir.replace("it's", "it'\\''s")}'`);
  });

  it("of one whose files are damaged says which", async () => {
    const dir = runAfter(3);
    writeFileSync(join(dir, "manifest.json"), "{");
    const state = await stateOf(dir);
    expect(state.state).toBe("broken");
    expect(state.advice).toMatch(/manifest\.json: this is not JSON/);
  });
});

describe("figures", () => {
  it("are gathered from finished steps before the summary is written, as the summary has them", async () => {
    const whole = await openDashboard(finished);
    const written = await whole.json<RunFigures>("/api/run/figures");
    await whole.close();
    const dir = runAfter(100);
    const open = await openDashboard(dir);
    const gathered = await open.json<RunFigures>("/api/run/figures");
    await open.close();
    expect(written.verdict?.headline).toBeTruthy();
    expect(gathered.verdict).toBeNull();
    expect(gathered.charts).toEqual(written.charts);
    expect(gathered.tiles).toEqual(written.tiles);
    expect(written.charts.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "reward-by-step",
        "bc-loss",
        "improve-loss",
        "validation-reward",
        "chrf-by-step",
      ]),
    );
  });

  it("are none before the first step, and those of one policy after its evaluation", async () => {
    const nothing = await openDashboard(runAfter(0));
    expect(await nothing.json<RunFigures>("/api/run/figures")).toEqual({
      verdict: null,
      tiles: [],
      charts: [],
      tables: [],
    });
    await nothing.close();
    const one = await openDashboard(runAfter(3));
    const { tables } = await one.json<RunFigures>("/api/run/figures");
    await one.close();
    expect(tables[0]!.rows.map(({ cells }) => cells[0])).toEqual(["G0I0"]);
  });

  it("leave out lines of metrics.jsonl that no finished step has counted", async () => {
    const dir = runAfter(3);
    const open = await openDashboard(dir);
    const { charts } = await open.json<RunFigures>("/api/run/figures");
    await open.close();
    expect(charts.map(({ name }) => name)).toContain("bc-loss");
    expect(charts.map(({ name }) => name)).not.toContain("improve-loss");
  });
});

/** Reads the stream of states. */
function follow(url: string): {
  states: RunState[];
  next(count: number): Promise<void>;
  ended: Promise<void>;
} {
  const states: RunState[] = [];
  let wake = () => {};
  let left = "";
  const ended = new Promise<void>((resolve) => {
    const sent = get(url, (response) => {
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        const events = (left + part).split("\n\n");
        left = events.pop()!;
        for (const event of events) {
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (data !== undefined) states.push(JSON.parse(data));
        }
        wake();
      });
      response.on("close", () => {
        wake();
        resolve();
      });
    });
    sent.on("error", () => resolve());
  });
  return {
    states,
    ended,
    next: async (count) => {
      while (states.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
  };
}

describe("the stream of states", () => {
  it("tells at once, then whenever the files change, also after the server came back", async () => {
    const dir = runAfter(3);
    const first = await openDashboard(dir);
    const before = follow(`${first.url}/api/run/events`);
    await before.next(1);
    expect(before.states[0]).toMatchObject({ state: "stopped", done: 3 });

    const lock = lockRun(dir);
    const live = liveReporter(join(dir, "live.json"), silent);
    live.step("grow-1");
    live.progress("Grow 1", 10, "candidates").update(5);
    await before.next(2);
    expect(before.states.at(-1)!.state).toBe("running");
    await first.close();
    await before.ended;

    const second = await openDashboard(dir);
    const after = follow(`${second.url}/api/run/events`);
    await after.next(1);
    expect(after.states[0]).toMatchObject({ state: "running", live: { step: "grow-1" } });
    live.close();
    lock.unlock();
    while (after.states.at(-1)!.state === "running") await after.next(after.states.length + 1);
    expect(after.states.at(-1)).toMatchObject({ state: "stopped", live: null });
    await second.close();
    await after.ended;
  });

  it("is served for as many as listen, and stops watching when they have gone", async () => {
    const open = await openDashboard(runAfter(3));
    const all = [1, 2, 3].map(() => follow(`${open.url}/api/run/events`));
    await Promise.all(all.map(({ next }) => next(1)));
    await open.close();
    await Promise.all(all.map(({ ended }) => ended));
  });
});

describe("a folder of several runs", () => {
  it("lists them by their way from it, and takes one by that name", async () => {
    const dir = newFolder();
    folders.push(dir);
    for (const name of ["b/seed-1/arm", "b/seed-10/arm", "b/seed-2/arm", "a run"])
      cpSync(finished, join(dir, name), { recursive: true });
    const open = await openDashboard(dir);
    const { runs } = await open.json<{ runs: { name: string }[] }>("/api/runs");
    expect(runs.map(({ name }) => name)).toEqual(["a run", "b/seed-1/arm", "b/seed-2/arm", "b/seed-10/arm"]);
    expect((await open.json<RunState>("/api/run")).name).toBe("a run");
    expect((await open.json<RunState>("/api/run?run=b%2Fseed-2%2Farm")).folder).toBe(
      join(dir, "b/seed-2/arm"),
    );
    expect((await open.ask("/api/run?run=b")).status).toBe(404);
    await open.close();
  });
});
