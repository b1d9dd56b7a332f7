import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Loss } from "../../../src/policy/loss.js";
import { bc } from "../../../src/rest/losses/bc.js";
import {
  type BvmpoOptions,
  bvmpo,
  klWeight,
  temperatureStep,
  topHalf,
} from "../../../src/rest/losses/bvmpo.js";
import { type GoldOptions, gold, lookAhead } from "../../../src/rest/losses/gold.js";
import { advantages, type KnownCandidate, monteCarloReturns } from "../../../src/rest/losses/loss.js";
import { type OacOptions, oac, vTraceAdvantages } from "../../../src/rest/losses/oac.js";
import { rwr } from "../../../src/rest/losses/rwr.js";
import { gradients } from "../../../src/tensor/differentiate.js";
import { doubles, integers, Program, type Tensor } from "../../../src/tensor/program.js";
import { logSoftmaxOf, recordLoss, type Step, TablePolicy } from "./table-policy.js";

interface Case {
  loss: number;
  gradient: number[][];
}
interface Fixture {
  vocab: number;
  lengths: number[];
  theta: number[][];
  old: number[][];
  behavior: number[][];
  targets: number[];
  rewards: number[];
  values: number[];
  bc: Case;
  gold: (Case & { options: Omit<GoldOptions, "syncEvery">; q: number[] })[];
  oac: (Case & { options: Omit<OacOptions, "syncEvery"> })[];
  oacVTrace: (Case & { options: Omit<OacOptions, "syncEvery">; advantages: number[] })[];
  bvmpo: (Case & {
    options: Omit<BvmpoOptions, "syncEvery" | "klFirst" | "klLast" | "dualLearningRate">;
    lam: number;
    top: number[];
    psi: number[];
    etaGradient: number;
    klOld: number;
  })[];
}
/** Made by test/fixtures/losses/make.py with numpy: values from the formulas, gradients by differences. */
const file = new URL("../../fixtures/losses/losses.json", import.meta.url);
const fixture = JSON.parse(readFileSync(file, "utf8")) as Fixture;
const { vocab, lengths, targets } = fixture;
const tokens = targets.length;
const picked = (logits: number[][]) => logits.map((row, t) => logSoftmaxOf(row)[targets[t]!]!);
const oldLogProbs = Float32Array.from(picked(fixture.old));
const behaviorLogProbs = picked(fixture.behavior);

/** The fixture's targets as the losses know them. */
const candidates: KnownCandidate[] = lengths.map((length, i) => {
  const start = lengths.slice(0, i).reduce((a, b) => a + b, 0);
  return {
    reward: fixture.rewards[i]!,
    sourceRewards: fixture.rewards,
    logProbs: behaviorLogProbs.slice(start, start + length),
    values: fixture.values.slice(start, start + length),
  };
});

/** One column over all of the fixture's tokens. */
function columnsOf(prepared: readonly { columns?: Readonly<Record<string, Float32Array>> }[]) {
  const names = Object.keys(prepared[0]!.columns ?? {});
  return Object.fromEntries(
    names.map((name) => [
      name,
      Float32Array.from(prepared.flatMap(({ columns }) => Array.from(columns![name]!))),
    ]),
  );
}

/** Value and gradient of a loss at the fixture's logits, each of the tokens weighing the same; in float64. */
async function measured(loss: Loss, columns: Readonly<Record<string, Float32Array>> = {}): Promise<Case> {
  const computed = loss.compute?.({ lengths, columns, oldLogProbs, step: 0, steps: 10 });
  const { graph, loss: value } = recordLoss(loss, tokens, vocab, "float64");
  const table = graph.values.find(({ name }) => name === "table")!;
  const [{ rows } = { rows: [] }] = gradients(value, [table]);
  const program = await Program.compile(graph, { loss: value, rows: rows[0]!.rows });
  const double = (numbers: ArrayLike<number>, ...shape: number[]) =>
    doubles(Float64Array.from(numbers), shape);
  const feeds: Record<string, Tensor> = {
    table: double(fixture.theta.flat(), tokens, vocab),
    states: integers([...targets.keys()], [tokens]),
    targets: integers(targets, [tokens]),
    weight: double(new Array(tokens).fill(1 / tokens), tokens),
    "distribution.old": double(fixture.old.flatMap(logSoftmaxOf), tokens, vocab),
    "distribution.behavior": double(fixture.behavior.flatMap(logSoftmaxOf), tokens, vocab),
  };
  for (const [name, column] of Object.entries({ ...columns, ...computed }))
    feeds[`column.${name}`] = double(column, tokens);
  const outputs = await program.run(feeds, { token: tokens });
  await program.release();
  const flat = Array.from(outputs.rows!.data as Float64Array);
  return {
    loss: Number(outputs.loss!.data[0]),
    gradient: targets.map((_, t) => flat.slice(t * vocab, (t + 1) * vocab)),
  };
}

/** Columns are float32, so figures agree to about seven digits. */
function expectCase(found: Case, expected: Case): void {
  expect(found.loss).toBeCloseTo(expected.loss, 5);
  found.gradient.forEach((row, t) => {
    row.forEach((number, v) => {
      expect(Math.abs(number - expected.gradient[t]![v]!), `token ${t}, entry ${v}`).toBeLessThan(1e-6);
    });
  });
}

describe("loss and gradient are those worked by numpy from the formula", () => {
  test("BC", async () => {
    expectCase(await measured(bc.make({})), fixture.bc);
  });

  test.each(fixture.gold)("GOLD $options", async (expected) => {
    const options = { ...expected.options, syncEvery: 1 };
    const columns = columnsOf(candidates.map((candidate) => gold.prepare!(candidate, options)));
    expect(columns.q).toHaveLength(tokens);
    columns.q!.forEach((q, t) => {
      expect(q).toBeCloseTo(expected.q[t]!, 5);
    });
    expectCase(await measured(gold.make(options), columns), expected);
  });

  test.each(fixture.oac)("OAC $options", async (expected) => {
    const options = { ...expected.options, syncEvery: 1 };
    const columns = columnsOf(candidates.map((candidate) => oac.prepare!(candidate, options)));
    expectCase(await measured(oac.make(options), columns), expected);
  });

  test.each(fixture.oacVTrace)("OAC with V-trace $options", async (expected) => {
    const options = { ...expected.options, syncEvery: 1 };
    const columns = columnsOf(candidates.map((candidate) => oac.prepare!(candidate, options)));
    const found = vTraceAdvantages({ lengths, columns, oldLogProbs }, options.discount);
    found.forEach((advantage, t) => {
      expect(advantage).toBeCloseTo(expected.advantages[t]!, 5);
    });
    expectCase(await measured(oac.make(options), columns), expected);
  });

  test.each(fixture.bvmpo)("BVMPO $options", async (expected) => {
    const options = {
      ...expected.options,
      syncEvery: 1,
      klFirst: expected.lam,
      klLast: expected.lam,
      dualLearningRate: 0,
    };
    const columns = columnsOf(candidates.map((candidate) => bvmpo.prepare!(candidate, options)));
    const top = topHalf(columns.advantage!);
    expect(top).toEqual(expected.top);
    const chosen = top.map((t) => columns.advantage![t]!);
    const { psi, gradient } = temperatureStep(chosen, options.eta, options.etaEpsilon);
    psi.forEach((share, i) => {
      expect(share).toBeCloseTo(expected.psi[i]!, 5);
    });
    expect(gradient).toBeCloseTo(expected.etaGradient, 4);
    expectCase(await measured(bvmpo.make(options), columns), expected);
  });
});

const goldOptions: GoldOptions = {
  variant: "s",
  floor: 0.2,
  lookAhead: 5,
  discount: 1,
  rewardFloor: 0.1,
  baseline: -10,
  syncEvery: 10,
};
const oacOptions: OacOptions = { discount: 1, advantageFloor: null, vTrace: false, syncEvery: 10 };
const bvmpoOptions: BvmpoOptions = {
  discount: 1,
  etaEpsilon: 0.02,
  alphaEpsilon: 0.1,
  eta: 1,
  alpha: 0.1,
  dualLearningRate: 0.01,
  syncEvery: 10,
  klFirst: 1e-5,
  klLast: 1e-5,
};

describe("at its limits", () => {
  test("GOLD with u = 1 and Q = 1 is BC", async () => {
    const options: GoldOptions = { ...goldOptions, variant: "delta", floor: 1 };
    const columns = columnsOf(candidates.map((candidate) => gold.prepare!(candidate, options)));
    expectCase(await measured(gold.make(options), columns), fixture.bc);
  });

  test("OAC with V = 0 and no discount is BC weighted by reward", () => {
    for (const candidate of candidates) {
      const values = candidate.values.length;
      const { weight, columns } = oac.prepare!(
        { ...candidate, values: new Array(values).fill(0) },
        oacOptions,
      );
      expect(weight).toBe(1);
      expect(Array.from(columns!.advantage!)).toEqual(new Array(values).fill(Math.fround(candidate.reward)));
    }
  });

  test("V-trace with the policy unchanged and no discount is the plain advantage of the last token", () => {
    const columns = columnsOf(
      candidates.map((candidate) => oac.prepare!(candidate, { ...oacOptions, vTrace: true })),
    );
    const found = vTraceAdvantages({ lengths, columns, oldLogProbs: Float32Array.from(behaviorLogProbs) }, 1);
    // On policy every vₜ is the return itself.
    const plain = candidates.flatMap((candidate) => Array.from(advantages(candidate, 1)));
    found.forEach((advantage, t) => {
      expect(advantage).toBeCloseTo(plain[t]!, 6);
    });
  });

  test("BVMPO with η → ∞ weighs the top half evenly", () => {
    const { psi } = temperatureStep([0.9, 0.1, -0.4, 0.3], 1e9, 0.02);
    for (const share of psi) expect(share).toBeCloseTo(0.25, 8);
  });

  test("RWR with temperature → 0 is top-1, and with temperature → ∞ weighs all alike", () => {
    const weights = (temperature: number) =>
      [0.2, 0.9, 0.5].map(
        (reward) =>
          rwr.prepare!({ reward, sourceRewards: [0.2, 0.9, 0.5], logProbs: [], values: [] }, { temperature })
            .weight,
      );
    expect(weights(1e-4)).toEqual([0, 1, 0]);
    for (const weight of weights(1e9)) expect(weight).toBeCloseTo(1 / 3, 8);
  });
});

describe("by hand", () => {
  test("the return of a token is the reward discounted by the tokens still to come", () => {
    expect(Array.from(monteCarloReturns(0.5, 3, 0.5))).toEqual([0.125, 0.25, 0.5]);
  });

  test("GOLD looks K tokens ahead, and what lies past the end counts as certain", () => {
    const logProbs = [Math.log(0.5), Math.log(0.25)];
    const options = { ...goldOptions, lookAhead: 2, rewardFloor: 0 };
    // 0.5 + 0.25 + 1, and 0.25 + 1 + 1
    const q = lookAhead(logProbs, options);
    expect(q[0]).toBeCloseTo(1.75, 6);
    expect(q[1]).toBeCloseTo(2.25, 6);
  });

  test("λ falls from its first to its last value in equal ratios", () => {
    const at = (step: number) => klWeight({ klFirst: 1, klLast: 1e-4 }, step, 5);
    [1, 0.1, 0.01, 1e-3, 1e-4].forEach((expected, step) => {
      expect(at(step)).toBeCloseTo(expected, 10);
    });
  });

  test("the top half of an odd number of tokens is the smaller half, and of equals the first stay", () => {
    expect(topHalf(Float32Array.of(0.1, 0.5, 0.5, 0.5, 0.2))).toEqual([1, 2]);
    expect(topHalf(Float32Array.of(0.1))).toEqual([0]);
  });

  test("V-MPO's temperature falls where the weights are more even than its bound asks for, and rises where they are less", () => {
    expect(temperatureStep([0.3, 0.1], 10, 0.1).gradient).toBeGreaterThan(0);
    expect(temperatureStep([0.3, 0.1], 0.01, 0.1).gradient).toBeLessThan(0);
  });
});

/** A bandit of three actions, each tried as often; rewards 0.2, 0.5, 0.9; V is their mean. */
const bandit = [0.2, 0.5, 0.9];
const meanReward = (0.2 + 0.5 + 0.9) / 3;
const uniform = [[0, 0, 0]];
const single = [1, 1, 1];

describe("on a bandit of three actions that pay 0.2, 0.5 and 0.9", () => {
  const withColumns = (columns: (reward: number) => Record<string, number>): Step[] =>
    bandit.map((reward, action) => ({ state: 0, action, columns: columns(reward) }));
  const advantage = withColumns((reward) => ({ advantage: reward - meanReward }));

  test("BC on what passes the threshold 0.6 learns the best action", async () => {
    const policy = await TablePolicy.create(bc.make({}), uniform);
    await policy.train([{ state: 0, action: 2 }], [1], 300);
    expect(policy.probabilities(0)[2]).toBeGreaterThan(0.98);
  });

  test("RWR learns softmax(R / T)", async () => {
    const policy = await TablePolicy.create(rwr.make({ temperature: 0.3 }), uniform);
    const data = bandit.map((reward, action) => ({
      state: 0,
      action,
      weight: rwr.prepare!({ reward, sourceRewards: bandit, logProbs: [], values: [] }, { temperature: 0.3 })
        .weight,
    }));
    await policy.train(data, single, 600);
    const best = logSoftmaxOf(bandit.map((reward) => reward / 0.3)).map(Math.exp);
    policy.probabilities(0).forEach((p, action) => {
      expect(p).toBeCloseTo(best[action]!, 2);
    });
  });

  test("OAC that pushes nothing down learns the only action above the mean", async () => {
    const policy = await TablePolicy.create(oac.make({ ...oacOptions, advantageFloor: 0 }), uniform);
    await policy.train(advantage, single, 300);
    expect(policy.probabilities(0)[2]).toBeGreaterThan(0.98);
  });

  test("BVMPO with little weight on the behaviour learns the best action", async () => {
    const policy = await TablePolicy.create(bvmpo.make(bvmpoOptions), uniform);
    await policy.train(advantage, single, 600);
    expect(policy.probabilities(0)[2]).toBeGreaterThan(0.9);
  });

  test("BVMPO with much weight on the behaviour stays there", async () => {
    const options = { ...bvmpoOptions, klFirst: 1000, klLast: 1000 };
    const policy = await TablePolicy.create(bvmpo.make(options), uniform);
    await policy.train(advantage, single, 300);
    for (const p of policy.probabilities(0)) expect(p).toBeCloseTo(1 / 3, 2);
  });

  test("GOLD learns the mode of the demonstrations, where BC learns their shares", async () => {
    const shares = [5, 3, 2];
    const data = shares.flatMap((count, action) =>
      Array.from({ length: count }, () => ({ state: 0, action, columns: { q: count / 10 } })),
    );
    const lengthsOf = data.map(() => 1);
    const cloned = await TablePolicy.create(bc.make({}), uniform);
    await cloned.train(data, lengthsOf, 600);
    cloned.probabilities(0).forEach((p, action) => {
      expect(p).toBeCloseTo(shares[action]! / 10, 2);
    });
    const policy = await TablePolicy.create(gold.make({ ...goldOptions, floor: 0 }), uniform);
    await policy.train(data, lengthsOf, 600);
    expect(policy.probabilities(0)[0]).toBeGreaterThan(0.95);
  });
});

/**
 * A chain of two steps with two actions each, four sequences tried as often: (1, 1) pays 1, (0, 0) pays 0.6, the others
 * 0.1. V(s₀) = 0.45, V after 0 = 0.35, V after 1 = 0.55. The best policy goes 1, 1; after a 0 the better action is 0.
 */
describe("on a chain of two steps whose best sequence is (1, 1)", () => {
  const pays = [
    [0.6, 0.1],
    [0.1, 1],
  ];
  const valueAt = [0.45, 0.35, 0.55];
  const chain: Step[] = [0, 1].flatMap((first) =>
    [0, 1].flatMap((second) => {
      const reward = pays[first]![second]!;
      const place = (state: number, action: number): Step => ({
        state,
        action,
        columns: {
          advantage: reward - valueAt[state]!,
          value: valueAt[state]!,
          reward,
          behaviorLogProb: Math.log(0.5),
        },
      });
      return [place(0, first), place(1 + first, second)];
    }),
  );
  const pairs = [2, 2, 2, 2];
  const start = [
    [0, 0],
    [0, 0],
    [0, 0],
  ];

  test.each([
    ["OAC", oac.make({ ...oacOptions, advantageFloor: 0 })],
    ["OAC with V-trace", oac.make({ ...oacOptions, advantageFloor: 0, vTrace: true })],
    ["BVMPO", bvmpo.make({ ...bvmpoOptions, etaEpsilon: 0.1 })],
  ])("%s goes 1, 1, and 0 after a 0", async (_, loss) => {
    const policy = await TablePolicy.create(loss, start);
    await policy.train(chain, pairs, 400);
    expect(policy.probabilities(0)[1]).toBeGreaterThan(0.6);
    expect(policy.probabilities(2)[1]).toBeGreaterThan(0.9);
    expect(policy.probabilities(1)[0]).toBeGreaterThan(0.9);
  });
});
