/** Differences between policies, paired by source. */

import { expect, test } from "vitest";
import { comparedPairs, differences } from "../../src/rest/steps/differences.js";
import type { Evaluation } from "../../src/rest/steps/evaluate.js";

const place = (name: string) => {
  const [, grow, improve, random] = /^G(\d)I(\d)(-random)?$/.exec(name)!;
  return { name, grow: Number(grow), improve: Number(improve), control: random !== undefined };
};

test("each policy is compared with BC, with the one before it and with its control, each pair once", () => {
  const names = ["G0I0", "G1I1", "G1I2", "G1I2-random", "G2I1"];
  expect(comparedPairs(names.map(place)).map((pair) => pair.join(" − "))).toEqual([
    "G1I1 − G0I0",
    "G1I2 − G0I0",
    "G1I2 − G1I1",
    "G1I2 − G1I2-random",
    "G1I2-random − G0I0",
    "G2I1 − G0I0",
    "G2I1 − G1I2",
  ]);
});

/** As much of an evaluation as differences read. */
function evaluation(name: string, reward: number[], texts: string[]): Evaluation {
  return {
    summary: place(name),
    translations: texts.map((text) => ({ text, reward: 0 })),
    bySource: { reward, bestOfN: [] },
  } as unknown as Evaluation;
}

test("a judge's scores of the same sources are compared where both policies have them", () => {
  const judged = (name: string, scores: (number | undefined)[]): Evaluation => ({
    ...evaluation(name, [0, 0], ["a", "b"]),
    translations: scores.map((judge) => ({ text: "a", reward: 0, ...(judge !== undefined && { judge }) })),
  });
  const pairs = [0, 1].map((i) => ({ source: `${i}`, target: "a" }));
  const options = { tokenize: "13a", seed: 1 } as const;
  const [found] = differences([judged("G0I0", [0.2, 0.9]), judged("G1I1", [0.1, 0.8])], pairs, options);
  for (const figure of Object.values(found!.judge!)) expect(figure).toBeCloseTo(-0.1, 12);
  const [older] = differences([judged("G0I0", [0.2, undefined]), judged("G1I1", [0.1, 0.8])], pairs, options);
  expect(older).not.toHaveProperty("judge");
});

test("rewards that differ widely between sources, but by the same everywhere, differ beyond noise", () => {
  const hard = Array.from({ length: 40 }, (_, i) => i / 50);
  const easier = hard.map((reward) => reward + 0.1);
  const test = hard.map((_, i) => ({ source: `${i}`, target: `the word number ${i} stands here` }));
  const right = test.map(({ target }) => target);
  const found = differences([evaluation("G0I0", hard, right), evaluation("G1I1", easier, right)], test, {
    tokenize: "13a",
    seed: 1,
  });
  expect(found).toHaveLength(1);
  const [{ reward, bleu, chrf, ...pair }] = found as [(typeof found)[number]];
  expect(pair).toEqual({ policy: "G1I1", against: "G0I0" });
  for (const figure of Object.values(reward)) expect(figure).toBeCloseTo(0.1, 12);
  // The same texts in both.
  expect([bleu, chrf]).toEqual([
    { value: 0, low: 0, high: 0 },
    { value: 0, low: 0, high: 0 },
  ]);
});
