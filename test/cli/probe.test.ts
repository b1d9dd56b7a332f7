/** `coppice reward probe` and `coppice doctor`, as a user calls them. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tinyRun } from "../rest/tiny-run.js";
import { coppice } from "./coppice.js";

let dir: string;
let pairs: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "coppice-probe-"));
  pairs = join(dir, "pairs.tsv");
  const lines = ["Anna", "Berlin", "Oslo"].flatMap((name) =>
    [2, 3].map((n) => `Ein Hund sieht ${name} und ${n} Katzen.\tA dog sees ${name} and the ${n} cats.\n`),
  );
  writeFileSync(pairs, lines.join(""));
  writeFileSync(
    join(dir, "long.mjs"),
    "export default (batch) => batch.map(({ candidate }) => Math.min(1, candidate.length / 200));\n",
  );
});
afterAll(() => rmSync(dir, { recursive: true }));

const probe = (...args: string[]) => coppice(["reward", "probe", ...args], { cwd: dir });

test("a table has a row for every kind, and the texts that were missed with their rewards", async () => {
  const { code, stdout } = await probe("--reward", "module:long.mjs", "--pairs", pairs);
  expect(code).toBe(0);
  expect(stdout).toMatch(/words doubled +6 +0 % +0 % +\+/);
  expect(stdout).toMatch(/words dropped +6 +100 % +0 % +−/);
  expect(stdout).toContain("words doubled, missed:\n  source ");
  expect(stdout).toContain("This reward often misses: ");
});

test("a program is probed by its command line", async () => {
  writeFileSync(join(dir, "constant.sh"), "while read -r line; do echo 0.5; done\n");
  const { code, stdout } = await probe("--reward", "command:sh constant.sh", "--pairs", pairs);
  expect(code).toBe(0);
  expect(stdout).toMatch(/words doubled +6 +0 % +100 %/);
});

test("--json has the kinds that are missed and the worst texts of each", async () => {
  const { code, stdout } = await probe(
    "--reward",
    "module:long.mjs",
    "--pairs",
    pairs,
    "--json",
    "--worst",
    "1",
  );
  expect(code).toBe(0);
  const found = JSON.parse(stdout);
  expect(found.blind).toEqual(expect.arrayContaining(["doubled", "repeatedSpan", "inventedTail", "names"]));
  expect(found.blind).not.toContain("dropped");
  const doubled = found.kinds.find(({ kind }: { kind: string }) => kind === "doubled");
  expect(doubled.worst).toHaveLength(1);
  expect(doubled.worst[0].damagedReward).toBeGreaterThan(doubled.worst[0].referenceReward);
});

describe("what is wrong is said in one sentence", () => {
  test.each([
    [
      [],
      "no reward is named. Give a run folder, or --reward chrf, bleu, places, pretrained:FOLDER, module:PATH, command:PROGRAM or the address of a server (http://…) with --pairs FILE.",
    ],
    [["--reward", "chrf"], "--reward chrf needs pairs to probe it with. Add --pairs FILE."],
    [
      ["--reward", "comet", "--pairs", "pairs.tsv"],
      "--reward is comet but must be chrf, bleu, places, pretrained:FOLDER, module:PATH, command:PROGRAM or the address of a server (http://…); probe a learned reward or a judge by its run's folder.",
    ],
    [
      ["somewhere", "--reward", "chrf"],
      "both the run somewhere and --reward chrf name a reward. Leave one of them out.",
    ],
    [["--reward", "chrf", "--pairs", "pairs.tsv", "--limit", "1"], "must be a whole number of 2 or more."],
    [
      ["--reward", "module:none.mjs", "--pairs", "pairs.tsv"],
      'the reward module "none.mjs" was looked for at',
    ],
  ])("reward probe %j", async (args, sentence) => {
    const { code, stdout, stderr } = await probe(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/^[^\n]+\n$/);
  });

  test("doctor of a run that has not begun", async () => {
    const run = tinyRun({}, 300, dir);
    const { code, stderr } = await coppice(["doctor", run]);
    expect(code).toBe(2);
    expect(stderr).toBe(`${run}: nothing of this run is finished yet. Start it with coppice run ${run}\n`);
  });
});
