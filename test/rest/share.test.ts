/** Steps taken over from another run: the same bytes as done alone, and only where the same values lead to them. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { rm, truncate } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConfigInput, resolveConfig } from "../../src/rest/config.js";
import { runAll } from "../../src/rest/run.js";
import { sameOutcome } from "../../src/rest/share.js";
import { tinyRun } from "./tiny-run.js";

const dirs: string[] = [];
afterAll(async () => {
  for (const dir of dirs) await rm(dir, { recursive: true });
});

type Over = NonNullable<Parameters<typeof tinyRun>[0]>;
function newRun(over: Over): string {
  const dir = tinyRun(over);
  dirs.push(dir);
  return dir;
}

describe("an arm that shares BC, Grow and its first Improve step with another", () => {
  // The first threshold in common, the second not.
  const donorOver: Over = { improve: { control: false } };
  const armOver: Over = { improve: { thresholds: { kind: "absolute", values: [0.1, 0.2] } } };
  let donor: string;
  let shared: string;
  let alone: string;
  beforeAll(async () => {
    donor = newRun(donorOver);
    shared = newRun(armOver);
    alone = newRun(armOver);
    await runAll({ dir: donor });
    await runAll({ dir: shared, donors: [donor] });
    await runAll({ dir: alone });
  });

  test("takes over what the same values lead to, and nothing else", () => {
    const { steps } = JSON.parse(readFileSync(join(shared, "manifest.json"), "utf8")) as {
      steps: { name: string; takenFrom?: string }[];
    };
    const from = relative(shared, donor);
    expect(steps.map(({ name, takenFrom }) => [name, takenFrom])).toEqual([
      ["prepare", from],
      ["G0I0", from],
      ["evaluate-G0I0", from],
      ["grow-1", from],
      ["score-1", from],
      ["G1I1", from],
      ["evaluate-G1I1", from],
      ["G1I2", undefined],
      ["evaluate-G1I2", undefined],
      ["G1I1-random", undefined],
      ["G1I2-random", undefined],
      ["evaluate-G1I2-random", undefined],
    ]);
  });

  test("leaves the bytes that it leaves when run alone", () => {
    const expected = contents(alone);
    const found = contents(shared);
    expect([...found.keys()]).toEqual([...expected.keys()]);
    for (const [file, bytes] of expected) expect(found.get(file)!.equals(bytes), file).toBe(true);
    expect(expected.has("grow-1/candidates.parquet")).toBe(true);
    expect(expected.has("policies/G1I1/model.safetensors")).toBe(true);
  });

  test("leaves the run it takes from as it was", async () => {
    const before = contents(donor);
    await runAll({ dir: newRun(armOver), donors: [donor] });
    for (const [file, bytes] of contents(donor)) expect(before.get(file)!.equals(bytes), file).toBe(true);
  });
});

test("nothing is taken from a run whose file is cut short", async () => {
  const donor = newRun({ improve: { control: false } });
  await runAll({ dir: donor });
  await truncate(join(donor, "policies/G0I0/model.safetensors"), 100);
  const arm = newRun({});
  await runAll({ dir: arm, donors: [donor] });
  const { steps } = JSON.parse(readFileSync(join(arm, "manifest.json"), "utf8")) as {
    steps: { name: string; takenFrom?: string }[];
  };
  expect(steps.find(({ name }) => name === "G0I0")!.takenFrom).toBeUndefined();
});

describe("sameOutcome", () => {
  const config = (over: ConfigInput) =>
    resolveConfig({ data: { train: ["pairs.tsv"] }, reward: { kind: "chrf" }, ...over });
  const first = config({});
  const same = (step: string, over: ConfigInput) => sameOutcome(step, first, config(over));

  test("BC follows from the data and its own keys, not from Grow or Improve", () => {
    expect(same("G0I0", { grow: { samples: 4 }, improve: { trainSteps: 60 } })).toBe(true);
    expect(same("G0I0", { bc: { steps: 400 } })).toBe(false);
  });

  test("BC is not shared with a run whose learned reward takes a part of the data", () => {
    expect(same("G0I0", { reward: { kind: "learned" } })).toBe(false);
  });

  test("an online policy follows from how many Grow steps there are, as it draws as many samples; BC not from the method", () => {
    const online = config({ method: "ppo" });
    const more = config({ method: "ppo", grow: { steps: 2 } });
    expect(sameOutcome("PPO", online, more)).toBe(false);
    expect(sameOutcome("PPO", online, config({ method: "ppo", evaluate: { samples: 3 } }))).toBe(true);
    expect(same("evaluate-G0I0", { method: "rloo", online: { learningRate: 1e-3 } })).toBe(true);
  });

  test("the first Grow follows from its samples, not from how many Grow steps there are", () => {
    expect(same("grow-1", { grow: { steps: 2 } })).toBe(true);
    expect(same("grow-1", { grow: { samples: 4 } })).toBe(false);
    expect(same("score-1", { improve: { steps: 1 } })).toBe(true);
  });

  test("the second Grow follows from every Improve step before it", () => {
    expect(same("grow-2", { improve: { steps: 2 } })).toBe(false);
    expect(same("grow-2", { improve: { control: false } })).toBe(true);
  });

  test("another seed gives another outcome everywhere", () => {
    expect(same("prepare", { seed: 2 })).toBe(false);
    expect(same("G0I0", { seed: 2 })).toBe(false);
  });

  test("a second Improve step does not follow from the third threshold", () => {
    const values = [0.7, 0.8, 0.95];
    expect(same("G1I2", { improve: { thresholds: { kind: "quantile", values } } })).toBe(true);
    expect(same("G1I3", { improve: { thresholds: { kind: "quantile", values } } })).toBe(false);
    expect(same("evaluate-G1I2-random", { improve: { thresholds: { kind: "quantile", values } } })).toBe(
      true,
    );
  });
});

/** All files of a run by path, without what tells the time, where it lies, or whose work it was. */
function contents(dir: string): Map<string, Buffer> {
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile() && !dirname(path).endsWith("lock"))
    .sort();
  return new Map(
    files.map((path) => {
      const name = relative(dir, path);
      // The report shows the seconds of the summary.
      if (name === "report.html") return [name, Buffer.alloc(0)];
      const bytes = readFileSync(path);
      if (name === "metrics.jsonl") {
        const lines = bytes.toString().trimEnd().split("\n");
        return [name, Buffer.from(lines.map((line) => timeless(JSON.parse(line))).join("\n"))];
      }
      const json = name === "manifest.json" || name === "summary.json";
      return [name, json ? Buffer.from(timeless(JSON.parse(bytes.toString()))) : bytes];
    }),
  );
}

function timeless(value: unknown): string {
  const clock = new Set(["time", "seconds", "finishedAt", "takenFrom"]);
  return JSON.stringify(value, (key, item) => (clock.has(key) ? undefined : item));
}
