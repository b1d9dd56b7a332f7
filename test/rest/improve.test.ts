/** Which filter an Improve step of the configuration becomes, and what it says of a filter that keeps little. */

import { expect, test } from "vitest";
import { resolveConfig } from "../../src/rest/config.js";
import { lessThanABatch, ruleOf } from "../../src/rest/steps/improve.js";

const improve = (kind: "absolute" | "quantile" | "percentile" | "interpolation" | "top", values: number[]) =>
  resolveConfig({
    data: { train: ["a.tsv"] },
    improve: { thresholds: { kind, values }, steps: values.length },
  }).improve;

test.each([
  ["absolute", [0.7, 0.8], 1, { kind: "absolute", value: 0.7 }],
  ["absolute", [0.7, 0.8], 2, { kind: "absolute", value: 0.8 }],
  ["quantile", [0.5, 0.9], 2, { kind: "quantile", q: 0.9 }],
  // The paper's p = 90 (A.7) is a share of 0.9.
  ["percentile", [90, 95], 1, { kind: "source-percentile", q: 0.9 }],
  ["interpolation", [0.25, 0.5], 2, { kind: "source-interpolation", gamma: 0.5 }],
  ["top", [4, 1], 2, { kind: "top", k: 1 }],
] as const)("%s %j becomes at step %i the rule %j", (kind, values, step, rule) => {
  expect(ruleOf(improve(kind, [...values]), step)).toEqual(rule);
});

test("I=0 trains on everything, whatever the thresholds", () => {
  expect(ruleOf(improve("absolute", [0.7]), 0)).toEqual({ kind: "all" });
});

test("what does not fill one batch is told with the highest reward, what does is not", () => {
  const selection = { kept: 20, meanTokens: 10, maxReward: 0.81234, threshold: "reward > 0.8" };
  expect(lessThanABatch(selection, 200)).toBeUndefined();
  expect(lessThanABatch(selection, 201)).toBe(
    "reward > 0.8 keeps 20 candidates, about 200 tokens, which do not fill one batch of 201. " +
      "The highest reward seen is 0.8123. Lower the threshold, or sample more.",
  );
});
