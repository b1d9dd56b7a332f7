/** What a run makes of input files that change between two of its starts. */

import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { notesOf, shortest, tinyRun } from "./tiny-run.js";

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

const STEPS = "prepare, G0I0, evaluate-G0I0, grow-1, score-1, G1I1, evaluate-G1I1";

function newRun(reward: Record<string, unknown>): string {
  const dir = tinyRun({
    reward,
    ...shortest,
  });
  dirs.push(dir);
  return dir;
}

test("a changed file of pairs is named, and everything is done again", async () => {
  const dir = newRun({ kind: "places" });
  await notesOf(dir);
  expect(await notesOf(dir)).toContain("To do: only the report.");
  appendFileSync(join(dir, "pairs.tsv"), "1 2 3\t3 2 1\n");
  const said = await notesOf(dir);
  expect(said).toContain("pairs.tsv is not the file it was: its content has changed.");
  expect(said).toContain(`To be redone: ${STEPS}.`);
  expect(said).toContain(`To do: ${STEPS}.`);
  expect(await notesOf(dir)).toContain("To do: only the report.");
});

test("a changed reward module is named, candidates are scored again and kept, and so is BC", async () => {
  const dir = newRun({ kind: "module", path: "reward.mjs" });
  const module = (score: string) =>
    writeFileSync(
      join(dir, "reward.mjs"),
      `export default (batch) => batch.map(({ candidate }) => ${score});\n`,
    );
  module("1 / (1 + candidate.length)");
  await notesOf(dir);
  const kept = join(dir, "policies/G0I0/model.safetensors");
  const { mtimeMs } = statSync(kept);
  const highest = () =>
    Number(/"maxReward":([^,]+)/.exec(readFileSync(join(dir, "metrics.jsonl"), "utf8"))![1]);
  const before = highest();
  module("0.5 / (1 + candidate.length)");
  const said = await notesOf(dir);
  expect(said).toContain("reward.mjs is not the file it was: its content has changed.");
  expect(said).toContain("Reused as they are: prepare, G0I0.");
  expect(statSync(kept).mtimeMs).toBe(mtimeMs);
  expect(highest()).toBeCloseTo(before / 2, 12);
  expect(said.filter((sentence) => sentence.startsWith("To be redone:"))).toEqual([
    "To be redone: evaluate-G0I0, grow-1, score-1, G1I1, evaluate-G1I1.",
  ]);
});
