/** A small run, written by hand, handed to other programs; what those read of it is in test/fixtures/export/expected.json. */

import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { crc32c, maskedCrc32c } from "../../src/export/crc32c.js";
import type { RecordTarget } from "../../src/export/names.js";
import { readRun } from "../../src/export/record.js";
import { type Scalar, scalarsOf } from "../../src/export/scalars.js";
import { exportRecord } from "../../src/export/targets.js";
import { historyOf } from "../../src/export/wandb.js";
import {
  type Candidate,
  CandidateWriter,
  humanCandidate,
  mergeParts,
  partPath,
} from "../../src/store/candidates.js";

const fixtures = fileURLToPath(new URL("../fixtures/export/", import.meta.url));
const runId = "run-of-the-export-tests";

interface Expected {
  tensorboard: Record<
    string,
    { file: string; sha256: string; scalars: Record<string, [step: number, at: number, value: number][]> }
  >;
  datasets: { features: Record<string, string>; rows: Record<string, unknown>[] };
}
const expected: Expected = JSON.parse(readFileSync(join(fixtures, "expected.json"), "utf8"));

let home: string;
let dir: string;
let scalars: Scalar[];
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "coppice-export-"));
  dir = join(home, "garden");
  cpSync(join(fixtures, "run"), dir, { recursive: true });
  mkdirSync(join(dir, "corpus"));
  const source = {
    ...{ recipe: "garden", licence: "CC0", terms: "Do as you like.", attribution: "nobody" },
    address: "https://example.org/garden",
  };
  writeFileSync(join(dir, "corpus", "source.json"), JSON.stringify(source));
  writeFileSync(join(dir, "corpus", "AUTHORS.txt"), "Eva\n");
  await writeCandidates(join(dir, "grow-1"));
  scalars = scalarsOf(await readRun(dir));
});
afterAll(() => {
  const keep = process.env.COPPICE_KEEP_EXPORTS;
  if (keep)
    for (const name of ["tensorboard", "datasets"])
      cpSync(join(home, name), join(keep, name), { recursive: true });
  rmSync(home, { recursive: true });
});

async function writeCandidates(folder: string): Promise<void> {
  mkdirSync(folder);
  const pair = { source: "Der „Baum“, alt", target: "The tree\nis old" };
  const sampled = (sourceId: number, sampleId: number, over: Partial<Candidate>): Candidate => ({
    ...{ grow: 1, sourceId, sampleId, source: pair.source, text: "The tree", tokens: [4, 5, 2] },
    ...{
      logProbs: [-0.5, -0.25, -1],
      sampleLogProbs: [-1, -1, -1],
      finished: true,
      reward: 0.25,
      origin: "policy",
    },
    ...over,
  });
  const writer = await CandidateWriter.open(partPath(folder, 0, 1), { runId });
  writer.append([
    { ...humanCandidate(1, 0, pair), reward: 1 },
    sampled(0, 0, {}),
    sampled(0, 1, {
      text: "树",
      reward: 0.75,
      tokens: [9],
      logProbs: [-2],
      sampleLogProbs: [-2],
      finished: false,
    }),
    sampled(1, 0, { source: "Es regnet.", text: "It rains.", reward: null }),
  ]);
  await writer.finish();
  await mergeParts(folder, { runId });
}

async function exported(to: RecordTarget, out = join(home, to)) {
  return exportRecord({ dir, out, to, experiment: "coppice", env: {} });
}

describe("the figures of a run", () => {
  const of = (series: string) =>
    scalars
      .filter((scalar) => scalar.series === series)
      .map(({ curve, policy, step, value }) => [curve, policy, step, value]);

  test("of whole policies go by their place, and a control stands where its counterpart does", () => {
    expect(of("evaluate/bleu")).toEqual([
      ["run", "G0I0", 0, 20.5],
      ["run", "G1I1", 1, 24.25],
      ["random", "G1I1-random", 1, 22],
      ["run", "PPO", 2, 23],
    ]);
  });

  test("of a training go by its steps, under the policy's name, with times within the step", () => {
    expect(of("train/loss")).toEqual([
      ["G0I0", "G0I0", 10, 2.5],
      ["G0I0", "G0I0", 20, 1.25],
    ]);
    expect(of("train/figures/bleu")).toEqual([
      ["G1I1", "G1I1", 0, 21],
      ["G1I1", "G1I1", 8, 24],
    ]);
    // BC took 40 seconds and ended 42 after the run began: step 10 of 20 was at its middle.
    const began = Date.parse("2026-01-01T00:00:00Z") / 1000;
    expect(scalars.filter(({ series }) => series === "train/loss").map(({ at }) => at - began)).toEqual([
      22, 42,
    ]);
  });

  test("of an online training go by its batches, of Grow by its number", () => {
    expect(of("train/klFromBc")).toEqual([
      ["PPO", "PPO", 1, 0.125],
      ["PPO", "PPO", 2, 0.25],
    ]);
    expect(of("train/look/bleu")).toEqual([["PPO", "PPO", 2, 23]]);
    expect(of("grow/samples")).toEqual([["run", "", 1, 6]]);
    expect(of("score/meanReward")).toEqual([["run", "", 1, 0.625]]);
  });

  test("are numbers, yes and no; a list is named by kinds, and what was not a number is left out", () => {
    expect(of("train/refused").map(([, , , value]) => value)).toEqual([0, 1]);
    expect(of("evaluate/probe/dropped/noticed")).toEqual([["run", "G0I0", 0, 0.75]]);
    expect(of("evaluate/lossOutOfDomain")).toEqual([]);
    expect(of("policy/seconds").map(([, , , value]) => value)).toEqual([40, 16, 16, 10]);
  });

  test("are those of finished steps", () => {
    expect(scalars.filter(({ series }) => series.endsWith("half"))).toEqual([]);
    expect(Math.max(...scalars.map(({ line }) => line))).toBe(13);
  });
});

test("a run of which nothing is finished is a sentence", async () => {
  await expect(readRun(home)).rejects.toThrow(
    /this folder holds no run of which a step is finished, expected one/,
  );
});

test("CRC-32C is that of RFC 3720, appendix B.4, and the mask can be taken back", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  const rotated = (maskedCrc32c(new Uint8Array(32)) - 0xa282ead8) >>> 0;
  expect(((rotated << 15) | (rotated >>> 17)) >>> 0).toBe(0x8a9136aa);
});

test("TensorBoard has read these very files, and found every figure in them", async () => {
  await exported("tensorboard");
  const written = Object.fromEntries(
    readdirSync(join(home, "tensorboard"))
      .sort()
      .map((curve) => {
        const [file = ""] = readdirSync(join(home, "tensorboard", curve));
        const content = readFileSync(join(home, "tensorboard", curve, file));
        return [curve, { file, sha256: createHash("sha256").update(content).digest("hex") }];
      }),
  );
  const read = Object.entries(expected.tensorboard).map(([curve, { file, sha256 }]) => [
    curve,
    { file, sha256 },
  ]);
  expect(written).toEqual(Object.fromEntries(read));
  const rows = Object.entries(expected.tensorboard).flatMap(([curve, { scalars: series }]) =>
    Object.entries(series).flatMap(([name, events]) => events.map((event) => [curve, name, ...event])),
  );
  const ours = scalars.map(({ curve, series, step, at, value }) => [curve, series, step, at, value]);
  expect(rows.toSorted()).toEqual(ours.toSorted());
});

test("datasets has read the candidates as they were written", async () => {
  expect(await exported("datasets")).toMatchObject({ rows: 4 });
  const file = join(home, "datasets", "data", "train-00000-of-00001.parquet");
  expect(await rowsOf(file)).toEqual(expected.datasets.rows);
  expect(expected.datasets.rows[0]).toMatchObject({
    origin: "human",
    text: "The tree\nis old",
    log_probability: null,
  });
  expect(expected.datasets.rows[1]).toMatchObject({ sample_id: 0, log_probability: -1.75, tokens: 3 });
  const card = readFileSync(join(home, "datasets", "README.md"), "utf8");
  const [, front = ""] = /^---\n([\s\S]*?)\n---\n/.exec(card) ?? [];
  expect(parse(front)).toMatchObject({
    size_categories: ["n<1K"],
    configs: [{ config_name: "default", data_files: [{ split: "train", path: "data/train-*" }] }],
  });
  // Three scored: 1, 0.25 and 0.75; the mean of two scored samples and the human one.
  expect(card).toContain("| 1 | 4 | 1 | 2 | 66.7 | 100.0 |");
  expect(readFileSync(join(home, "datasets", "AUTHORS.txt"), "utf8")).toBe("Eva\n");
  expect(card).toContain("- garden: CC0. Do as you like. nobody. <https://example.org/garden>");
  for (const [name, type] of Object.entries(expected.datasets.features))
    expect(card).toContain(`| ${name} | ${type} |`);
});

test("CSV, JSON lines and Parquet hold the same figures", async () => {
  for (const to of ["csv", "jsonl", "parquet"] as const) await exported(to);
  const jsonl: Record<string, unknown>[] = readFileSync(join(home, "jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(jsonl).toHaveLength(scalars.length);
  expect(jsonl[0]).toEqual({
    ...{ line: 1, curve: "run", series: "prepare/duplicatePairs", policy: "", step: 0, value: 0 },
    unix_time: Date.parse("2026-01-01T00:00:02Z") / 1000,
  });
  expect(await rowsOf(join(home, "parquet"))).toEqual(jsonl);
  const [header, ...lines] = readFileSync(join(home, "csv"), "utf8").trimEnd().split("\n");
  expect(header).toBe("line,curve,series,policy,step,value,unix_time");
  expect(lines).toEqual(jsonl.map((row) => Object.values(row).join(",")));
});

test("what Weights & Biases is handed has a row a step with all figures of that step", async () => {
  await exported("wandb");
  const rows = readFileSync(join(home, "wandb", "history.jsonl"), "utf8")
    .trimEnd()
    .split("\n");
  const parsed: Record<string, number>[] = rows.map((line) => JSON.parse(line));
  expect(parsed).toEqual(historyOf(scalars));
  expect(parsed).toContainEqual(
    expect.objectContaining({ "G1I1/step": 8, "G1I1/train/score": 0.75, "G1I1/train/figures/bleu": 24 }),
  );
  const figures = parsed.flatMap((row) =>
    Object.keys(row).filter((key) => key !== "_timestamp" && !key.endsWith("/step")),
  );
  expect(figures).toHaveLength(scalars.length);
  expect(JSON.parse(readFileSync(join(home, "wandb", "config.json"), "utf8"))).toEqual({
    ...{ name: "garden", id: runId },
    config: {
      ...{ seed: "1", "data.train": '["corpus/pairs.tsv"]', "improve.loss": "bc" },
      ...{ "improve.thresholds.kind": "quantile", "improve.thresholds.values": "[0.7,0.9]" },
    },
  });
});

test.each(["csv", "tensorboard", "wandb", "datasets"] as const)(
  "%s leaves what is there as it is",
  async (to) => {
    const out = join(home, `there-${to}`);
    writeFileSync(out, "mine");
    await expect(exported(to, out)).rejects.toThrow(/this is there already and is left as it is/);
    expect(readFileSync(out, "utf8")).toBe("mine");
  },
);

async function rowsOf(file: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const rows = (await connection.runAndReadAll("SELECT * FROM read_parquet($1)", [file])).getRowObjectsJS();
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]),
      ),
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
