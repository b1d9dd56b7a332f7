/** The order of Algorithm 1 as a run's steps, and what a changed key means for them. */

import { expect, test } from "vitest";
import { algorithm, plannedSteps } from "../../src/rest/algorithm.js";
import { type ConfigInput, resolveConfig } from "../../src/rest/config.js";
import { dependenciesOf } from "../../src/rest/dependencies.js";
import { rest } from "../../src/rest/loop.js";

test("rest calls its steps in the order of the paper's Algorithm 1, each Improve from the policy before it", async () => {
  const calls: string[] = [];
  const last = await rest<string, string>({
    growSteps: 2,
    improveSteps: 2,
    imitate: async () => {
      calls.push("imitate");
      return "G0I0";
    },
    grow: async (policy, grow) => {
      calls.push(`grow ${grow} from ${policy}`);
      return `D${grow}`;
    },
    improve: async (policy, candidates, grow, improve) => {
      calls.push(`improve ${policy} on ${candidates}`);
      return `G${grow}I${improve}`;
    },
  });
  expect(calls).toEqual([
    "imitate",
    "grow 1 from G0I0",
    "improve G0I0 on D1",
    "improve G1I1 on D1",
    "grow 2 from G1I2",
    "improve G1I2 on D2",
    "improve G2I1 on D2",
  ]);
  expect(last).toBe("G2I2");
});

const plan = async (over: Omit<ConfigInput, "data">) => {
  const config = resolveConfig({ data: { train: ["a.tsv"] }, reward: { kind: "chrf" }, ...over });
  return (await plannedSteps(config)).map(({ name }) => name).join(" ");
};
const thresholds = { kind: "absolute" as const, values: [0.5, 0.6] };

test("every policy is evaluated, the first too; the control comes last, by the same steps", async () => {
  expect(await plan({ improve: { thresholds } })).toBe(
    "prepare G0I0 evaluate-G0I0 grow-1 score-1 G1I1 evaluate-G1I1 G1I2 evaluate-G1I2 " +
      "G1I1-random G1I2-random evaluate-G1I2-random",
  );
});

test("a learned reward is taught by the first policy", async () => {
  expect(await plan({ reward: { kind: "learned" }, grow: { steps: 0 } })).toBe(
    "prepare G0I0 reward evaluate-G0I0",
  );
});

test("a reward that is taught again is so before each further Grow, by the policy that it samples from", async () => {
  const config = resolveConfig({
    data: { train: ["a.tsv"] },
    reward: { kind: "learned", retrain: true },
    grow: { steps: 3 },
    improve: { thresholds: { kind: "absolute", values: [0.5] }, control: false },
  });
  const planned = await plannedSteps(config);
  expect(planned.map(({ name }) => name).join(" ")).toBe(
    "prepare G0I0 reward evaluate-G0I0 grow-1 score-1 G1I1 evaluate-G1I1 " +
      "reward-2 grow-2 score-2 G2I1 evaluate-G2I1 reward-3 grow-3 score-3 G3I1 evaluate-G3I1",
  );
  // One single-step command does both.
  const unit = (step: string) => planned.find(({ name }) => name === step)!.unit;
  expect(unit("reward-2")).toBe(unit("grow-2"));
  expect(unit("score-2")).not.toBe(unit("grow-2"));
});

test("penalties change what is scored, not what a learned reward is taught; one taught again follows from all before", () => {
  expect(dependenciesOf("reward")).not.toContain("reward");
  for (const key of ["reward.kind", "reward.parts", "reward.steps", "reward.target", "bc", "data"])
    expect(dependenciesOf("reward")).toContain(key);
  expect(dependenciesOf("score-1")).toContain("reward");
  expect(dependenciesOf("reward-2")).toEqual(expect.arrayContaining(["reward", "improve", "grow", "bc"]));
});

test("the second Grow follows the last Improve of the first; its control starts from the same policy", async () => {
  expect(await plan({ grow: { steps: 2 }, improve: { thresholds } })).toBe(
    "prepare G0I0 evaluate-G0I0 grow-1 score-1 G1I1 evaluate-G1I1 G1I2 evaluate-G1I2 " +
      "grow-2 score-2 G2I1 evaluate-G2I1 G2I2 evaluate-G2I2 G2I1-random G2I2-random evaluate-G2I2-random",
  );
});

test("improve.from: base starts every Improve step, and the control's, from BC; Grow samples the last policy", async () => {
  const input = { data: { train: ["a.tsv"] }, reward: { kind: "chrf" as const }, grow: { steps: 2 } };
  const config = resolveConfig({ ...input, improve: { thresholds, from: "base" } });
  const calls: string[] = [];
  const none = async () => {};
  await rest(
    algorithm(config, {
      prepare: none,
      imitate: none,
      teachReward: none,
      retrainReward: none,
      score: none,
      teachValue: none,
      trainOnline: none,
      evaluate: none,
      sample: async (policy, grow) => {
        calls.push(`grow ${grow} from ${policy}`);
      },
      improve: async ({ grow, improve, from, control }) => {
        calls.push(`G${grow}I${improve}${control ? "-random" : ""} from ${from}`);
      },
    }),
  );
  expect(calls).toEqual([
    "grow 1 from G0I0",
    "G1I1 from G0I0",
    "G1I2 from G0I0",
    "grow 2 from G1I2",
    "G2I1 from G0I0",
    "G2I2 from G0I0",
    "G2I1-random from G0I0",
    "G2I2-random from G0I0",
  ]);
});

test("trainOnAll puts I=0 before I=1, for the control too", async () => {
  expect(await plan({ improve: { thresholds: { kind: "absolute", values: [0.5] }, trainOnAll: true } })).toBe(
    "prepare G0I0 evaluate-G0I0 grow-1 score-1 G1I0 evaluate-G1I0 G1I1 evaluate-G1I1 G1I1-random evaluate-G1I1-random",
  );
});

test.each([
  ["ppo" as const, "PPO"],
  ["rloo" as const, "RLOO"],
])("method %s puts one step in place of Grow and Improve, with no control", async (method, name) => {
  expect(await plan({ method, reward: { kind: "learned" } })).toBe(
    `prepare G0I0 reward evaluate-G0I0 ${name} evaluate-${name}`,
  );
});

test("an online policy follows from its own keys and the samples of Grow, and from no key of Improve", () => {
  for (const step of ["PPO", "evaluate-RLOO"]) {
    const keys = dependenciesOf(step);
    expect(keys).toEqual(expect.arrayContaining(["bc", "reward", "grow", "online"]));
    expect(keys).not.toContain("improve");
  }
});

test("a checkpoint is chosen by samples at the evaluation's temperature, and BLEU as a reward follows its tokenizer", () => {
  const onKey = (key: string) => (step: string) => dependenciesOf(step).includes(key);
  const steps = ["G0I0", "grow-1", "score-1", "G1I1", "grow-2", "score-2"];
  expect(steps.filter(onKey("evaluate.temperature"))).toEqual(["G1I1", "grow-2", "score-2"]);
  expect(steps.filter(onKey("evaluate.bleuTokenizer"))).toEqual(["score-1", "G1I1", "grow-2", "score-2"]);
});

test("thresholds can be changed without sampling or scoring again, before the first Improve only", () => {
  const onImprove = (step: string) => dependenciesOf(step).includes("improve");
  expect(["G0I0", "evaluate-G0I0", "grow-1", "score-1"].filter(onImprove)).toEqual([]);
  const later = ["G1I1", "G1I1-random", "evaluate-G1I1", "grow-2", "score-2"];
  expect(later.filter(onImprove)).toEqual(later);
});
