import { expect, test } from "vitest";
import { batchSources, planOnline } from "../../src/baseline/plan.js";
import { UserError } from "../../src/errors.js";
import { resolveConfig } from "../../src/rest/config.js";

const config = (online: object, grow: object = {}) =>
  resolveConfig({ data: { train: ["a.tsv"] }, method: "rloo", grow, online });
const drawn = (plan: ReturnType<typeof planOnline>) =>
  Array.from({ length: plan.batches }, (_, i) => batchSources(plan, i + 1, 5));

test("a number of its own is drawn to the last whole source", () => {
  // 30 candidates are seven sources of four, in batches of three sources.
  const plan = planOnline(
    config({ samples: 30, sourcesPerBatch: 3, samplesPerSource: 4 }),
    100,
    "coppice.yaml",
  );
  expect(plan.samples).toBe(28);
  expect(drawn(plan).map((batch) => batch.length)).toEqual([3, 3, 1]);
});

test("without one, as many are drawn as ReST would draw", () => {
  const plan = planOnline(config({}, { steps: 2, samples: 12 }), 500, "coppice.yaml");
  expect(plan.samples).toBe(2 * 500 * 12);
});

test("a pass meets each source once, the next pass in another order", () => {
  const plan = planOnline(config({ samples: 40, sourcesPerBatch: 5, samplesPerSource: 2 }), 10, "a.yaml");
  const [first, second, third, fourth] = drawn(plan);
  const ten = Array.from({ length: 10 }, (_, i) => i);
  expect([...first!, ...second!].sort((a, b) => a - b)).toEqual(ten);
  expect([...third!, ...fourth!].sort((a, b) => a - b)).toEqual(ten);
  expect([...third!, ...fourth!]).not.toEqual([...first!, ...second!]);
});

test("no source is twice in a batch, where batches do not divide the sources either", () => {
  const plan = planOnline(config({ samples: 200, sourcesPerBatch: 4, samplesPerSource: 2 }), 7, "a.yaml");
  for (const batch of drawn(plan)) expect(new Set(batch).size).toBe(batch.length);
});

test("too few sources or samples for one batch are told with what to change", () => {
  const plan = (online: object, sources: number, grow: object) => () =>
    planOnline(config(online, grow), sources, "a.yaml");
  expect(plan({}, 63, {})).toThrow(UserError);
  expect(plan({}, 63, {})).toThrowErrorMatchingInlineSnapshot(
    `[UserError: a.yaml: online.sourcesPerBatch is 64 but there are only 63 sources to sample for. Lower it.]`,
  );
  expect(plan({}, 64, { samples: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: a.yaml: ReST would draw 128 candidates here (grow.steps × sources × grow.samples), which do not fill one batch of 512. Lower online.sourcesPerBatch or online.samplesPerSource, or set online.samples.]`,
  );
});
