/** Grow does not depend on how its work is cut. */

import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { BC } from "../../src/rest/names.js";
import { withRun } from "../../src/rest/run.js";
import { evaluatePolicy } from "../../src/rest/steps/evaluate.js";
import { sampleCandidates } from "../../src/rest/steps/grow.js";
import { imitate } from "../../src/rest/steps/imitate.js";
import { prepare } from "../../src/rest/steps/prepare.js";
import { tinyRun } from "./tiny-run.js";

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

test("parts of 7 sources, of 100, and one of all hold the same candidates", async () => {
  const start = tinyRun();
  dirs.push(start);
  await withRun({ dir: start }, async (run) => {
    await prepare(run);
    await imitate(run);
  });
  const candidates: Buffer[] = [];
  for (const sources of [7, 100, 100_000]) {
    const dir = `${start}-${sources}`;
    dirs.push(dir);
    cpSync(start, dir, { recursive: true });
    await withRun({ dir }, (run) => sampleCandidates(run, BC, 1, sources));
    candidates.push(readFileSync(join(dir, "grow-1/candidates.parquet")));
  }
  expect(candidates[1]!.equals(candidates[0]!)).toBe(true);
  expect(candidates[2]!.equals(candidates[0]!)).toBe(true);
});

test("evaluation of a policy before Grow or after it gives the same figures", async () => {
  const [before, after] = [tinyRun(), tinyRun()];
  dirs.push(before, after);
  await withRun({ dir: before }, async (run) => {
    await prepare(run);
    await imitate(run);
    await evaluatePolicy(run, BC);
  });
  await withRun({ dir: after }, async (run) => {
    await prepare(run);
    await imitate(run);
    await sampleCandidates(run, BC, 1);
    await evaluatePolicy(run, BC);
  });
  const file = `evaluation/${BC}.json`;
  expect(readFileSync(join(after, file), "utf8")).toBe(readFileSync(join(before, file), "utf8"));
});
