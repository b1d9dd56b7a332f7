/** `coppice reward --model` and `coppice reward verify`, as a user calls them. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { metricxFolder } from "../reward/pretrained/metricx-folder.js";
import { coppice, ended } from "./coppice.js";

const MODEL = "metricx-24-hybrid-tiny";
/** From test/fixtures/metricx/scores.json, whose first texts these are. */
const [QE, REFERENCE] = [14.043, 17.482];

let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "coppice-pretrained-"));
  await metricxFolder(dir, MODEL);
  writeFileSync(join(dir, "lines.tsv"), "die Datei öffnen\topen the file\topen the file\n打开文件\tx\ty\n");
  writeFileSync(join(dir, "bare.tsv"), "a\tb\nno candidate\n");
});
afterAll(() => rmSync(dir, { recursive: true }));

const reward = (...args: string[]) => coppice(["reward", ...args], { cwd: dir });

test("every line of a file becomes one JSON object, and the licence goes to standard error", async () => {
  const { code, stdout, stderr } = await reward("--model", MODEL, "--json", "--input", "lines.tsv");
  expect(code).toBe(0);
  const found = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(found).toHaveLength(2);
  expect(Object.keys(found[0])).toEqual(["raw", "reward"]);
  expect(found[0].raw).toBeCloseTo(QE, 2);
  expect(found[0].reward).toBeCloseTo(1 - QE / 25, 3);
  expect(stderr).toContain("metricx-24-qe from metricx-24-hybrid-tiny. Licence: Apache-2.0.");
});

test("lines of standard input become two numbers, with references where the variant asks for them", async () => {
  const loader = new URL("../../node_modules/tsx/dist/esm/index.mjs", import.meta.url).href;
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const args = ["--import", loader, main, "reward", "--model", MODEL, "--variant", "metricx-24", "-q"];
  const child = spawn(process.execPath, args, { cwd: dir });
  child.stdin.write("die Datei öffnen\topen the file\topen the file\n");
  const { code, stdout, stderr } = await ended(child);
  expect([code, stderr]).toEqual([0, ""]);
  const [raw, mapped] = stdout.trim().split("\t").map(Number);
  expect(raw).toBeCloseTo(REFERENCE, 2);
  expect(mapped).toBeCloseTo(1 - REFERENCE / 25, 3);
});

test("verify says what a checkpoint is", async () => {
  const { code, stdout } = await reward("verify", MODEL, "-q");
  expect(code).toBe(0);
  expect(stdout).toContain("metricx-24-qe: metricx, variant metricx-24-qe, scores source, candidate\n");
  expect(stdout).toContain("Licence: Apache-2.0\n");
  expect(stdout).toContain("Files: 3, 32.1 MB, every tensor in its place\n");
  expect(stdout).toContain("No scores of this variant are published to compare with.");
});

test("verify refuses a checkpoint whose scores are not on its variant's scale", async () => {
  const [model, tokenizer] = ["da", "tokenizer"].map((name) =>
    fileURLToPath(new URL(`../fixtures/comet/${name}`, import.meta.url)),
  ) as [string, string];
  const verify = (variant: string) => reward("verify", model, "--variant", variant, "--tokenizer", tokenizer);
  const wrong = await verify("comet-unit");
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/has the raw score -?[\d.]+, but comet-unit scores about 0 to 1\. .* comet-z/);
  expect((await verify("comet-z")).code).toBe(0);
});

test.each([
  ["no reward", [], "no reward is named"],
  ["two rewards", ["runs/a", "--model", MODEL], "both the run runs/a and --model"],
  [
    "an option of the other kind",
    ["runs/a", "--batch-tokens", "5"],
    "--batch-tokens goes with --model alone",
  ],
  ["no such folder", ["--model", "none"], "none: there is no such folder"],
  [
    "no reference",
    ["--model", MODEL, "--variant", "metricx-24", "--input", "bare.tsv"],
    "bare.tsv:1: the line has no reference",
  ],
])("%s is told in a sentence", async (_, args, sentence) => {
  const { code, stdout, stderr } = await reward(...args);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain(sentence);
});
