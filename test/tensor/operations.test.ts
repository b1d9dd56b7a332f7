import { describe, expect, it } from "vitest";
import { gradients } from "../../src/tensor/differentiate.js";
import { Graph, type Precision, type Value } from "../../src/tensor/graph.js";
import { mul, type OperationName, operations, type TestInput, total } from "../../src/tensor/operations.js";
import { doubles, floats, integers, Program, type Tensor } from "../../src/tensor/program.js";
import { deriveKey, integerBelow, type Key, permutation, uniform } from "../../src/tensor/random.js";

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
 * The derivative of Σ weights·f(x) along a random direction, by the gradient rule and by a central difference, in
 * float64. Random weights keep symmetric mistakes from cancelling.
 */
async function bothDerivatives(
  name: OperationName,
  testCase: { inputs: readonly TestInput[]; attributes?: object },
  seed: number,
): Promise<{ rule: number; difference: number }> {
  const { precision, step } = operations[name].float32Only ? COARSE : EXACT;
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
  let real = 0;
  drawn.forEach((input, i) => {
    if (!input.real) return;
    const dense = result[`d${real}`];
    if (dense) {
      (dense.data as Numbers).forEach((g, j) => {
        rule += g * direction[i]![j]!;
      });
    }
    for (let j = 0; result[`rows${real}.${j}`]; j++) {
      const ids = result[`ids${real}.${j}`]!.data as BigInt64Array;
      const rows = result[`rows${real}.${j}`]!.data as Numbers;
      const width = rows.length / ids.length;
      rows.forEach((g, k) => {
        rule += g * direction[i]![Number(ids[Math.floor(k / width)]) * width + (k % width)]!;
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
  return { rule, difference };
}

describe("every differentiable operation's gradient equals a central difference", () => {
  for (const name of Object.keys(operations) as OperationName[]) {
    const shapes = [1, 2, 3].map((seed) => [2 + ((seed * 7) % 4), 2 + ((seed * 5) % 3)] as const);
    if (operations[name].test(2, 2).length === 0) continue;
    it(name, async () => {
      for (const [round, [n, m]] of shapes.entries()) {
        for (const [index, testCase] of operations[name].test(n, m).entries()) {
          const { rule, difference } = await bothDerivatives(name, testCase, 100 * round + index);
          const relative = (operations[name].float32Only ? COARSE : EXACT).tolerance;
          const tolerance = relative * Math.max(1, Math.abs(difference));
          expect(
            Math.abs(rule - difference),
            `case ${index}, ${n}x${m}: ${rule} against ${difference}`,
          ).toBeLessThan(tolerance);
        }
      }
    });
  }

  it("the check sees a gradient that is wrong by one part in a thousand", async () => {
    const { rule, difference } = await bothDerivatives("tanh", operations.tanh.test(3, 4)[0]!, 5);
    expect(Math.abs(rule * 1.001 - difference)).toBeGreaterThan(1e-6 * Math.max(1, Math.abs(difference)));
  });
});
