import { describe, expect, it } from "vitest";
import { gradients } from "../../src/tensor/differentiate.js";
import { Graph, type Precision, type Value } from "../../src/tensor/graph.js";
import { mul, type OperationName, operations, type TestInput, total } from "../../src/tensor/operations.js";
import { doubles, floats, integers, Program, type Tensor } from "../../src/tensor/program.js";
import { deriveKey, integerBelow, type Key, permutation, uniform } from "../../src/tensor/random.js";

const names = Object.keys(operations) as OperationName[];

type Numbers = Float64Array | Float32Array;

/** Step and tolerance: float64, but for the few operations whose kernel exists for float32 only. */
const EXACT = { precision: "float64", step: 1e-4, tolerance: 1e-6 } as const;
const COARSE = { precision: "float32", step: 1e-2, tolerance: 1e-3 } as const;

function reals(precision: Precision, data: Float64Array, dims: readonly number[]): Tensor {
  return precision === "float64" ? doubles(data, dims) : floats(Float32Array.from(data), dims);
}

/** Fills one input of a test case from the counter-based stream `key`. */
function draw(
  input: TestInput,
  key: Key,
  precision: Precision,
): { data: Float64Array; tensor: Tensor; real: boolean } {
  const size = input.shape.reduce((a, b) => a * b, 1);
  const order = "below" in input && input.unique ? permutation(key, input.below) : undefined;
  const data = Float64Array.from({ length: size }, (_, i) =>
    "low" in input
      ? input.low + (input.high - input.low) * uniform(key, i)
      : order
        ? order[i]!
        : integerBelow(key, i, input.below),
  );
  const real = "low" in input;
  return { data, real, tensor: real ? reals(precision, data, input.shape) : integers(data, input.shape) };
}

/**
 * The derivative of Σ weights·f(x) along a random direction, by the gradient rule and by a central difference. Random
 * weights keep symmetric mistakes from cancelling. `terms` is the sum of the rule's terms without their signs.
 */
async function bothDerivatives(
  name: OperationName,
  testCase: { inputs: readonly TestInput[]; attributes?: object },
  seed: number,
  { precision, step }: { precision: Precision; step: number },
): Promise<{ rule: number; difference: number; terms: number }> {
  const drawn = testCase.inputs.map((input, i) => draw(input, deriveKey(seed, 1, i), precision));
  const graph = new Graph(precision);
  const values = testCase.inputs.map((input, i) =>
    "low" in input ? graph.parameter(`x${i}`, input.shape) : graph.input(`x${i}`, input.shape, "int64"),
  );
  const out = graph.operation(name, values, testCase.attributes ?? {});
  const weights = graph.input("weights", out.shape);
  const loss = total(mul(out, weights));
  const differentiated = values.filter((_, i) => drawn[i]!.real);
  const outputs: Record<string, Value> = { loss };
  const gradient = gradients(loss, differentiated);
  gradient.forEach(({ dense, rows }, i) => {
    if (dense) outputs[`d${i}`] = dense;
    rows.forEach((row, j) => {
      outputs[`rows${i}.${j}`] = row.rows;
      outputs[`ids${i}.${j}`] = row.ids;
    });
  });
  const program = await Program.compile(graph, outputs, { threads: 1 });
  const shape = out.shape.map(Number);
  const size = shape.reduce((a, b) => a * b, 1);
  const weightData = Float64Array.from({ length: size }, (_, i) => uniform(deriveKey(seed, 2), i) - 0.3);
  const feeds: Record<string, Tensor> = { weights: reals(precision, weightData, shape) };
  drawn.forEach(({ tensor }, i) => {
    feeds[`x${i}`] = tensor;
  });

  const direction = drawn.map(({ data }, i) => data.map((_, j) => uniform(deriveKey(seed, 3, i), j) * 2 - 1));
  const result = await program.run(feeds);
  let rule = 0;
  let terms = 0;
  const addTerm = (term: number) => {
    rule += term;
    terms += Math.abs(term);
  };
  let real = 0;
  drawn.forEach((input, i) => {
    if (!input.real) return;
    const dense = result[`d${real}`];
    if (dense) {
      (dense.data as Numbers).forEach((g, j) => {
        addTerm(g * direction[i]![j]!);
      });
    }
    for (let j = 0; result[`rows${real}.${j}`]; j++) {
      const ids = result[`ids${real}.${j}`]!.data as BigInt64Array;
      const rows = result[`rows${real}.${j}`]!.data as Numbers;
      const width = rows.length / ids.length;
      rows.forEach((g, k) => {
        addTerm(g * direction[i]![Number(ids[Math.floor(k / width)]) * width + (k % width)]!);
      });
    }
    real++;
  });

  const lossAt = async (sign: number) => {
    const moved = { ...feeds };
    drawn.forEach((input, i) => {
      if (!input.real) return;
      const data = input.data.map((x, j) => x + sign * step * direction[i]![j]!);
      moved[`x${i}`] = reals(precision, data, testCase.inputs[i]!.shape);
    });
    return ((await program.run(moved)).loss!.data as Numbers)[0]!;
  };
  const difference = ((await lossAt(1)) - (await lossAt(-1))) / (2 * step);
  await program.release();
  return { rule, difference, terms };
}

/** Operations without a test: nothing flows back through them, or (dLogProb) they are the gradient of another. */
const UNTESTED = [
  "dLogProb",
  "drawBlock",
  "largest",
  "positive",
  "sign",
  "size",
  "stopGradient",
  "takeBlock",
];

it("the operations without a gradient of their own are these, and no others", () => {
  const untested = names.filter((name) => operations[name].test(2, 2).length === 0);
  expect(untested.sort()).toEqual(UNTESTED);
});

describe("every differentiable operation's gradient equals a central difference", () => {
  /** Sizes of 1 where broadcasting and reductions are at their limits, and random ones. */
  const shapes = [
    [1, 1],
    [1, 4],
    [3, 1],
    ...[1, 2, 3].map((round) => [0, 1].map((i) => 2 + integerBelow(deriveKey(99, round), i, 4))),
  ] as [number, number][];

  for (const name of names.filter((each) => !UNTESTED.includes(each)))
    it(name, async () => {
      const coarse = operations[name].float32Only === true;
      for (const [round, [n, m]] of shapes.entries()) {
        for (const [index, testCase] of operations[name].test(n, m).entries()) {
          const seed = 100 * round + index;
          const place = `case ${index}, ${n}x${m}`;
          const checked = await bothDerivatives(name, testCase, seed, coarse ? COARSE : EXACT);
          const { rule, difference } = checked;
          const tolerance = (coarse ? COARSE : EXACT).tolerance * Math.max(1, Math.abs(difference));
          expect(Math.abs(rule - difference), `${place}: ${rule} against ${difference}`).toBeLessThan(
            tolerance,
          );
          if (coarse) continue;
          // What trains runs in float32, by other kernels (FusedMatMul, LayerNormalization): the same gradient of the
          // same numbers, as far as that precision goes.
          const single = await bothDerivatives(name, testCase, seed, COARSE);
          expect(
            Math.abs(single.rule - rule),
            `${place} in float32: ${single.rule} against ${rule}`,
          ).toBeLessThan(1e-5 * Math.max(1, checked.terms));
        }
      }
    });

  it("the check sees a gradient that is wrong by one part in a thousand", async () => {
    const { rule, difference } = await bothDerivatives("tanh", operations.tanh.test(3, 4)[0]!, 5, EXACT);
    expect(Math.abs(rule * 1.001 - difference)).toBeGreaterThan(1e-6 * Math.max(1, Math.abs(difference)));
  });
});
