/** `coppice inspect` and `coppice status` on a small run folder. */

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspect, inspectText } from "../../src/cli/inspect.js";
import { runStatus, statusText } from "../../src/cli/status.js";
import { renderConfig, resolveConfig } from "../../src/rest/config.js";
import { withoutTransport } from "../../src/rest/reward-parts.js";
import { type Candidate, CandidateWriter, humanCandidate } from "../../src/store/candidates.js";
import { lockRun } from "../../src/store/lock.js";
import { type Json, Manifest } from "../../src/store/manifest.js";
import { coppice, ended } from "./coppice.js";

let dir: string;

const sampled = (sourceId: number, sampleId: number, text: string, reward: number): Candidate => ({
  ...humanCandidate(1, sourceId, { source: `Quelle ${sourceId}`, target: text }),
  sampleId,
  tokens: [5, 0],
  logProbs: [-1, -0.5],
  sampleLogProbs: [-1, -0.5],
  reward,
  origin: "policy",
});

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "coppice-inspect-"));
  const config = resolveConfig({ data: { train: ["pairs.tsv"] }, reward: { kind: "chrf" } });
  await writeFile(join(dir, "coppice.yaml"), renderConfig(config));
  // A configuration is what YAML holds, and so JSON.
  const manifest = await Manifest.create(dir, {
    coppice: "0.1.0",
    seed: 1,
    config: withoutTransport(config) as unknown as Json,
  });
  const writer = await CandidateWriter.open(join(dir, "grow-1/candidates.parquet"), {
    runId: manifest.runId,
  });
  writer.append([
    { ...humanCandidate(1, 0, { source: "Quelle 0", target: "human" }), reward: 0.5 },
    sampled(0, 0, "worse", 0.25),
    sampled(0, 1, "better", 0.75),
    { ...sampled(1, 0, "endless", 0.125), finished: false },
  ]);
  await writer.finish();
  await manifest.finish("prepare", { seconds: 61 });
});
afterAll(() => rm(dir, { recursive: true }));

describe("inspect", () => {
  test("shows the human translation of a source first, then its candidates, best first", async () => {
    const found = await inspect({ dir, source: 0, limit: 10 });
    expect("candidates" in found && found.candidates.map(({ text }) => text)).toEqual([
      "human",
      "better",
      "worse",
    ]);
  });

  test("prints rewards on the scale to 100 and marks candidates that were cut", async () => {
    const text = inspectText(await inspect({ dir, source: 0, limit: 10 }), false);
    expect(text.split("\n").map((line) => line.trim().replace(/ +/g, " "))).toEqual([
      "Grow 1, source 0: Quelle 0",
      "reward sample log-prob text",
      expect.stringMatching(/^─+$/),
      "50.0 human – human",
      "75.0 1 -1.5 better",
      "25.0 0 -1.5 worse",
    ]);
    expect(inspectText(await inspect({ dir, source: 1, limit: 10 }), false)).toContain("endless [cut]");
  });

  test("without a source gives the figures of the last Grow step and its best candidates", async () => {
    const found = await inspect({ dir, limit: 1 });
    if (!("stats" in found)) throw new Error("no figures");
    // (0.5 + 0.25 + 0.75 + 0.125) / 4
    expect(found.stats).toMatchObject({
      candidates: 4,
      human: 1,
      sources: 2,
      meanReward: 0.40625,
      maxReward: 0.75,
    });
    expect(found.best.map(({ text }) => text)).toEqual(["better"]);
  });

  test("--sql prints the rows of any query, as JSON for machines", async () => {
    const sql = "SELECT source_id, count(*) AS n FROM candidates GROUP BY source_id ORDER BY source_id";
    const { code, stdout } = await coppice(["inspect", dir, "--sql", sql, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      grow: 1,
      rows: [
        { source_id: 0, n: 3 },
        { source_id: 1, n: 1 },
      ],
    });
  });

  test("--sql of nothing, or beside --source, is refused in a sentence", async () => {
    for (const sql of ["", " ; ", "-- a comment"])
      await expect(inspect({ dir, sql, limit: 10 })).rejects.toThrow(
        "one SELECT is expected, but the query holds no statements.",
      );
    const { code, stderr } = await coppice(["inspect", dir, "--source", "0", "--sql", "SELECT 1"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "option '--sql <query>' cannot be used with option '--source <id>'.\n",
    });
  });

  test("names the sources that there are where one is asked for that is not", async () => {
    await expect(inspect({ dir, source: 7, limit: 10 })).rejects.toThrow(
      "source 7 has no candidates in Grow step 1. Sources there go from 0 to 1.",
    );
  });

  test("says when there are no candidates yet", async () => {
    const empty = await mkdtemp(join(tmpdir(), "coppice-inspect-"));
    await expect(inspect({ dir: empty, limit: 10 })).rejects.toThrow(/this folder holds no candidates yet/);
    await rm(empty, { recursive: true });
  });

  test("ends quietly when its reader has seen enough", async () => {
    const root = fileURLToPath(new URL("../../", import.meta.url));
    // 40 MB of rows, far more than a pipe holds.
    const command =
      `set -o pipefail; "${process.execPath}" --import tsx src/cli/main.ts inspect "${dir}" ` +
      '--sql "SELECT repeat(text, 100000) AS t FROM candidates, range(20)" --json | head -c 20';
    const { code, stdout, stderr } = await ended(spawn("bash", ["-c", command], { cwd: root }));
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '{"grow":1,"rows":[{"', stderr: "" });
  });
});

describe("status", () => {
  test("lists the finished steps and how to go on", async () => {
    const status = await runStatus(dir);
    expect(status).toMatchObject({
      state: "unfinished",
      seconds: 61,
      working: null,
      steps: [{ name: "prepare", seconds: 61 }],
    });
    const text = statusText(status, false);
    expect(text).toContain("1 min 01 s");
    // Algorithm 1's order, with the defaults: three Improve steps, then the control.
    expect(text).toContain("Next: G0I0, evaluate-G0I0, grow-1, score-1, G1I1, evaluate-G1I1, G1I2,");
    expect(text).toContain(`Not finished. Go on with: coppice run ${dir}`);
  });

  test("names the process that works in the folder", async () => {
    const { unlock } = lockRun(dir);
    try {
      const status = await runStatus(dir);
      expect(status.working).toMatchObject({ pid: process.pid, host: hostname() });
      expect(statusText(status, false)).toContain(`Process ${process.pid} on ${hostname()} is working on it`);
    } finally {
      unlock();
    }
  });

  test("of a folder that init made says how to start", async () => {
    const fresh = await mkdtemp(join(tmpdir(), "coppice-status-"));
    await writeFile(join(fresh, "coppice.yaml"), "data: {train: [a.tsv]}\n");
    expect((await runStatus(fresh)).state).toBe("new");
    await rm(fresh, { recursive: true });
  });

  test("of a folder without a run is refused", async () => {
    const { code, stderr } = await coppice(["status", "no-such-folder"]);
    expect(code).toBe(2);
    expect(stderr).toBe(
      "no-such-folder: this folder holds no run: coppice.yaml is not there. Start one with coppice init no-such-folder --pairs FILE.\n",
    );
  });

  test("refuses a summary that is not one", async () => {
    const broken = await mkdtemp(join(tmpdir(), "coppice-status-"));
    await writeFile(join(broken, "coppice.yaml"), "data: {train: [a.tsv]}\n");
    await writeFile(join(broken, "summary.json"), '{"form');
    await expect(runStatus(broken)).rejects.toThrow(
      /summary\.json: this is not a summary that Coppice wrote/,
    );
    await rm(broken, { recursive: true });
  });
});
