/** How long training will take, by its first steps. */

import { expect, test } from "vitest";
import { plannedSteps } from "../../src/rest/algorithm.js";
import { resolveConfig } from "../../src/rest/config.js";
import { paceOf, trainingTime } from "../../src/rest/pace.js";

test("a pace is told once, from ten seconds after the first steps, which are slow", () => {
  let now = 0;
  const pace = paceOf(() => now);
  const at = (seconds: number, step: number) => {
    now = 1000 * seconds;
    return pace(step);
  };
  // Two steps in four seconds, programs being prepared; then four a second.
  expect(at(4, 2)).toBeUndefined();
  expect(at(13.5, 40)).toBeUndefined();
  expect(at(14, 42)).toBe(0.25);
  expect(at(30, 100)).toBeUndefined();
});

test("a training of one step a report, or of none, has no pace", () => {
  let now = 0;
  const pace = paceOf(() => now);
  expect(pace(5)).toBeUndefined();
  now = 60_000;
  expect(pace(5)).toBeUndefined();
});

test("Improve steps, the control's among them, take as long as their tokens do at BC's pace", async () => {
  const config = resolveConfig({
    data: { train: ["a.tsv"] },
    reward: { kind: "chrf" },
    bc: { steps: 2500, batchTokens: 1000, warmupSteps: 1 },
    improve: {
      trainSteps: 300,
      batchTokens: 500,
      accumulate: 4,
      steps: 2,
      thresholds: { kind: "top", values: [2, 1] },
    },
  });
  // 2,400 steps of half a second are 20 min; four times 300 steps of twice the tokens are 4 · 300 s.
  expect(trainingTime(config, await plannedSteps(config), { seconds: 0.5, step: 100 })).toBe(
    "BC takes about 20 min 00 s more for 2400 steps, and training in the Improve steps 20 min 00 s, if nothing stops early. " +
      "What else there is to do is timed once BC is trained.",
  );
});
