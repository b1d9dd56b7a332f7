/** The command line on a run that ends in seconds, from the built package. */

import { spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuiltPackage, buildPackage, type Ended, ended } from "../built.js";
import { tinyRun, writeConfig } from "../rest/tiny-run.js";

let built: BuiltPackage;
let dir: string;
let first: Ended;
const dirs: string[] = [];

/** How much of the list is reversed, without looking at a reference. */
const rewardModule = `
  export default (batch) =>
    batch.map(({ source, candidate }) => {
      const wanted = source.split(" ").reverse();
      const given = candidate.split(" ");
      return wanted.filter((word, i) => word === given[i]).length / Math.max(wanted.length, given.length);
    });`;
const reward = { kind: "module", path: "reversed.mjs" };

function newRun(over: Parameters<typeof tinyRun>[0] = {}): string {
  const made = tinyRun({ reward, ...over });
  writeFileSync(join(made, "reversed.mjs"), rewardModule);
  dirs.push(made);
  return made;
}

const manifestOf = (run: string): { steps: { name: string }[] } =>
  JSON.parse(readFileSync(join(run, "manifest.json"), "utf8"));

/** Resolves once the run has done `step`. */
async function untilDone(run: string, step: string): Promise<void> {
  const path = join(run, "manifest.json");
  while (!existsSync(path) || !manifestOf(run).steps.some(({ name }) => name === step)) await wait(20);
}

beforeAll(async () => {
  built = await buildPackage();
  dir = newRun();
  // A pair that stands there twice more, and a source with another translation.
  const [line = ""] = readFileSync(join(dir, "pairs.tsv"), "utf8").split("\n");
  appendFileSync(join(dir, "pairs.tsv"), `${line}\n${line}\n${line.split("\t")[0]}\t1 1 1\n`);
  first = await built.coppice(["run", dir]);
});
afterAll(() => {
  built.remove();
  for (const made of dirs) rmSync(made, { recursive: true });
});

/** Paths and times of all files, to see that a command wrote nothing. */
const traces = (run: string) =>
  readdirSync(run, { recursive: true, encoding: "utf8" }).map((name) => [
    name,
    statSync(join(run, name)).mtimeMs,
  ]);

const json = async (args: readonly string[], input = "") => {
  const { code, stdout, stderr } = await built.coppice([...args, "--json", "--quiet"], { input });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

describe("run", () => {
  test("says on standard error what it is about to do, on standard output what came of it", () => {
    expect(first.code).toBe(0);
    expect(first.stderr).toMatch(
      /^To do: prepare, G0I0, evaluate-G0I0, grow-1, score-1, G1I1, evaluate-G1I1, G1I2, evaluate-G1I2, G1I1-random, G1I2-random, evaluate-G1I2-random\.\n/,
    );
    expect(first.stderr).toMatch(/\nAbout .* left at this machine's pace \(Grow /);
    expect(first.stdout).toMatch(/^Policies\n/);
    expect(first.stdout).toContain(`The report is ${join(dir, "report.html")}`);
    expect(readFileSync(join(dir, "report.html"), "utf8")).toContain("G1I2-random");
  });

  test("counts duplicate pairs and repeated sources, and keeps them apart by their number", async () => {
    // Three of one pair and one more of its source; all fall into one part, which may be another than train.
    const all = ["train", "validation", "test"].flatMap((part) =>
      readFileSync(join(dir, `data/${part}.jsonl`), "utf8")
        .trimEnd()
        .split("\n"),
    );
    expect(all.length).toBe(303);
    expect(first.stderr).toMatch(/2 duplicate pairs, 3 repeated sources/);
  });

  test("says of a finished run that it reuses everything, and does nothing again", async () => {
    const before = manifestOf(dir);
    const { code, stderr } = await built.coppice(["run", dir]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^Reusing prepare, G0I0, .*evaluate-G1I2-random: finished in .* by the same configuration/,
    );
    expect(stderr).toContain("To do: only the report.\n");
    // A file that had only just been written when it was hashed is hashed again: its clock could not show a change.
    const inputs = expect.any(Array);
    expect({ ...manifestOf(dir), inputs }).toEqual({ ...before, inputs });
  });

  test("--json prints the summary that it wrote", async () => {
    expect(await json(["run", dir])).toEqual(JSON.parse(readFileSync(join(dir, "summary.json"), "utf8")));
  });

  test("reuses the candidates for other thresholds, and names what it does again", async () => {
    const other = newRun();
    await built.coppice(["run", other, "--quiet"]);
    const candidates = statSync(join(other, "grow-1/candidates.parquet")).mtimeMs;
    writeConfig(other, { reward, improve: { thresholds: { kind: "absolute", values: [0.1, 0.4] } } });
    const { code, stderr } = await built.coppice(["run", other]);
    expect(code).toBe(0);
    expect(stderr).toContain("improve.thresholds.values was [0.1,0.3] and is now [0.1,0.4].\n");
    expect(stderr).toContain("Reused as they are: prepare, G0I0, evaluate-G0I0, grow-1, score-1.\n");
    expect(stderr).toContain("To do: G1I1, evaluate-G1I1, G1I2,");
    expect(statSync(join(other, "grow-1/candidates.parquet")).mtimeMs).toBe(candidates);
  });
});

describe("single steps", () => {
  test("one after the other leave what run leaves, and each names the one that is due", {
    timeout: 120_000,
  }, async () => {
    const [whole, stepwise] = [newRun(), newRun()];
    await built.coppice(["run", whole, "--quiet"]);

    const early = await built.coppice(["score", stepwise]);
    expect([early.code, early.stderr]).toEqual([
      2,
      `${stepwise}: the step that is due is prepare. Do it with: coppice grow ${stepwise}\n`,
    ]);
    const told = [];
    for (const command of ["grow", "score", "improve", "improve"]) {
      const { done, next } = await json([command, stepwise]);
      told.push([command, done.map(({ name }: { name: string }) => name).join(" "), next?.command ?? null]);
    }
    // Evaluation and the control belong to the Improve step that they follow.
    expect(told).toEqual([
      ["grow", "prepare G0I0 evaluate-G0I0 grow-1", "score"],
      ["score", "score-1", "improve"],
      ["improve", "G1I1 evaluate-G1I1", "improve"],
      ["improve", "G1I2 evaluate-G1I2 G1I1-random G1I2-random evaluate-G1I2-random", null],
    ]);
    const late = await built.coppice(["improve", stepwise]);
    expect([late.code, late.stderr]).toEqual([
      2,
      `${stepwise}: every step of this run is done. Its figures: coppice status.\n`,
    ]);
    for (const file of [
      "policies/G1I2/model.safetensors",
      "grow-1/candidates.parquet",
      "evaluation/G1I2-random.json",
    ])
      expect(readFileSync(join(stepwise, file)).equals(readFileSync(join(whole, file))), file).toBe(true);
    expect(existsSync(join(stepwise, "report.html"))).toBe(true);
  });

  test("train-reward is refused where no reward is learned", async () => {
    const { code, stderr } = await built.coppice(["train-reward", dir]);
    expect([code, stderr]).toEqual([
      2,
      `${join(dir, "coppice.yaml")}: reward.kind is module, which is not learned, so there is nothing to train.\n`,
    ]);
  });

  test("candidates that are lost before they are scored are sampled again, the same", async () => {
    const run = newRun();
    const file = join(run, "grow-1/candidates.parquet");
    await json(["grow", run]);
    const first = readFileSync(file);
    writeFileSync(file, first.subarray(0, 1000));
    const damaged = await built.coppice(["score", run, "--quiet"]);
    expect([damaged.code, damaged.stderr]).toEqual([
      2,
      `${file}: this is not a whole Parquet file. Put it back from a copy; where it is not scored yet, delete it and \`coppice run\` samples it again.\n`,
    ]);
    rmSync(file);
    const { done } = await json(["grow", run]);
    expect(done.map(({ name }: { name: string }) => name)).toEqual(["grow-1"]);
    expect(readFileSync(file).equals(first)).toBe(true);
  });

  test("one thread or two give the same policies and candidates", async () => {
    const [one, two] = [newRun(), newRun()];
    for (const [run, threads] of [
      [one, "1"],
      [two, "2"],
    ] as const) {
      const { code } = await built.coppice(["grow", run, "--quiet"], { env: { COPPICE_THREADS: threads } });
      expect(code).toBe(0);
    }
    for (const file of ["policies/G0I0/model.safetensors", "grow-1/candidates.parquet"])
      expect(readFileSync(join(one, file)).equals(readFileSync(join(two, file))), file).toBe(true);
  });
});

describe("evaluate", () => {
  test("--json prints plain numbers, the same as in summary.json", async () => {
    const result = await json(["evaluate", dir]);
    const summary = JSON.parse(readFileSync(join(dir, "summary.json"), "utf8"));
    expect(result).toEqual({ policies: summary.policies });
    expect(result.policies.map(({ name }: { name: string }) => name)).toEqual([
      "G0I0",
      "G1I1",
      "G1I2",
      "G1I2-random",
    ]);
    for (const policy of result.policies) {
      expect(Object.keys(policy).slice(0, 7)).toEqual([
        "name",
        "grow",
        "improve",
        "reward",
        "bleu",
        "chrf",
        "n",
      ]);
      for (const key of ["grow", "improve", "reward", "bleu", "chrf", "n"])
        expect(policy[key]).toBeTypeOf("number");
    }
  });

  test("--test on the run's own test pairs gives the stored figures, and leaves the folder alone", async () => {
    const before = traces(dir);
    const out = join(built.dir, "evaluation.json");
    const test = join(dir, "data/test.jsonl");
    const measured = await json(["evaluate", dir, "--test", test, "--policy", "G1I2", "--out", out]);
    const stored = await json(["evaluate", dir, "--policy", "G1I2"]);
    expect(measured).toEqual(stored);
    expect(JSON.parse(readFileSync(out, "utf8"))).toEqual(measured);
    expect(traces(dir)).toEqual(before);
  });

  test("refuses a policy that the run does not have", async () => {
    const { code, stderr } = await built.coppice(["evaluate", dir, "--policy", "G4I1"]);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `${dir}: the run has no policy G4I1. It has G0I0, G1I1, G1I2, G1I1-random, G1I2-random.\n`,
    );
  });
});

describe("translate", () => {
  const sources = Array.from({ length: 300 }, (_, i) => `${i % 10} ${(i >> 3) % 10} ${(7 * i) % 10}`);

  test("gives one line for each line, in order, the same in blocks and alone", async () => {
    const input = `${[...sources.slice(0, 5), "", ...sources.slice(5)].join("\n")}\n`;
    const { code, stdout } = await built.coppice(["translate", dir, "--quiet"], { input });
    expect(code).toBe(0);
    const lines = stdout.slice(0, -1).split("\n");
    expect(lines.length).toBe(301);
    expect(lines[5]).toBe("");
    // Without the line break at its end.
    const alone = await built.coppice(["translate", dir, "--quiet"], { input: sources[299]! });
    expect(alone.stdout).toBe(`${lines[300]}\n`);
  });

  test("answers a line while the next has not come", async () => {
    const child = spawn(process.execPath, [join(built.dir, "dist/cli/main.js"), "translate", dir, "--json"], {
      cwd: built.dir,
    });
    const end = ended(child);
    child.stdin.write("1 2 3\n");
    const answer = await new Promise((resolve) =>
      child.stdout.once("data", (bytes) => resolve(String(bytes))),
    );
    expect(JSON.parse(String(answer))).toMatchObject({ source: "1 2 3", policy: "G1I2" });
    child.stdin.end("4 5 6\n");
    expect((await end).stdout).toMatch(/^\{"source":"1 2 3".*\n\{"source":"4 5 6".*\n$/);
  });

  test("--beam and --policy search with another policy", async () => {
    const found = await json(["translate", dir, "--beam", "3", "--policy", "G0I0"], "1 2 3\n");
    expect(found).toMatchObject({ source: "1 2 3", policy: "G0I0" });
  });

  test("--best-of prints the sample with the highest reward, whatever stands around it", async () => {
    const best = await json(["translate", dir, "--best-of", "8", "--temperature", "1.5"], "3 1 4\n");
    const scored = await json(["reward", dir], `3 1 4\t${best.translation}\n`);
    expect(scored.reward).toBe(best.reward);
    // More samples of the same draws can only be better.
    const more = await json(["translate", dir, "--best-of", "64", "--temperature", "1.5"], "3 1 4\n");
    expect(more.reward).toBeGreaterThanOrEqual(best.reward);
    const { stdout } = await built.coppice(
      ["translate", dir, "--best-of", "8", "--temperature", "1.5", "-q"],
      {
        input: "3 1 4\n5 5 5\n",
      },
    );
    expect(stdout.split("\n")[0]).toBe(best.translation);
  });

  test("ends quietly when its reader has seen enough", async () => {
    const command = `yes "1 2 3" | head -20000 | "${process.execPath}" dist/cli/main.js translate "${dir}" | head -1; echo "\${PIPESTATUS[2]}"`;
    const { stdout, stderr } = await ended(spawn("bash", ["-c", command], { cwd: built.dir }));
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^.*\n0\n$/);
  });
});

describe("serve", () => {
  /** Starts a server; `ready` is what it prints when it listens. */
  function serve(args: readonly string[], env: Record<string, string> = {}) {
    const child = built.start(["serve", dir, "--port", "0", "--json", ...args], { env });
    const end = ended(child);
    const ready = new Promise<{ url: string; policy: string; token?: string }>((resolve, reject) => {
      child.stdout!.once("data", (bytes) => resolve(JSON.parse(String(bytes))));
      void end.then(({ stderr }) => reject(new Error(stderr)));
    });
    return { child, end, ready };
  }
  const translate = (url: string, headers = {}) =>
    fetch(`${url}/translate`, { method: "POST", headers, body: '{"sources":["1 2 3"]}' });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "translates as the command does, and %s ends it with exit code 0",
    async (signal) => {
      const { child, end, ready } = serve(["--policy", "G1I1"]);
      const { url, policy, token } = await ready;
      expect([policy, token]).toEqual(["G1I1", undefined]);
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      const alone = await json(["translate", dir, "--policy", "G1I1"], "1 2 3\n");
      const answer = await (await translate(url)).json();
      expect(answer).toMatchObject({
        policy: "G1I1",
        translations: [{ translation: alone.translation, finished: alone.finished }],
      });
      child.kill(signal);
      const { code, stderr } = await end;
      expect(code).toBe(0);
      expect(stderr).toContain(`Translating with G1I1 of ${dir}.`);
      expect(existsSync(join(dir, "run.lock"))).toBe(false);
    },
  );

  test("asks for a token where others reach it: the user's, which is not printed, or a new one", async () => {
    for (const own of ["of-the-user", ""]) {
      const { child, end, ready } = serve(["--host", "0.0.0.0"], { COPPICE_TOKEN: own });
      const { url, token } = await ready;
      if (own === "") expect(token).toMatch(/^[0-9a-f]{32}$/);
      expect((await translate(url)).status).toBe(401);
      expect((await translate(url, { Authorization: `Bearer ${own || token}` })).status).toBe(200);
      child.kill("SIGTERM");
      const { code, stdout, stderr } = await end;
      expect(code).toBe(0);
      expect(stdout + stderr).not.toContain("of-the-user");
    }
  });

  test("names what is wrong before it listens", async () => {
    const other = await built.coppice(["serve", dir, "--policy", "G4I1"]);
    expect([other.code, other.stderr]).toEqual([
      2,
      `${dir}: the run has no policy G4I1. It has G0I0, G1I1, G1I2, G1I1-random, G1I2-random.\n`,
    ]);
    const port = await built.coppice(["serve", dir, "--port", "70000"]);
    expect([port.code, port.stderr]).toEqual([
      2,
      "option '--port <n>' argument '70000' is invalid. It must be a whole number from 0 to 65535.\n",
    ]);
  });
});

describe("reward", () => {
  test("prints one number a line, objects with --json", async () => {
    const { code, stdout } = await built.coppice(["reward", dir, "--quiet"], {
      input: "1 2 3\t3 2 1\n1 2 3\t3 2 2 1\r\n1 2 3\t7\n",
    });
    // By hand: all of three; two of the longer's four; none.
    expect([code, stdout]).toEqual([0, "1.000000\n0.500000\n0.000000\n"]);
    expect(await json(["reward", dir], "1 2\t2 1\tgold\n")).toEqual({
      source: "1 2",
      candidate: "2 1",
      reference: "gold",
      reward: 1,
    });
  });

  test("names the line that is not a pair", async () => {
    const { code, stderr } = await built.coppice(["reward", dir], { input: "1 2\t2 1\n1 2\n" });
    expect([code, stderr]).toEqual([
      2,
      "standard input:2: the line has 0 tabs, expected source<TAB>candidate or source<TAB>candidate<TAB>reference.\n",
    ]);
  });
});

describe("inspect and status", () => {
  test("inspect counts two samples and one human pair a source", async () => {
    const { grow, stats } = await json(["inspect", dir]);
    const sources = JSON.parse(readFileSync(join(dir, "summary.json"), "utf8")).data.train;
    expect(grow).toBe(1);
    expect(stats).toMatchObject({
      candidates: 3 * sources,
      human: sources,
      sources,
      unscored: 0,
      maxReward: 1,
    });
  });

  test("status of a finished run has its steps, its figures and nothing to do", async () => {
    const status = await json(["status", dir]);
    expect(status).toMatchObject({ state: "finished", working: null, next: [] });
    expect(status.steps.map(({ name }: { name: string }) => name).slice(0, 3)).toEqual([
      "prepare",
      "G0I0",
      "evaluate-G0I0",
    ]);
    expect(status.summary.policies).toEqual((await json(["evaluate", dir])).policies);
  });
});

describe("Ctrl-C", () => {
  const endless = 10_000_000;
  test.each([
    ["BC", { bc: { steps: endless, validateEvery: endless } }, "prepare"],
    ["Grow", { grow: { samples: 20_000 } }, "evaluate-G0I0"],
    ["Improve", { improve: { trainSteps: endless, evaluateEvery: endless } }, "score-1"],
  ])("in %s stops the run with exit code 130 and says how to go on", async (_, over, after) => {
    const run = newRun(over);
    const child = built.start(["run", run, "--quiet"]);
    const end = ended(child);
    await untilDone(run, after);
    // Into the step that follows.
    await wait(500);
    child.kill("SIGINT");
    const { code, stderr } = await end;
    expect(stderr).toBe(
      "\nStopping at the next safe point… (Ctrl-C again to kill; what is finished is kept either way)\n" +
        `Stopped. What is finished is kept; go on with: coppice run ${run}\n`,
    );
    expect(code).toBe(130);
    expect(manifestOf(run).steps.at(-1)?.name).toBe(after);
    expect(existsSync(join(run, "run.lock"))).toBe(false);
  });
});

test("a second run in the same folder is refused and names the first's process", async () => {
  const run = newRun({ bc: { steps: 10_000_000, validateEvery: 10_000_000 } });
  const child = built.start(["run", run, "--quiet"]);
  const end = ended(child);
  await untilDone(run, "prepare");
  const second = await built.coppice(["run", run]);
  expect(second.code).toBe(2);
  expect(second.stderr).toContain(`process ${child.pid} on `);
  expect((await json(["status", run])).working.pid).toBe(child.pid);
  child.kill("SIGKILL");
  await end;
});

test("demo --toy needs nothing but its folder, and goes on with a run that is there", async () => {
  const parent = newRun();
  const toy = join(parent, "toy");
  const child = built.start(["demo", toy, "--toy", "--quiet"]);
  const end = ended(child);
  await untilDone(toy, "prepare");
  child.kill("SIGKILL");
  await end;
  expect(readFileSync(join(toy, "coppice.yaml"), "utf8")).toContain("preset toy");
  // Shortened, since the demo itself takes longer than a test should.
  const comment = readFileSync(join(toy, "coppice.yaml"), "utf8").split("\n\n")[0]!;
  rmSync(toy, { recursive: true });
  const short = join(parent, "short");
  cpSync(dir, short, { recursive: true });
  writeFileSync(
    join(short, "coppice.yaml"),
    `${comment}\n\n${readFileSync(join(dir, "coppice.yaml"), "utf8")}`,
  );
  const again = await built.coppice(["demo", short, "--toy", "--json", "--quiet"]);
  expect(again.code).toBe(0);
  expect(JSON.parse(again.stdout).policies.length).toBe(4);
});

test("a translation leaves no file outside the folder it reads", async () => {
  const home = join(newRun(), "home");
  mkdirSync(home);
  const env = { HOME: home, XDG_CACHE_HOME: join(home, "cache"), XDG_DATA_HOME: join(home, "data") };
  const { code } = await built.coppice(["translate", dir, "--quiet"], { input: "1 2 3\n", env });
  expect(code).toBe(0);
  expect(readdirSync(home)).toEqual([]);
});

test("demo leaves a folder of the user's as it is, with a sentence", async () => {
  const own = join(newRun(), "own");
  mkdirSync(own);
  writeFileSync(join(own, "pairs.tsv"), "mein\tmy\n");
  // As like a demonstration's as the user's own can be: the same preset, pairs of the same name.
  const started = join(newRun(), "started");
  mkdirSync(started);
  writeFileSync(join(started, "pairs.tsv"), "mein\tmy\n");
  await built.coppice(["init", started, "--pairs", join(started, "pairs.tsv"), "--preset", "toy"]);
  for (const folder of [own, started, dir]) {
    const before = traces(folder);
    const { code, stderr } = await built.coppice(["demo", folder, "--toy", "--quiet"]);
    expect(code).toBe(2);
    expect(stderr).toContain("this folder holds something else than this demonstration");
    expect(traces(folder)).toEqual(before);
  }
  expect(readFileSync(join(own, "pairs.tsv"), "utf8")).toBe("mein\tmy\n");
});
