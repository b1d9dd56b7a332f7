/** A Grow step in shares: several processes beside each other, one killed, and what they come to. */

import { spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BC } from "../../src/rest/names.js";
import { withRun } from "../../src/rest/run.js";
import { evaluatePolicy } from "../../src/rest/steps/evaluate.js";
import { sampleCandidates } from "../../src/rest/steps/grow.js";
import { imitate } from "../../src/rest/steps/imitate.js";
import { prepare } from "../../src/rest/steps/prepare.js";
import { lockWorker } from "../../src/store/lock.js";
import { tinyRun } from "../rest/tiny-run.js";
import { coppice, ended } from "./coppice.js";

/** 1,450 sources to train on: three files of at most 500. */
const PAIRS = 1500;
const SAMPLES = 2;

const dirs: string[] = [];
let start: string;
beforeAll(async () => {
  start = tinyRun({}, PAIRS);
  dirs.push(start);
  await withRun({ dir: start }, async (run) => {
    await prepare(run);
    await imitate(run);
    await evaluatePolicy(run, BC);
  });
}, 120_000);
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

function copyOfStart(name: string): string {
  const dir = `${start}-${name}`;
  dirs.push(dir);
  cpSync(start, dir, { recursive: true });
  return dir;
}

const candidates = (dir: string) => readFileSync(join(dir, "grow-1/candidates.parquet"));
const parts = (dir: string) =>
  existsSync(join(dir, "grow-1"))
    ? readdirSync(join(dir, "grow-1")).filter((name) => /^part-\d+-\d+\.parquet$/.test(name))
    : [];

test("shares beside each other, one killed and started again, give the bytes of one process", async () => {
  const whole = copyOfStart("whole");
  await withRun({ dir: whole }, (run) => sampleCandidates(run, BC, 1));

  const dir = copyOfStart("shared");
  const loader = new URL("../../node_modules/tsx/dist/esm/index.mjs", import.meta.url).href;
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const killed = spawn(process.execPath, ["--import", loader, main, "grow", dir, "--shard", "1/2"]);
  const end = ended(killed);
  const other = coppice(["grow", dir, "--shard", "2/2", "--json"]);
  while (parts(dir).length === 0 && killed.exitCode === null)
    await new Promise((next) => setTimeout(next, 5));
  killed.kill("SIGKILL");
  await end;
  expect(JSON.parse((await other).stdout)).toMatchObject({ parts: 1, allParts: 3, samples: 500 * SAMPLES });

  const again = await coppice(["grow", dir, "--shard", "1/2"]);
  expect([again.code, again.stdout]).toEqual([
    0,
    expect.stringContaining("All 3 are there. Put them together"),
  ]);
  expect(parts(dir)).toHaveLength(3);
  const gathered = await coppice(["grow", dir]);
  expect(gathered.code).toBe(0);
  expect(parts(dir)).toHaveLength(0);
  expect(candidates(dir).equals(candidates(whole))).toBe(true);
}, 180_000);

test("what no share has written is sampled when they are put together", async () => {
  const whole = copyOfStart("alone");
  const dir = copyOfStart("missing");
  const first = await coppice(["grow", dir, "--shard", "3/3"]);
  expect(first.stdout).toContain("Other shares have 2 files of 3 still to write");
  for (const one of [whole, dir]) await withRun({ dir: one }, (run) => sampleCandidates(run, BC, 1));
  expect(candidates(dir).equals(candidates(whole))).toBe(true);
}, 120_000);

test("the same share twice, another count and the run itself are refused while a share is at work", async () => {
  const dir = copyOfStart("busy");
  const lock = lockWorker(dir, "shard-1-of-2");
  const refused = async (...args: string[]) => {
    const { code, stderr } = await coppice(args);
    expect(code).toBe(2);
    return stderr;
  };
  expect(await refused("grow", dir, "--shard", "1/2")).toContain("is working in this folder");
  expect(await refused("grow", dir, "--shard", "1/3")).toContain(
    "shares of another count would sample the same",
  );
  expect(await refused("grow", dir)).toContain("shard-1-of-2 is at work in this folder");
  lock.unlock();
  await withRun({ dir }, async () => {
    expect(await refused("grow", dir, "--shard", "1/2")).toContain("is working in this folder");
  });
  expect(parts(dir)).toEqual([]);
}, 120_000);

test("a share that is none, a step that has none and a folder that is no run are one sentence each", async () => {
  for (const share of ["0/2", "3/2", "1", "1/0", "a/b", "-1/2"]) {
    const { code, stderr } = await coppice(["grow", start, `--shard=${share}`]);
    expect([share, code]).toEqual([share, 2]);
    expect(stderr).toContain("is not a share. Give number and count");
  }
  const young = tinyRun();
  dirs.push(young);
  const { code, stderr } = await coppice(["grow", young, "--shard", "1/2"]);
  expect(code).toBe(2);
  expect(stderr).toContain("nothing of this run is finished yet");
  const nowhere = await coppice(["grow", join(young, "nowhere"), "--shard", "1/2"]);
  expect(nowhere.code).toBe(2);
  expect(existsSync(join(young, "nowhere"))).toBe(false);
}, 120_000);
