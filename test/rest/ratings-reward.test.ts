/** A run whose reward people's ratings taught, on a scale that people's ratings gave. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProgram } from "../../src/cli/program.js";
import { toyPairs } from "../../src/data/toy.js";
import { importRatings } from "../../src/rating/read.js";
import { runAll } from "../../src/rest/run.js";
import type { Evaluation } from "../../src/rest/steps/evaluate.js";
import { calibrate, fitIsotonic } from "../../src/reward/calibration.js";
import { ratingReward } from "../../src/reward/ratings/reward.js";
import { coppice } from "../cli/coppice.js";
import { tinyRun } from "./tiny-run.js";

let home: string;
let people: string;
let ratings: string;
const dirs: string[] = [];

/** Half of the lists are reversed as they should be, half are the source again; people see that. */
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "coppice-people-"));
  people = join(home, "people");
  ratings = join(home, "da.tsv");
  const rated = toyPairs({ pairs: 240, seed: 3, maxLength: 5 }).map(({ source, target }, i) =>
    [
      ["train", "train", "train", "dev", "test"][i % 5],
      20 + (i % 2) * 60 + (i % 7),
      -1 + (i % 2),
      source,
      i % 2 ? target : source,
    ].join("\t"),
  );
  writeFileSync(ratings, ["split\tmean_0_100\tlog_prob\tsource\ttranslation", ...rated, ""].join("\n"));
  const { code, stdout, stderr } = await coppice([
    "train-reward",
    "--ratings",
    ratings,
    "--out",
    people,
    "--json",
  ]);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  expect(JSON.parse(stdout)).toMatchObject({ texts: { train: 144, dev: 48 } });
});
afterAll(() => {
  for (const dir of [home, ...dirs]) rmSync(dir, { recursive: true, force: true });
});

describe("coppice train-reward --ratings", () => {
  test("measures a reward on the test part alone", async () => {
    const { code, stdout } = await coppice([
      "train-reward",
      "--ratings",
      ratings,
      "--test",
      people,
      "--json",
    ]);
    expect(code).toBe(0);
    const found = JSON.parse(stdout) as { texts: number; pearson: { value: number } };
    expect(found.texts).toBe(48);
    expect(found.pearson.value).toBeGreaterThan(0.5);
  });

  test.each([
    [["--ratings", "RATINGS"], "give --out FOLDER for the reward"],
    [["--out", "x"], "--out need ratings: give --ratings FILE"],
    [["runs/mine", "--ratings", "RATINGS", "--out", "x"], "give one of the two"],
    [["--ratings", "RATINGS", "--out", "x", "--use", "features"], "no line has features"],
    [["--ratings", "RATINGS", "--out", "x", "--use", "everything"], "log-prob, features, reference"],
    [["--ratings", "RATINGS", "--out", "x", "--use", "reference"], "has no reference"],
    [[], "give the folder of a run, or --ratings FILE"],
  ])("refuses %j", async (args, sentence) => {
    const given = args.map((one) => (one === "RATINGS" ? ratings : one));
    const program = createProgram();
    // Commander copies its settings to a command when that is added: this one prints what is wrong by itself.
    program.commands
      .find((command) => command.name() === "train-reward")!
      .configureOutput({ writeErr: () => {} });
    await expect(program.parseAsync(["train-reward", ...given], { from: "user" })).rejects.toThrow(sentence);
  });
});

test("a run scores by it through a map of people's, and is evaluated again when the map changes", async () => {
  const dir = tinyRun({
    reward: { kind: "ratings", model: people, calibration: "map.json" },
    grow: { steps: 0 },
    evaluate: { bestOfN: [] },
  });
  dirs.push(dir);
  await expect(runAll({ dir })).rejects.toThrow(
    /map\.json.*write one with coppice rate DIR --calibrate FILE/,
  );
  const tens = (values: readonly number[]) =>
    values.flatMap((value) => Array.from({ length: 10 }, () => value));
  const first = fitIsotonic(tens([0.1, 0.5, 0.9]), tens([0.4, 0.5, 0.6]));
  const second = fitIsotonic(tens([0.1, 0.5, 0.9]), tens([0.1, 0.2, 0.3]));
  const reward = await ratingReward(people);
  const evaluation = () => JSON.parse(readFileSync(join(dir, "evaluation/G0I0.json"), "utf8")) as Evaluation;
  const sources = () =>
    readFileSync(join(dir, "data/test.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { source: string }).source);
  for (const map of [first, second]) {
    writeFileSync(join(dir, "map.json"), JSON.stringify(map));
    await runAll({ dir });
    const { translations } = evaluation();
    const raw = await reward.score(
      translations.map(({ text }, i) => ({ source: sources()[i]!, candidate: text })),
    );
    translations.forEach((one, i) => {
      expect(one.reward).toBeCloseTo(calibrate(map, raw[i]!), 12);
    });
  }
  // Its rewards are on people's scale already.
  await importJudgements(dir);
  const { code, stderr } = await coppice(["rate", dir, "--calibrate", join(home, "map.json")]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("have passed through map.json already")]);
});

test("coppice rate --calibrate writes the map of a run's rewards to what people gave", async () => {
  const dir = tinyRun({ grow: { steps: 0 }, evaluate: { bestOfN: [] } });
  dirs.push(dir);
  await runAll({ dir });
  await importJudgements(dir);
  const file = join(home, "map.json");
  const { code, stdout } = await coppice(["rate", dir, "--calibrate", file, "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ texts: 30 });
  // Rewards of 0.1, 0.5 and 0.9, to which people gave 1, 2 and 5 of 6.
  const map = JSON.parse(readFileSync(file, "utf8")) as { raw: number[]; reward: number[] };
  expect(map.raw.map((raw) => Number(raw.toFixed(9)))).toEqual([0.1, 0.5, 0.9]);
  expect(map.reward.map((reward) => Number(reward.toFixed(9)))).toEqual(
    [1 / 6, 2 / 6, 5 / 6].map((x) => Number(x.toFixed(9))),
  );
});

function importJudgements(dir: string): Promise<number> {
  return importRatings(
    dir,
    Array.from({ length: 30 }, (_, i) => ({
      scale: "sqm" as const,
      kind: "item" as const,
      item: `${i}`,
      rater: "anna",
      system: "G0I0",
      source: `${i}`,
      text: `${i}`,
      score: [1, 2, 5][i % 3]!,
      reward: [0.1, 0.5, 0.9][i % 3]!,
    })),
  );
}
