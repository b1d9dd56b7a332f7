/** A run that tunes weights for its best of N, and its policy asked by them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runAll } from "../../src/rest/run.js";
import { ranked } from "../../src/serve/best.js";
import { RunPolicies } from "../../src/serve/policies.js";
import type { RunSummary } from "../../src/store/summary.js";
import { tinyRun } from "../rest/tiny-run.js";
import { post, removeRun, withServer } from "./served.js";

/** The length of a candidate, and how much of it the source has: two parts that want different things. */
const modules = {
  "long.mjs": "export default (batch) => batch.map(({ candidate }) => Math.min(1, candidate.length / 40));",
  "known.mjs": `export default (batch) => batch.map(({ source, candidate }) => {
    const words = candidate.split(" ");
    return words.filter((word) => source.split(" ").includes(word)).length / words.length;
  });`,
};

let dir: string;

beforeAll(async () => {
  dir = tinyRun({
    reward: {
      kind: "sum",
      parts: Object.keys(modules).map((path) => ({ kind: "module", path, weight: 1 })),
    },
    grow: { steps: 0 },
    evaluate: { rerank: true, bestOfN: [1, 2, 4], bestOfNSamples: 4 },
  });
  for (const [name, text] of Object.entries(modules)) writeFileSync(join(dir, name), text);
  await runAll({ dir });
});
afterAll(() => removeRun(dir));

test("the weights stand in the summary, and the test part is chosen by them beside the reward", () => {
  const summary = JSON.parse(readFileSync(join(dir, "summary.json"), "utf8")) as RunSummary;
  const [tuned] = summary.rerank!;
  expect(tuned).toMatchObject({ policy: "G0I0", n: 4, sources: 20, metric: "chrf" });
  expect(tuned!.parts.map(({ name }) => name)).toEqual([
    "reward",
    "long",
    "known",
    "log-probability a token",
  ]);
  expect(tuned!.parts.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 9);
  expect(tuned!.tuned).toBeGreaterThanOrEqual(tuned!.alone);
  const [one, two, four] = summary.bestOfN;
  // Of one sample nothing is chosen.
  expect(one!.reranked!.chrf).toBeCloseTo(one!.chrf, 9);
  expect(one!.reranked!.reward).toBeCloseTo(one!.reward, 9);
  // Nothing has a higher reward than what is chosen by the reward.
  for (const point of [two!, four!]) expect(point.reranked!.reward).toBeLessThanOrEqual(point.reward + 1e-12);
  expect(readFileSync(join(dir, "report.html"), "utf8")).toContain("by the sum");
});

test("a policy's samples are put in order by them when asked", async () => {
  const policies = await RunPolicies.open({ dir });
  try {
    const source = { sourceId: 0, text: "3 1 4 1 5" };
    const [answer] = await policies.sample([source], { n: 6, temperature: 1.2, score: true, rerank: true });
    const { rerank } = JSON.parse(readFileSync(join(dir, "evaluation/G0I0.json"), "utf8")) as {
      rerank: { parts: { weight: number; mean: number; deviation: number }[] };
    };
    const expected = answer!.outputs.map(({ text, reward, logProbs }) => {
      const words = text.split(" ");
      const scores = [
        reward!,
        Math.min(1, text.length / 40),
        words.filter((word) => source.text.split(" ").includes(word)).length / words.length,
        logProbs.reduce((sum, one) => sum + one, 0) / logProbs.length,
      ];
      return rerank.parts.reduce(
        (sum, { weight, mean, deviation }, i) => sum + (weight * (scores[i]! - mean)) / deviation,
        0,
      );
    });
    answer!.outputs.forEach(({ rank }, i) => {
      expect(rank).toBeCloseTo(expected[i]!, 9);
    });
    expect(ranked(answer!.outputs)[0]!.rank).toBeCloseTo(Math.max(...expected), 9);
    const [plain] = await policies.sample([source], { n: 6, temperature: 1.2, score: true });
    expect(plain!.outputs.every(({ rank }) => rank === undefined)).toBe(true);
    await withServer({ dir, bestOf: 6, rerank: true }, async ({ url }) => {
      const asked = { sources: [source.text], seed: 4, all: true };
      const { body } = await post(`${url}/translate`, asked);
      const [{ candidates }] = (body as { translations: [{ candidates: { translation: string }[] }] })
        .translations;
      const draws = { seed: 4, sourceId: 0 };
      const [same] = await policies.sample([{ ...source, draws }], { n: 6, score: true, rerank: true });
      expect(candidates.map(({ translation }) => translation)).toEqual(
        ranked(same!.outputs).map(({ text }) => text),
      );
    });
    expect(await policies.whyUnranked("G0I0")).toBeUndefined();
    expect(await policies.whyUnranked("G1I1")).toMatch(
      /no weights are stored for G1I1.*evaluate\.rerank: true/,
    );
  } finally {
    await policies.close();
  }
});
