/** The doctor's figures: formulas by hand, and a run's first policy measured on validation sources. */

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { examine } from "../../../src/rest/doctor/doctor.js";
import { dahlberg, harmlessEdit } from "../../../src/rest/doctor/measure.js";
import { runAll, withFinished, withRun } from "../../../src/rest/run.js";
import { imitate } from "../../../src/rest/steps/imitate.js";
import { prepare } from "../../../src/rest/steps/prepare.js";
import { tinyRun } from "../tiny-run.js";

test("Dahlberg's error of differences 3 and 4 is √(25 / 4); of none it is 0", () => {
  expect(dahlberg([3, -4])).toBe(2.5);
  expect(dahlberg([])).toBe(0);
});

test("a harmless edit takes the final stop and the first capital, and leaves a text without them", () => {
  expect(harmlessEdit("The dog. It is here.")).toBe("the dog. It is here");
  expect(harmlessEdit("狗在这里。")).toBe("狗在这里");
  expect(harmlessEdit("3 5 1")).toBe("3 5 1");
  expect(harmlessEdit("")).toBe("");
});

describe("a run", () => {
  const dirs: string[] = [];
  let dir: string;
  beforeAll(async () => {
    dir = tinyRun({ grow: { steps: 0, temperature: 1 } });
    dirs.push(dir);
    await runAll({ dir });
  });
  afterAll(() => {
    for (const made of dirs) rmSync(made, { recursive: true });
  });
  const doctor = (run: string) =>
    withFinished({ dir: run }, (context) => examine(context, { sources: 20, hours: 24 }));
  const traces = () =>
    readdirSync(dir, { recursive: true, encoding: "utf8" }).map((name) => [
      name,
      statSync(join(dir, name)).mtimeMs,
    ]);

  test("has the same figures whatever its test part holds", async () => {
    const file = join(dir, "data/test.jsonl");
    const kept = readFileSync(file, "utf8");
    const { cost: _, ...figures } = (await doctor(dir)).figures;
    // As many bytes, as the manifest has it, and other texts.
    writeFileSync(file, kept.replace(/[a-z0-9](?=[^"]*"(?:,|\}))/g, "7"));
    expect(readFileSync(file, "utf8")).not.toBe(kept);
    const { cost: __, ...again } = (await doctor(dir)).figures;
    writeFileSync(file, kept);
    expect(again).toEqual(figures);
  });

  test("has an answer to each question and is left as it was", async () => {
    const before = traces();
    const { findings, figures, outcome } = await doctor(dir);
    expect(findings.map(({ check }) => check)).toEqual([
      "spread",
      "best-of-n",
      "temperature",
      "cost",
      "repeat",
    ]);
    expect(["likely", "uncertain", "unlikely"]).toContain(outcome);
    expect(figures.bestOf.sources).toBe(20);
    expect(figures.bestOf.oracleGain).toBeGreaterThanOrEqual(figures.bestOf.rewardGain);
    expect(figures.repeat.largestDifference).toBe(0);
    const { rows } = figures.temperatures;
    expect(rows.map(({ temperature }) => temperature)).toEqual([0.7, 1, 1.3]);
    expect(rows[0]!.entropy).toBeLessThan(rows[2]!.entropy);
    expect(traces()).toEqual(before);
  });

  test("whose reward draws lots is found out", async () => {
    const lots = tinyRun({ grow: { steps: 0 } });
    dirs.push(lots);
    writeFileSync(join(lots, "lots.mjs"), "export default (batch) => batch.map(() => Math.random());\n");
    const config = readFileSync(join(lots, "coppice.yaml"), "utf8");
    writeFileSync(
      join(lots, "coppice.yaml"),
      config.replace("kind: places", "kind: module\n  path: lots.mjs"),
    );
    // Its first policy alone: an evaluation would refuse such a reward.
    await withRun({ dir: lots }, async (run) => {
      await prepare(run);
      await imitate(run);
    });
    const { findings, outcome } = await doctor(lots);
    expect(findings.find(({ check }) => check === "repeat")!.state).toBe("bad");
    expect(findings.find(({ check }) => check === "spread")!.state).not.toBe("good");
    expect(outcome).toBe("unlikely");
  });
});
