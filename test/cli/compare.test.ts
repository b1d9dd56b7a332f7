/** `coppice compare` from the built package on a toy that ends in seconds: alone, killed and resumed, refused. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toyPairs } from "../../src/data/toy.js";
import { type BuiltPackage, buildPackage, type Ended, ended } from "../built.js";

let built: BuiltPackage;
let dir: string;
let alone: Ended;

const study = `base:
  data: { train: [pairs.tsv], validationSize: 20, testSize: 30, maxTokens: 16 }
  model: { encoderLayers: 1, decoderLayers: 1, width: 16, inner: 32, heads: 2, vocabulary: 270 }
  bc: { steps: 30, batchTokens: 256, learningRate: 0.005, warmupSteps: 10, validateEvery: 10 }
  reward: { kind: places }
  grow: { samples: 2, maxTokens: 8 }
  improve:
    thresholds: { kind: absolute, values: [0.1, 0.3] }
    trainSteps: 8
    batchTokens: 256
    warmupSteps: 2
    evaluateEvery: 4
    control: false
  evaluate: { samples: 2, bestOfN: [1, 2], bestOfNSamples: 2, examples: 2 }
seeds: [1, 2]
arms:
  best-of-n: { kind: best-of-n }
  rest:
  random: { kind: random }
`;

beforeAll(async () => {
  built = await buildPackage();
  dir = mkdtempSync(join(tmpdir(), "coppice-compare-"));
  const lines = toyPairs({ pairs: 300, seed: 1, maxLength: 5 }).map(
    ({ source, target }) => `${source}\t${target}\n`,
  );
  writeFileSync(join(dir, "pairs.tsv"), lines.join(""));
  writeFileSync(join(dir, "study.yaml"), study);
  alone = await built.coppice(["compare", join(dir, "study.yaml"), "--out", join(dir, "alone"), "--json"]);
});
afterAll(() => {
  built.remove();
  rmSync(dir, { recursive: true });
});

const text = (...path: string[]) => readFileSync(join(dir, ...path), "utf8");
const stepsOf = (...run: string[]) =>
  (JSON.parse(text(...run, "manifest.json")) as { steps: { name: string; takenFrom?: string }[] }).steps;

describe("a study left alone", () => {
  test("ends well, with the rows on standard output and the time left on standard error", () => {
    expect(alone.code).toBe(0);
    const { rows, findings, runs } = JSON.parse(alone.stdout) as {
      rows: { name: string; seeds: number }[];
      findings: unknown[];
      runs: unknown;
    };
    expect(rows.map(({ name, seeds }) => [name, seeds])).toEqual([
      ["BC", 2],
      ["BC best of 2", 2],
      ["rest G1I1", 2],
      ["rest G1I2", 2],
      ["random G1I2", 2],
    ]);
    expect([findings.length, runs]).toEqual([7, { all: 6, finished: 6 }]);
    expect(alone.stderr).toMatch(/best-of-n with seed 1 is finished; .* About .* left for 5 runs\./);
  });

  test("does what its arms have in common once a seed", () => {
    const own = (...run: string[]) =>
      stepsOf(...run).flatMap(({ name, takenFrom }) => (takenFrom === undefined ? [name] : []));
    expect(own("alone", "runs", "seed-1", "best-of-n")).toEqual(["prepare", "G0I0", "evaluate-G0I0"]);
    expect(own("alone", "runs", "seed-2", "random")).toEqual([
      "G1I1-random",
      "G1I2-random",
      "evaluate-G1I2-random",
    ]);
  });

  test("leaves table, verdicts, page, and each figure as SVG, PNG and CSV", () => {
    const figures = ["figure-3", "figure-6", "figure-7"];
    expect(readdirSync(join(dir, "alone/figures")).sort()).toEqual(
      figures.flatMap((name) => [`${name}.csv`, `${name}.png`, `${name}.svg`]),
    );
    expect(readFileSync(join(dir, "alone/figures/figure-3.png")).subarray(1, 4).toString()).toBe("PNG");
    expect(text("alone", "table1.md")).toContain("rest G1I2");
    expect(text("alone", "verdict.md")).toMatch(/^# Did it help\?/);
    expect(text("alone", "study.html")).toContain("6 of 6 finished");
  });

  test("leaves run folders that stand alone: the numbers of the table are theirs", () => {
    const { rows } = JSON.parse(text("alone", "table1.json")) as {
      rows: { name: string; reward: number; bleu: number }[];
    };
    const rewards = [1, 2].map((seed) => {
      const summary = JSON.parse(text("alone", `runs/seed-${seed}/rest`, "summary.json")) as {
        policies: { name: string; reward: number; bleu: number }[];
      };
      return summary.policies.find(({ name }) => name === "G1I2")!;
    });
    const row = rows.find(({ name }) => name === "rest G1I2")!;
    expect(row.reward).toBeCloseTo((rewards[0]!.reward + rewards[1]!.reward) / 2, 12);
    expect(row.bleu).toBeCloseTo((rewards[0]!.bleu + rewards[1]!.bleu) / 2, 12);
  });

  test("is done already when asked for again", async () => {
    const before = text("alone", "table1.json");
    const again = await built.coppice(["compare", join(dir, "study.yaml"), "--out", join(dir, "alone")]);
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("6 are finished already")]);
    expect(again.stdout).toMatch(/^Table 1\n/);
    expect(text("alone", "table1.json")).toBe(before);
  });
});

test("a study that is killed and stopped and gone on with leaves the same table", {
  timeout: 120_000,
}, async () => {
  const args = ["compare", join(dir, "study.yaml"), "--out", join(dir, "killed"), "--quiet"];
  /** Ends the study by a signal once the run has done a step. */
  const endAt = async (run: string, step: string, signal: NodeJS.Signals): Promise<Ended> => {
    const child = built.start(args);
    const end = ended(child);
    const manifest = join(dir, "killed/runs", run, "manifest.json");
    while (
      child.exitCode === null &&
      !(existsSync(manifest) && readFileSync(manifest, "utf8").includes(`"${step}"`))
    )
      await wait(10);
    child.kill(signal);
    return end;
  };
  expect((await endAt("seed-1/best-of-n", "G0I0", "SIGKILL")).signal).toBe("SIGKILL");
  // What is finished so far is in the tables, without the rest.
  const stopped = await endAt("seed-1/rest", "G1I1", "SIGINT");
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toContain(
    `go on with: coppice compare ${join(dir, "study.yaml")} --out ${join(dir, "killed")}`,
  );
  expect(JSON.parse(text("killed", "table1.json"))).toMatchObject({ runs: { all: 6, finished: 1 } });
  expect((await endAt("seed-2/random", "G0I0", "SIGKILL")).signal).toBe("SIGKILL");
  const last = await built.coppice(args);
  expect([last.code, last.stderr]).toEqual([0, ""]);
  expect(text("killed", "table1.json")).toBe(text("alone", "table1.json"));
  expect(text("killed", "verdict.json")).toBe(text("alone", "verdict.json"));
  expect(readdirSync(join(dir, "killed")).sort()).toEqual(readdirSync(join(dir, "alone")).sort());
});

describe("a study that cannot be", () => {
  const refused = async (content: string) => {
    writeFileSync(join(dir, "bad.yaml"), content);
    const result = await built.coppice(["compare", join(dir, "bad.yaml"), "--out", join(dir, "bad")]);
    expect([result.code, result.stdout, existsSync(join(dir, "bad"))]).toEqual([2, "", false]);
    return result.stderr;
  };
  test("is refused in one sentence with its line, and nothing is written", async () => {
    expect(await refused(study.replace("[1, 2]\narms", "[1, 1]\narms"))).toMatch(
      /bad\.yaml:15: seeds\[1\] is 1, .*\n$/,
    );
    expect(await refused(study.replace("  rest:", "  rest: { improv: {} }"))).toMatch(
      /bad\.yaml:18: arms\.rest: improv is not a key\. Did you mean improve\?\n$/,
    );
  });
  test("is refused where the file is not there, or --out is not given", async () => {
    const missing = await built.coppice(["compare", join(dir, "none.yaml"), "--out", join(dir, "bad")]);
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringMatching(/none\.yaml: this study file cannot be read/),
    ]);
    const without = await built.coppice(["compare", join(dir, "study.yaml")]);
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining("--out")]);
  });
});

test("its help has examples", async () => {
  const { code, stdout } = await built.coppice(["compare", "--help"]);
  expect([code, stdout]).toEqual([
    0,
    expect.stringContaining("$ coppice compare examples/study.yaml --out runs/study"),
  ]);
});
