/** The probe in small that every run begins with. */

import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runAll } from "../../src/rest/run.js";
import { readMetrics } from "../../src/store/metrics.js";
import { runFolder } from "../../src/store/run-folder.js";
import type { RunSummary } from "../../src/store/summary.js";
import { tinyRun } from "./tiny-run.js";

const notes: string[] = [];
let dir: string;
let summary: RunSummary;
beforeAll(async () => {
  dir = tinyRun({ grow: { steps: 0 } });
  summary = await runAll({
    dir,
    reporter: {
      note: (sentence) => notes.push(sentence),
      progress: () => ({ update: () => {}, finish: () => {} }),
    },
  });
});
afterAll(() => rmSync(dir, { recursive: true }));

test("a run says, and keeps in its summary and its metrics, what damage its reward notices", () => {
  const probe = summary.reward.probe!;
  const noticed = Object.fromEntries(probe.map(({ kind, noticed }) => [kind, noticed]));
  // A place for every word: a text that is cut or emptied, or its first word alone, has fewer right ones.
  expect(noticed).toMatchObject({ cut: 1, empty: 1, inventedTail: 1 });
  expect(probe.every(({ pairs }) => pairs > 0 && pairs <= 20)).toBe(true);
  // The toy has no capital letters and is neither English, German nor Chinese.
  expect(noticed).not.toHaveProperty("names");
  expect(noticed).not.toHaveProperty("negation");
  const evaluated = readMetrics(runFolder(dir).metrics).find(({ step }) => step === "evaluate-G0I0");
  expect(evaluated?.probe).toEqual(probe);
  expect(notes.filter((note) => note.startsWith("Reward probe: "))).toHaveLength(1);
});
