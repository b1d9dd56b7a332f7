import { expect, test } from "vitest";
import { resolveConfig } from "../../src/rest/config.js";
import { heldOutMetric } from "../../src/rest/held-out.js";

const of = (reward: NonNullable<Parameters<typeof resolveConfig>[0]["reward"]>) =>
  heldOutMetric(resolveConfig({ data: { train: ["a.tsv"] }, reward }));

test("the metric is of another family than what the reward is, or learned", () => {
  expect(of({ kind: "chrf" })).toEqual({
    metric: "bleu",
    judges: ["bleu"],
    why: "BLEU is of another family than the reward, which is chrF.",
  });
  expect(of({ kind: "bleu" }).metric).toBe("chrf");
  expect(of({ kind: "learned", target: "chrf" }).why).toBe(
    "BLEU is of another family than the reward, which learned from chrF.",
  );
  expect(of({ kind: "learned", target: "bleu" }).metric).toBe("chrf");
  expect(of({ kind: "places" })).toMatchObject({ metric: "chrf", judges: ["chrf", "bleu"] });
});

test("a reward that learned from both says that neither is of another family", () => {
  const both = of({ kind: "learned", target: "both" });
  expect(both).toMatchObject({ metric: "chrf", judges: ["chrf", "bleu"] });
  expect(both.why).toContain("learned from both chrF and BLEU, so that neither is of another family");
});

test("a sum sees what its parts see", () => {
  const parts = [{ kind: "chrf" as const }, { kind: "module" as const, path: "a.mjs" }];
  expect(of({ kind: "sum", parts })).toMatchObject({ metric: "bleu", judges: ["bleu"] });
  expect(of({ kind: "sum", parts }).why).toContain("is not known here");
});
