/** The online methods against numpy, by hand, and on a bandit and a chain whose best actions are known. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { OnlineMethod } from "../../src/baseline/method.js";
import { advantageEstimates, type PpoOptions, ppo } from "../../src/baseline/ppo.js";
import { leaveOneOut, rloo } from "../../src/baseline/rloo.js";
import { normaliseBySource, tokenRewards } from "../../src/baseline/shaping.js";
import { gradients } from "../../src/tensor/differentiate.js";
import { doubles, integers, Program } from "../../src/tensor/program.js";
import { deriveKey, uniform } from "../../src/tensor/random.js";
import { logSoftmaxOf, recordLoss, type Step, TablePolicy } from "../rest/losses/table-policy.js";

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8")) as T;
}
/** Made by test/fixtures/baseline/make.py with numpy, from the sums that define the estimates. */
const estimates = fixture<{
  sequences: { rewards: number[]; values: number[] }[];
  cases: {
    discount: number;
    lambda: number;
    advantages: number[][];
    returns: number[][];
    whitened: number[][];
  }[];
}>("baseline/baseline.json");
/** Made by test/fixtures/losses/make.py with numpy: the value from the formula, gradients by differences. */
const losses = fixture<{
  vocab: number;
  theta: number[][];
  old: number[][];
  targets: number[];
  ppo: { clip: number; advantages: number[]; loss: number; gradient: number[][] };
}>("losses/losses.json");

const options: PpoOptions = { clip: 0.2, discount: 1, lambda: 0.95, whiten: false };

function expectAll(found: readonly ArrayLike<number>[], expected: number[][], digits: number): void {
  expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  found.forEach((one, i) => {
    Array.from(one).forEach((number, t) => {
      expect(number, `sequence ${i}, token ${t}`).toBeCloseTo(expected[i]![t]!, digits);
    });
  });
}

describe("advantage estimates", () => {
  test.each(estimates.cases)("with γ = $discount and λ = $lambda are those of numpy", (known) => {
    const batch = estimates.sequences.map((sequence, sourceId) => ({ sourceId, ...sequence }));
    const plain = ppo.credit(batch, { ...options, ...known });
    expectAll(plain.advantages, known.advantages, 5);
    expectAll(plain.returns, known.returns, 5);
    const white = ppo.credit(batch, { ...options, ...known, whiten: true });
    expectAll(white.advantages, known.whitened, 5);
    expectAll(white.returns, known.returns, 5);
  });

  test("of two tokens, by hand", () => {
    // δ₂ = 1 − 0.5 = 0.5; δ₁ = 0 + 0.5 − 0.25 = 0.25; A₁ = 0.25 + 0.5·0.5
    expect(Array.from(advantageEstimates([0, 1], [0.25, 0.5], 1, 0.5))).toEqual([0.5, 0.5]);
  });

  test("with γ = λ = 1 are what is still to come, less the value", () => {
    expect(Array.from(advantageEstimates([1, 2, 4], [0.5, 1, 2], 1, 1))).toEqual([6.5, 5, 2]);
  });
});

test("the clipped loss and its gradient are those worked by numpy from the formula", async () => {
  const { vocab, theta, old, targets, ppo: known } = losses;
  const tokens = targets.length;
  const { graph, loss } = recordLoss(ppo.loss({ ...options, clip: known.clip }), tokens, vocab, "float64");
  const table = graph.values.find(({ name }) => name === "table")!;
  const [gradient] = gradients(loss, [table]);
  const program = await Program.compile(graph, { loss, rows: gradient!.rows[0]!.rows });
  const double = (numbers: ArrayLike<number>, ...shape: number[]) =>
    doubles(Float64Array.from(numbers), shape);
  const outputs = await program.run(
    {
      table: double(theta.flat(), tokens, vocab),
      states: integers([...targets.keys()], [tokens]),
      targets: integers(targets, [tokens]),
      weight: double(new Array(tokens).fill(1 / tokens), tokens),
      "column.advantage": double(known.advantages, tokens),
      "column.behavior": double(
        old.map((row, t) => logSoftmaxOf(row)[targets[t]!]!),
        tokens,
      ),
    },
    { token: tokens },
  );
  await program.release();
  expect(Number(outputs.loss!.data[0])).toBeCloseTo(known.loss, 8);
  // Some tokens are clipped, and so have no gradient; else nothing here would see the clipping.
  const clipped = known.gradient.filter((row) => row.every((number) => Math.abs(number) < 1e-9));
  expect(clipped.length).toBeGreaterThan(0);
  const flat = Array.from(outputs.rows!.data as Float64Array);
  known.gradient.flat().forEach((number, i) => {
    expect(Math.abs(flat[i]! - number), `entry ${i}`).toBeLessThan(1e-6);
  });
});

describe("leave-one-out advantages", () => {
  test("compare each candidate with the mean of the others of its source", () => {
    // 0.9 against (0.3 + 0.6) / 2, and so on; source 2: 1 against 0.
    const found = leaveOneOut([0.9, 1, 0.3, 0, 0.6], [1, 2, 1, 2, 1]);
    for (const [i, expected] of [0.45, 1, -0.45, -1, 0].entries()) expect(found[i]).toBeCloseTo(expected, 12);
  });

  test("sum to 0 over the candidates of a source", () => {
    const rewards = Array.from({ length: 24 }, (_, i) => uniform(deriveKey(3), i));
    const sources = rewards.map((_, i) => i % 4);
    const found = leaveOneOut(rewards, sources);
    for (const source of [0, 1, 2, 3]) {
      const sum = found.filter((_, i) => sources[i] === source).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(0, 12);
    }
  });

  test("give every token of a candidate the same credit, the divergence from BC in it", () => {
    const { advantages, returns } = rloo.credit(
      [
        { sourceId: 0, rewards: [-0.25, 0.75], values: [] },
        { sourceId: 0, rewards: [0, 0, 0.25], values: [] },
      ],
      {},
    );
    expect(advantages.map((one) => Array.from(one))).toEqual([
      [0.25, 0.25],
      [-0.25, -0.25, -0.25],
    ]);
    expect(returns).toEqual([]);
  });
});

/** A world of sequences: which state follows a state and an action; undefined: the sequence ends and pays. */
interface World {
  readonly states: readonly (readonly number[])[];
  next(state: number, action: number): { state: number } | { pays: number };
}

const methods: [string, OnlineMethod<PpoOptions>][] = [
  ["PPO", ppo],
  ["RLOO", rloo],
];

/** Trains a table online, with means of past returns as the value function. */
async function learn(
  method: OnlineMethod<PpoOptions>,
  world: World,
  klCoefficient: number,
): Promise<TablePolicy> {
  const policy = await TablePolicy.create(method.loss(options), world.states);
  const bc = world.states.map(logSoftmaxOf);
  const known = world.states.map(() => ({ sum: 0, count: 0 }));
  for (let batch = 0; batch < 40; batch++) {
    const table = world.states.map((_, state) => policy.probabilities(state));
    const sequences = Array.from({ length: 32 }, (_, i) => walk(world, table, deriveKey(1, batch, i)));
    const pays = normaliseBySource(
      sequences.map((sequence) => sequence.pays),
      sequences.map(() => 0),
    );
    const { advantages, returns } = method.credit(
      sequences.map(({ steps }, i) => ({
        sourceId: 0,
        rewards: tokenRewards(
          {
            logProbs: steps.map(({ state, action }) => Math.log(table[state]![action]!)),
            bcLogProbs: steps.map(({ state, action }) => bc[state]![action]!),
          },
          pays[i]!,
          klCoefficient,
        ),
        values: steps.map(({ state }) => known[state]!.sum / Math.max(1, known[state]!.count)),
      })),
      options,
    );
    returns.forEach((one, i) => {
      sequences[i]!.steps.forEach(({ state }, t) => {
        known[state]!.sum += one[t]!;
        known[state]!.count++;
      });
    });
    const data: Step[] = sequences.flatMap(({ steps }, i) =>
      steps.map(({ state, action }, t) => ({
        state,
        action,
        columns: { advantage: advantages[i]![t]!, behavior: Math.log(table[state]![action]!) },
      })),
    );
    await policy.train(
      data,
      sequences.map(({ steps }) => steps.length),
      method.epochs,
      0.2,
    );
  }
  return policy;
}

function walk(world: World, table: readonly (readonly number[])[], key: ReturnType<typeof deriveKey>) {
  const steps: { state: number; action: number }[] = [];
  for (let state = 0; ; ) {
    const u = uniform(key, steps.length);
    let [action, sum] = [0, table[state]![0]!];
    while (u > sum && action < table[state]!.length - 1) sum += table[state]![++action]!;
    steps.push({ state, action });
    const next = world.next(state, action);
    if ("pays" in next) return { steps, pays: next.pays };
    state = next.state;
  }
}

describe("on a bandit of three actions that pay 0.2, 0.5 and 0.9", () => {
  const bandit: World = {
    states: [[0, 0, 0]],
    next: (_, action) => ({ pays: [0.2, 0.5, 0.9][action]! }),
  };

  test.each(methods)("%s learns the best action", async (_, method) => {
    const policy = await learn(method, bandit, 0);
    expect(policy.probabilities(0)[2]).toBeGreaterThan(0.95);
  });

  test.each(methods)("%s stays at BC where divergence from it is dear", async (_, method) => {
    const policy = await learn(method, bandit, 100);
    for (const p of policy.probabilities(0)) expect(Math.abs(p - 1 / 3)).toBeLessThan(0.1);
  });
});

describe("on a chain of two steps, where (1, 1) pays 1, (0, 0) pays 0.6 and the others 0.1", () => {
  const chain: World = {
    states: [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    next: (state, action) =>
      state === 0
        ? { state: 1 + action }
        : {
            pays: [
              [0.6, 0.1],
              [0.1, 1],
            ][state - 1]![action]!,
          },
  };

  test.each(methods)("%s goes 1, 1", async (_, method) => {
    const policy = await learn(method, chain, 0);
    expect(policy.probabilities(0)[1]).toBeGreaterThan(0.9);
    expect(policy.probabilities(2)[1]).toBeGreaterThan(0.9);
  });
});
