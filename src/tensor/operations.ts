/**
 * The table of operations: for each, its shape, how it becomes ONNX nodes, its gradient, and inputs to test it on.
 * Gradient rules never think of broadcasting: differentiate.ts undoes it. `d` + name is the gradient of name.
 */

import type { ElementType, Value } from "./graph.js";
import type { Lowering } from "./lower.js";
import { broadcast, type Dim, type Shape, sameShape, times } from "./shape.js";

export interface Attributes {
  readonly axes?: readonly number[];
  readonly axis?: number;
  readonly permutation?: readonly number[];
  readonly to?: Shape;
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
  readonly epsilon?: number;
  readonly smoothing?: number;
  readonly width?: number;
}

export interface GradContext {
  readonly inputs: readonly Value[];
  readonly out: Value;
  readonly dOut: Value;
  readonly attributes: Attributes;
}

/** A gradient of some rows of a matrix only: `rows [k, width]` belong to row numbers `ids [k]`, which may repeat. */
export interface RowGradient {
  readonly ids: Value;
  readonly rows: Value;
}

/** Where one test input comes from: real numbers of a range, or whole numbers below a bound. */
export type TestInput =
  | { readonly shape: readonly number[]; readonly low: number; readonly high: number }
  | { readonly shape: readonly number[]; readonly below: number; readonly unique?: boolean };

export interface Operation {
  shape(inputs: readonly Shape[], attributes: Attributes): Shape;
  /** Element type of the result; float where absent. */
  type?(inputs: readonly ElementType[]): ElementType;
  lower(to: Lowering, inputs: readonly string[], attributes: Attributes, value: Value): void;
  /** Gradient for each input, `undefined` where there is none (ids, masks, counts). */
  grad(context: GradContext): readonly (Value | RowGradient | undefined)[];
  /** True where the runtime has no float64 kernel, so that the gradient is checked in float32. */
  readonly float32Only?: boolean;
  /** Inputs on which the gradient is checked against differences: `n` and `m` are random sizes from 1 to 5. */
  test(n: number, m: number): readonly { inputs: readonly TestInput[]; attributes?: Attributes }[];
}

/** ONNX's numbers for element types. */
const [INT64, FLOAT64] = [7, 11];

const real = (shape: readonly number[], low = -2, high = 2): TestInput => ({ shape, low, high });
const ids = (shape: readonly number[], below: number, unique = false): TestInput => ({
  shape,
  below,
  unique,
});

/** An element-wise operation of one input that one ONNX node computes. */
function unary(
  onnx: string,
  grad: (context: { x: Value; out: Value; dOut: Value }) => Value,
  ranges: readonly (readonly [number, number])[] = [[-2, 2]],
): Operation {
  return {
    shape: ([x]) => x!,
    lower: (to, inputs) => to.node(onnx, inputs),
    grad: ({ inputs, out, dOut }) => [grad({ x: inputs[0]!, out, dOut })],
    test: (n, m) => ranges.map(([low, high]) => ({ inputs: [real([n, m], low, high)] })),
  };
}

/** An element-wise operation of two inputs, with broadcasting. */
function binary(
  onnx: string,
  grad: (context: { a: Value; b: Value; out: Value; dOut: Value }) => readonly [Value, Value],
  ranges: readonly (readonly [number, number])[] = [[-2, 2]],
): Operation {
  return {
    shape: ([x, y]) => broadcast(x!, y!),
    lower: (to, inputs) => to.node(onnx, inputs),
    grad: ({ inputs, out, dOut }) => grad({ a: inputs[0]!, b: inputs[1]!, out, dOut }),
    test: (n, m) =>
      ranges.flatMap((b) => [
        { inputs: [real([n, m]), real([n, m], ...b)] },
        { inputs: [real([n, m]), real([m], ...b)] },
        { inputs: [real([n, 1, m]), real([m, 1], ...b)] },
        { inputs: [real([n, m]), real([], ...b)] },
      ]),
  };
}

/** Of gelu's approximation by tanh. */
const [GELU_SCALE, GELU_CUBE] = [Math.sqrt(2 / Math.PI), 0.044715];

/** Above all of [−2, 2], and below: each input is the larger one once, and none is near a tie. */
const EITHER_SIDE = [
  [2.5, 4],
  [-4, -2.5],
] as const;

export type OperationName = keyof typeof table;

const table = {
  add: binary("Add", ({ dOut }) => [dOut, dOut]),
  sub: binary("Sub", ({ dOut }) => [dOut, neg(dOut)]),
  mul: binary("Mul", ({ a, b, dOut }) => [mul(dOut, b), mul(dOut, a)]),
  // d(a/b) = da/b − (a/b)·db/b
  div: binary("Div", ({ b, out, dOut }) => [div(dOut, b), neg(mul(dOut, div(out, b)))], [
    [0.5, 2],
    [-2, -0.5],
  ]),

  neg: unary("Neg", ({ dOut }) => neg(dOut)),
  exp: unary("Exp", ({ out, dOut }) => mul(dOut, out)),
  log: unary("Log", ({ x, dOut }) => div(dOut, x), [[0.3, 3]]),
  sqrt: unary("Sqrt", ({ out, dOut }) => div(mul(dOut, 0.5), out), [[0.3, 3]]),
  tanh: unary("Tanh", ({ out, dOut }) => mul(dOut, sub(1, mul(out, out)))),
  sigmoid: unary("Sigmoid", ({ out, dOut }) => mul(dOut, mul(out, sub(1, out)))),
  softplus: unary("Softplus", ({ x, dOut }) => mul(dOut, sigmoid(x))),
  // Kinks at 0 and ±1: the tested ranges keep away from them.
  relu: unary("Relu", ({ out, dOut }) => mul(dOut, positive(out)), [
    [0.1, 2],
    [-2, -0.1],
  ]),
  abs: unary("Abs", ({ x, dOut }) => mul(dOut, sign(x)), [
    [0.1, 2],
    [-2, -0.1],
  ]),

  /** x·σ(x), which Marian calls swish. d = σ(x)·(1 + x·(1 − σ(x))) */
  silu: {
    shape: ([x]) => x!,
    lower: (to, [x]) => {
      const gate = to.temporary("Sigmoid", [x!]);
      to.node("Mul", [x!, gate]);
    },
    grad: ({ inputs: [x], dOut }) => {
      const gate = sigmoid(x!);
      return [mul(dOut, mul(gate, add(1, mul(x!, sub(1, gate)))))];
    },
    test: (n, m) => [{ inputs: [real([n, m])] }],
  },
  /** x·Φ(x) with the error function. d = Φ(x) + x·φ(x) */
  gelu: {
    float32Only: true,
    shape: ([x]) => x!,
    lower: (to, [x]) => {
      const scaled = to.temporary("Mul", [x!, to.scalar(Math.SQRT1_2)]);
      const erf = to.temporary("Erf", [scaled]);
      const twice = to.temporary("Add", [erf, to.scalar(1)]);
      const half = to.temporary("Mul", [x!, to.scalar(0.5)]);
      to.node("Mul", [half, twice]);
    },
    grad: ({ inputs: [x], dOut }) => {
      const density = mul(exp(mul(mul(x!, x!), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      const cumulative = mul(add(erf(mul(x!, Math.SQRT1_2)), 1), 0.5);
      return [mul(dOut, add(cumulative, mul(x!, density)))];
    },
    test: (n, m) => [{ inputs: [real([n, m])] }],
  },
  /**
   * gelu by its approximation ½x·(1 + tanh u), u = √(2/π)·(x + 0.044715·x³), which Transformers calls gelu_new.
   * d = ½·(1 + tanh u) + ½x·(1 − tanh² u)·√(2/π)·(1 + 3·0.044715·x²)
   */
  geluTanh: {
    shape: ([x]) => x!,
    lower: (to, [x], _attributes, value) => {
      if (value.graph.precision === "float32") {
        to.node("FastGelu", [x!], {}, "com.microsoft");
        return;
      }
      // The fused kernel exists for float32 only.
      const cube = to.temporary("Mul", [x!, to.temporary("Mul", [x!, x!])]);
      const bent = to.temporary("Add", [x!, to.temporary("Mul", [cube, to.scalar(GELU_CUBE)])]);
      const slope = to.temporary("Tanh", [to.temporary("Mul", [bent, to.scalar(GELU_SCALE)])]);
      const twice = to.temporary("Add", [slope, to.scalar(1)]);
      to.node("Mul", [to.temporary("Mul", [x!, to.scalar(0.5)]), twice]);
    },
    grad: ({ inputs: [x], dOut }) => {
      const square = mul(x!, x!);
      const slope = tanh(mul(mul(x!, add(mul(square, GELU_CUBE), 1)), GELU_SCALE));
      const dSlope = mul(sub(1, mul(slope, slope)), mul(add(mul(square, 3 * GELU_CUBE), 1), GELU_SCALE));
      return [mul(dOut, mul(add(add(slope, 1), mul(x!, dSlope)), 0.5))];
    },
    test: (n, m) => [{ inputs: [real([n, m])] }],
  },
  erf: {
    ...unary("Erf", ({ x, dOut }) => mul(dOut, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))),
    float32Only: true,
  },

  /** 1 where x > 0, else 0; flat, so no gradient. */
  positive: {
    shape: ([x]) => x!,
    lower: (to, [x]) => to.node("Cast", [to.temporary("Greater", [x!, to.scalar(0)])], { to: to.realType }),
    grad: () => [undefined],
    test: () => [],
  },
  /** −1, 0 or 1; flat, so no gradient. */
  sign: {
    shape: ([x]) => x!,
    lower: (to, inputs) => to.node("Sign", inputs),
    grad: () => [undefined],
    test: () => [],
  },
  /** The value itself, through which no gradient flows. */
  stopGradient: {
    shape: ([x]) => x!,
    lower: (to, inputs) => to.node("Identity", inputs),
    grad: () => [undefined],
    test: () => [],
  },
  // Ties split nothing: the first input takes the gradient.
  minimum: binary(
    "Min",
    ({ a, b, dOut }) => {
      const first = sub(1, positive(sub(a, b)));
      return [mul(dOut, first), mul(dOut, sub(1, first))];
    },
    EITHER_SIDE,
  ),
  maximum: binary(
    "Max",
    ({ a, b, dOut }) => {
      const first = sub(1, positive(sub(b, a)));
      return [mul(dOut, first), mul(dOut, sub(1, first))];
    },
    EITHER_SIDE,
  ),

  /** Sum over `axes`, which stay as dimensions of 1. */
  sum: {
    shape: ([x], { axes }) => x!.map((dim, axis) => (axes!.includes(axis) ? 1 : dim)),
    lower: (to, [x], { axes }) => to.node("ReduceSum", [x!, to.integers(axes!)], { keepdims: 1 }),
    grad: ({ inputs: [x], dOut }) => [expand(dOut, x!.shape)],
    test: (n, m) => [
      { inputs: [real([n, m, 2])], attributes: { axes: [1] } },
      { inputs: [real([n, m, 2])], attributes: { axes: [0, 2] } },
    ],
  },
  /** Mean over `axes`, which stay as dimensions of 1. */
  mean: {
    shape: ([x], { axes }) => x!.map((dim, axis) => (axes!.includes(axis) ? 1 : dim)),
    lower: (to, [x], { axes }) => to.node("ReduceMean", [x!, to.integers(axes!)], { keepdims: 1 }),
    grad: ({ inputs: [x], attributes: { axes }, dOut }) => {
      const count = sizeOf(x!, times(...axes!.map((axis) => x!.shape[axis]!)));
      return [expand(div(dOut, count), x!.shape)];
    },
    test: (n, m) => [
      { inputs: [real([n, m, 2])], attributes: { axes: [1] } },
      { inputs: [real([n, m, 2])], attributes: { axes: [0, 2] } },
    ],
  },
  /** Largest entry along `axis`. No gradient: for shifts that cancel, as in a softmax. */
  largest: {
    shape: ([x], { axis }) => x!.map((dim, i) => (i === axis ? 1 : dim)),
    lower: (to, [x], { axis }) => to.node("ReduceMax", [x!, to.integers([axis!])], { keepdims: 1 }),
    grad: () => [undefined],
    test: () => [],
  },
  /** Stretches dimensions of 1 to the shape `to`. */
  expand: {
    shape: ([x], { to }) => broadcast(x!, to!),
    lower: (to, [x], attributes) => to.node("Expand", [x!, to.shape(attributes.to!)]),
    grad: ({ dOut }) => [dOut],
    test: (n, m) => [{ inputs: [real([n, 1, m])], attributes: { to: [n, 3, m] } }],
  },
  /** How many elements a dimension stands for, as a real number; no gradient. */
  size: {
    shape: () => [],
    lower: (to, _inputs, attributes) => {
      const scalar = to.temporary("Squeeze", [to.shape(attributes.to!)]);
      to.node("Cast", [scalar], { to: to.realType });
    },
    grad: () => [],
    test: () => [],
  },

  reshape: {
    type: ([x]) => x!,
    shape: ([x], { to }) => {
      if (times(...x!) !== times(...to!)) throw new Error(`cannot reshape [${x}] to [${to}]`);
      return to!;
    },
    lower: (to, [x], attributes) => to.node("Reshape", [x!, to.shape(attributes.to!)]),
    grad: ({ inputs: [x], dOut }) => [reshape(dOut, x!.shape)],
    test: (n, m) => [{ inputs: [real([n, m])], attributes: { to: [m, 1, n] } }],
  },
  transpose: {
    type: ([x]) => x!,
    shape: ([x], { permutation }) => permutation!.map((axis) => x![axis]!),
    lower: (to, inputs, { permutation }) => to.node("Transpose", inputs, { perm: permutation! }),
    grad: ({ attributes: { permutation }, dOut }) => {
      const inverse = permutation!.map((_, axis) => permutation!.indexOf(axis));
      return [transpose(dOut, inverse)];
    },
    test: (n, m) => [{ inputs: [real([n, m, 2])], attributes: { permutation: [2, 0, 1] } }],
  },

  /** alpha · A·B over the last two dimensions, each transposed or not; a shared second matrix has rank 2. */
  matmul: {
    shape: ([a, b], { transA, transB }) => {
      const [rows, inner] = lastTwo(a!, transA);
      const [innerB, columns] = lastTwo(b!, transB);
      if (inner !== innerB) throw new Error(`cannot multiply [${a}] by [${b}]: ${inner} against ${innerB}`);
      return [...broadcast(a!.slice(0, -2), b!.slice(0, -2)), rows, columns];
    },
    lower: (to, [a, b], { transA, transB, alpha }, value) => {
      if (value.graph.precision === "float32") {
        const flags = { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: to.float(alpha ?? 1) };
        to.node("FusedMatMul", [a!, b!], flags, "com.microsoft");
        return;
      }
      // The fused kernel exists for float32 only.
      const [left, right] = inputsOf(value).map((x) => swapLast(x.shape.length));
      const x = transA ? to.temporary("Transpose", [a!], { perm: left! }) : a!;
      const y = transB ? to.temporary("Transpose", [b!], { perm: right! }) : b!;
      const product = to.temporary("MatMul", [x, y]);
      to.node("Mul", [product, to.scalar(alpha ?? 1)]);
    },
    // With C = op(A)·op(B): dop(A) = dC·op(B)ᵀ, dop(B) = op(A)ᵀ·dC; the cases fold the outer transposes in.
    grad: ({ inputs: [a, b], attributes: { transA, transB, alpha }, dOut }) => {
      const dA = transA
        ? matmul(b!, dOut, { transA: transB ?? false, transB: true, alpha: alpha ?? 1 })
        : matmul(dOut, b!, { transB: !transB, alpha: alpha ?? 1 });
      const dB = transB
        ? matmul(dOut, a!, { transA: true, transB: transA ?? false, alpha: alpha ?? 1 })
        : matmul(a!, dOut, { transA: !transA, alpha: alpha ?? 1 });
      return [dA, dB];
    },
    test: (n, m) => [
      { inputs: [real([n, m]), real([m, 3])] },
      { inputs: [real([n, m]), real([3, m])], attributes: { transB: true, alpha: 0.5 } },
      { inputs: [real([m, n]), real([m, 3])], attributes: { transA: true } },
      { inputs: [real([m, n]), real([3, m])], attributes: { transA: true, transB: true, alpha: 2 } },
      { inputs: [real([2, n, m]), real([2, m, 3])] },
      { inputs: [real([2, 3, n, m]), real([2, 3, 4, m])], attributes: { transB: true } },
      { inputs: [real([2, n, m]), real([m, 3])] },
    ],
  },

  /** Along the last dimension. dx = y·(dy − Σ dy·y) */
  softmax: {
    shape: ([x]) => x!,
    lower: (to, inputs) => to.node("Softmax", inputs, { axis: -1 }),
    grad: ({ out, dOut }) => {
      const weighted = mul(dOut, out);
      return [sub(weighted, mul(out, sum(weighted, [out.shape.length - 1])))];
    },
    test: (n, m) => [{ inputs: [real([n, m])] }, { inputs: [real([2, n, m])] }],
  },
  /** Along the last dimension. dx = dy − softmax(x)·Σ dy */
  logSoftmax: {
    shape: ([x]) => x!,
    lower: (to, inputs) => to.node("LogSoftmax", inputs, { axis: -1 }),
    grad: ({ out, dOut }) => [sub(dOut, mul(exp(out), sum(dOut, [out.shape.length - 1])))],
    test: (n, m) => [{ inputs: [real([n, m])] }, { inputs: [real([2, n, m])] }],
  },

  /**
   * Layer normalisation over the last dimension (Ba et al. 2016): (x − mean)·inverse deviation·scale + shift. Outputs 1
   * and 2 are the mean and the inverse deviation of each row, which the gradient needs.
   */
  layerNorm: {
    shape: ([x, scale, shift]) => {
      const width = [x!.at(-1)!];
      if (!sameShape(scale!, width) || !sameShape(shift!, width))
        throw new Error(
          `layer norm of [${x}] needs scale and shift [${width}], not [${scale}] and [${shift}]`,
        );
      return x!;
    },
    lower: (to, inputs, { epsilon }, value) => {
      const attributes = { axis: -1, epsilon: to.float(epsilon ?? 1e-5) };
      if (value.graph.precision === "float32") {
        to.node("LayerNormalization", inputs, attributes, "", 3);
        return;
      }
      // The float64 kernel rounds its mean and deviation to float32, so they are computed beside it.
      to.node("LayerNormalization", inputs, attributes);
      const last = to.integers([-1]);
      to.nodeAs(to.output(1), "ReduceMean", [inputs[0]!, last]);
      const centred = to.temporary("Sub", [inputs[0]!, to.output(1)]);
      const variance = to.temporary("ReduceMean", [to.temporary("Mul", [centred, centred]), last]);
      const deviation = to.temporary("Sqrt", [to.temporary("Add", [variance, to.scalar(epsilon ?? 1e-5)])]);
      to.nodeAs(to.output(2), "Reciprocal", [deviation]);
    },
    grad: ({ inputs: [x, scale], out, dOut }) => {
      const last = x!.shape.length - 1;
      const perRow = x!.shape.map((dim, axis) => (axis === last ? 1 : dim));
      const mu = out.graph.auxiliary(out, 1, perRow);
      const inverse = out.graph.auxiliary(out, 2, perRow);
      const normal = mul(sub(x!, mu), inverse);
      const dNormal = mul(dOut, scale!);
      const along = mean(mul(dNormal, normal), [last]);
      const dX = mul(inverse, sub(sub(dNormal, mean(dNormal, [last])), mul(normal, along)));
      return [dX, mul(dOut, normal), dOut];
    },
    test: (n, m) => [{ inputs: [real([n, m + 2]), real([m + 2]), real([m + 2])] }],
  },

  /**
   * Root mean square normalisation over the last dimension (Zhang and Sennrich 2019), T5's: x·r·scale with
   * r = 1/√(mean x² + ε). dx = r·(dy·scale − n·mean(dy·scale·n)), n = x·r
   */
  rmsNorm: {
    shape: ([x, scale]) => {
      const width = [x!.at(-1)!];
      if (!sameShape(scale!, width))
        throw new Error(`RMS norm of [${x}] needs scale [${width}], not [${scale}]`);
      return x!;
    },
    lower: (to, inputs, { epsilon }) =>
      to.node("SimplifiedLayerNormalization", inputs, {
        axis: -1,
        epsilon: to.float(epsilon ?? 1e-6),
        stash_type: 1,
      }),
    grad: ({ inputs: [x, scale], attributes: { epsilon }, dOut }) => {
      const last = [x!.shape.length - 1];
      const size = sqrt(add(mean(mul(x!, x!), last), epsilon ?? 1e-6));
      const normal = div(x!, size);
      const dNormal = mul(dOut, scale!);
      const dX = div(sub(dNormal, mul(normal, mean(mul(dNormal, normal), last))), size);
      return [dX, mul(dOut, normal)];
    },
    test: (n, m) => [{ inputs: [real([n, m + 2]), real([m + 2])] }],
  },

  /** Rows of a matrix by id, ids may repeat: embeddings. The gradient stays a list of rows (see RowGradient). */
  embedding: {
    shape: ([weights, rows]) => [...rows!, weights![1]!],
    lower: (to, inputs) => to.node("Gather", inputs, { axis: 0 }),
    grad: ({ inputs: [weights, rows], dOut }) => {
      const count = times(...rows!.shape);
      return [{ ids: reshape(rows!, [count]), rows: reshape(dOut, [count, weights!.shape[1]!]) }, undefined];
    },
    test: (n, m) => [{ inputs: [real([n, m]), ids([3, 2], n)] }],
  },
  /** Rows of a matrix by id, each id at most once. */
  takeRows: {
    shape: ([x, rows]) => [rows![0]!, ...x!.slice(1)],
    lower: (to, inputs) => to.node("Gather", inputs, { axis: 0 }),
    grad: ({ inputs: [x, rows], dOut }) => [putRows(dOut, rows!, x!.shape), undefined],
    test: (n, m) => [{ inputs: [real([n + 2, m]), ids([n], n + 2, true)] }],
  },
  /** The inverse of takeRows: a matrix of shape `to`, zero but for the given rows. */
  putRows: {
    shape: (_inputs, { to }) => to!,
    lower: (to, [x, rows], attributes) => {
      const zeros = to.temporary("ConstantOfShape", [to.shape(attributes.to!)], { value: to.zero });
      // Safe without a reduction because no id repeats.
      to.node("ScatterND", [zeros, to.temporary("Unsqueeze", [rows!, to.integers([1])]), x!]);
    },
    grad: ({ inputs: [, rows], dOut }) => [takeRows(dOut, rows!), undefined],
    test: (n, m) => [{ inputs: [real([n, m]), ids([n], n + 2, true)], attributes: { to: [n + 2, m] } }],
  },
  /** One entry of each row: x [rows, n], ids [rows] → [rows]. */
  pick: {
    shape: ([x]) => [x![0]!],
    lower: (to, [x, columns]) => {
      const picked = to.temporary(
        "GatherElements",
        [x!, to.temporary("Unsqueeze", [columns!, to.integers([1])])],
        { axis: 1 },
      );
      to.node("Squeeze", [picked, to.integers([1])]);
    },
    grad: ({ inputs: [x, columns], dOut }) => [putEntries(dOut, columns!, x!.shape), undefined],
    test: (n, m) => [{ inputs: [real([n, m]), ids([n], m)] }],
  },
  /** The inverse of pick: a matrix of shape `to`, zero but for one entry of each row. */
  putEntries: {
    shape: (_inputs, { to }) => to!,
    lower: (to, [x, columns], attributes) => {
      const zeros = to.temporary("ConstantOfShape", [to.shape(attributes.to!)], { value: to.zero });
      const one = to.integers([1]);
      const at = to.temporary("Unsqueeze", [columns!, one]);
      to.node("ScatterElements", [zeros, at, to.temporary("Unsqueeze", [x!, one])], { axis: 1 });
    },
    grad: ({ inputs: [, columns], dOut }) => [pick(dOut, columns!), undefined],
    test: (n, m) => [{ inputs: [real([n]), ids([n], m)], attributes: { to: [n, m] } }],
  },
  /**
   * The block of `width` columns in which the running sum of a row of probabilities [rows, n] first exceeds a goal below
   * 1: [rows], counted from 0. The goal [rows, 2] is the sum of a pair, which holds more digits than one number. Output 1
   * is what is left of the goal where the block begins. Sums of blocks are added in float64; rounding aside, a block of
   * probability 0 is never found. For decoding: no gradient.
   */
  drawBlock: {
    type: () => "int64",
    shape: ([x]) => [x![0]!],
    lower: (to, [x, goal], { width }, value) => {
      const [rows, columns] = inputsOf(value)[0]!.shape;
      const blocks = Math.ceil(Number(columns) / width!);
      const missing = blocks * width! - Number(columns);
      const whole = missing === 0 ? x! : to.temporary("Pad", [x!, to.integers([0, 0, 0, missing])]);
      const split = to.temporary("Reshape", [whole, to.shape([rows!, blocks, width!])]);
      const along = to.integers([1]);
      const sums = to.temporary("ReduceSum", [split, to.integers([2])], { keepdims: 0 });
      const exact = to.temporary("Cast", [sums], { to: FLOAT64 });
      const running = to.temporary("CumSum", [exact, along]);
      const pair = to.temporary("Cast", [goal!], { to: FLOAT64 });
      const wanted = to.temporary("ReduceSum", [pair, along], { keepdims: 1 });
      const count = (condition: string) =>
        to.temporary("ReduceSum", [to.temporary("Cast", [condition], { to: INT64 }), along], { keepdims: 1 });
      const passed = count(to.temporary("LessOrEqual", [running, wanted]));
      // A running sum that falls short of the goal by rounding ends in the last block that adds something.
      const most = to.temporary("ReduceMax", [running, along], { keepdims: 1 });
      const last = count(to.temporary("Less", [running, most]));
      const block = to.temporary("Min", [passed, last]);
      to.node("Squeeze", [block, along]);
      const before = to.temporary("GatherElements", [to.temporary("Sub", [running, exact]), block], {
        axis: 1,
      });
      const rest = to.temporary("Squeeze", [to.temporary("Sub", [wanted, before]), along]);
      to.nodeAs(to.output(1), "Cast", [rest], { to: to.realType });
    },
    grad: () => [undefined, undefined],
    test: () => [],
  },
  /**
   * One block of `width` columns of each row: x [rows, n], block [rows] → [rows, width]. Past the end of a row its last
   * column is repeated. For decoding: no gradient.
   */
  takeBlock: {
    shape: ([x], { width }) => [x![0]!, width!],
    lower: (to, [x, block], { width }, value) => {
      const columns = Number(inputsOf(value)[0]!.shape[1]);
      const first = to.temporary("Mul", [block!, to.integers([width!])]);
      const column = to.temporary("Unsqueeze", [first, to.integers([1])]);
      const within = to.integers(Array.from({ length: width! }, (_, i) => i));
      const wanted = to.temporary("Add", [column, within]);
      const at = to.temporary("Min", [wanted, to.integers([columns - 1])]);
      to.node("GatherElements", [x!, at], { axis: 1 });
    },
    grad: () => [undefined, undefined],
    test: () => [],
  },

  /**
   * Log-probability of one class a row, with label smoothing ε as in torch.nn.CrossEntropyLoss:
   * (1 − ε)·log p[id] + ε·mean over classes of log p. logits [rows, vocab], ids [rows] → [rows]. Output 1 is log p
   * [rows, vocab]. One operation, because the gradient g·((1 − ε)·onehot + ε/vocab − p) needs far fewer passes over
   * [rows, vocab] than the operations it is made of.
   */
  logProb: {
    shape: ([logits]) => [logits![0]!],
    lower: (to, [logits, classes], { smoothing }) => {
      const all = to.output(1);
      to.nodeAs(all, "LogSoftmax", [logits!], { axis: -1 });
      const one = to.integers([1]);
      const at = to.temporary("Unsqueeze", [classes!, one]);
      const picked = to.temporary("GatherElements", [all, at], { axis: 1 });
      if (!smoothing) {
        to.node("Squeeze", [picked, one]);
        return;
      }
      const flat = to.temporary("Squeeze", [picked, one]);
      const mean = to.temporary("ReduceMean", [all, one], { keepdims: 0 });
      const sharp = to.temporary("Mul", [flat, to.scalar(1 - smoothing)]);
      to.node("Add", [sharp, to.temporary("Mul", [mean, to.scalar(smoothing)])]);
    },
    grad: ({ inputs: [logits, classes], out, attributes: { smoothing }, dOut }) => {
      const all = out.graph.auxiliary(out, 1, logits!.shape);
      return [dLogProb(all, classes!, dOut, smoothing ?? 0), undefined];
    },
    test: (n, m) => [
      { inputs: [real([n, m]), ids([n], m)] },
      { inputs: [real([n, m]), ids([n], m)], attributes: { smoothing: 0.1 } },
    ],
  },
  /** Gradient of logProb: from log p [rows, vocab], ids [rows] and dOut [rows]. */
  dLogProb: {
    shape: ([all]) => all!,
    lower: (to, [all, classes, dOut], { smoothing }, value) => {
      const epsilon = smoothing ?? 0;
      const one = to.integers([1]);
      const column = to.temporary("Unsqueeze", [dOut!, one]);
      const probability = to.temporary("Exp", [all!]);
      let spread = to.temporary("Mul", [probability, to.temporary("Neg", [column])]);
      if (epsilon > 0) {
        const vocabulary = Number(inputsOf(value)[0]!.shape[1]);
        const even = to.temporary("Mul", [column, to.scalar(epsilon / vocabulary)]);
        spread = to.temporary("Add", [spread, even]);
      }
      const at = to.temporary("Unsqueeze", [classes!, one]);
      const sharp = to.temporary("Mul", [column, to.scalar(1 - epsilon)]);
      // One entry a row: no index repeats, so the reduction is safe here.
      to.node("ScatterElements", [spread, at, sharp], { axis: 1, reduction: "add" });
    },
    grad: () => [undefined, undefined, undefined],
    test: () => [],
  },
} satisfies Record<string, Operation>;

/** Every operation by name. */
export const operations: Readonly<Record<OperationName, Operation>> = table;

function inputsOf(value: Value): readonly Value[] {
  return value.source.kind === "operation" ? value.source.inputs : [];
}

function lastTwo(shape: Shape, swapped: boolean | undefined): readonly [Dim, Dim] {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  return swapped ? [columns, rows] : [rows, columns];
}

function swapLast(rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return [...axes.slice(0, -2), rank - 1, rank - 2];
}

// What callers write: functions over values, numbers allowed where one value gives the graph.

function both(a: Value | number, b: Value | number): readonly [Value, Value] {
  const graph = typeof a === "number" ? (typeof b === "number" ? undefined : b.graph) : a.graph;
  if (!graph) throw new Error("an operation needs at least one value of a graph");
  return [typeof a === "number" ? graph.constant(a) : a, typeof b === "number" ? graph.constant(b) : b];
}

function record2(name: OperationName) {
  return (a: Value | number, b: Value | number): Value => {
    const [x, y] = both(a, b);
    return x.graph.operation(name, [x, y]);
  };
}

function record1(name: OperationName) {
  return (x: Value): Value => x.graph.operation(name, [x]);
}

export const add = record2("add");
export const sub = record2("sub");
export const mul = record2("mul");
export const div = record2("div");
export const minimum = record2("minimum");
export const maximum = record2("maximum");
export const neg = record1("neg");
export const exp = record1("exp");
export const log = record1("log");
export const sqrt = record1("sqrt");
export const tanh = record1("tanh");
export const sigmoid = record1("sigmoid");
export const softplus = record1("softplus");
export const relu = record1("relu");
export const abs = record1("abs");
export const silu = record1("silu");
export const gelu = record1("gelu");
export const geluTanh = record1("geluTanh");
export const erf = record1("erf");
export const positive = record1("positive");
export const sign = record1("sign");
export const stopGradient = record1("stopGradient");
export const softmax = record1("softmax");
export const logSoftmax = record1("logSoftmax");

/** Sum over `axes`, which stay as dimensions of 1. */
export function sum(x: Value, axes: readonly number[]): Value {
  return x.graph.operation("sum", [x], { axes });
}

/** Mean over `axes`, which stay as dimensions of 1. */
export function mean(x: Value, axes: readonly number[]): Value {
  return x.graph.operation("mean", [x], { axes });
}

/** Sum of all elements, as a scalar. */
export function total(x: Value): Value {
  if (x.shape.length === 0) return x;
  return reshape(sum(x, [...x.shape.keys()]), []);
}

export function expand(x: Value, to: Shape): Value {
  return sameShape(x.shape, to) ? x : x.graph.operation("expand", [x], { to });
}

/** The number of elements that `dim` stands for, as a scalar of `like`'s graph. */
export function sizeOf(like: Value, dim: Dim): Value {
  if (typeof dim === "number") return like.graph.constant(dim);
  return like.graph.operation("size", [], { to: [dim] });
}

export function reshape(x: Value, to: Shape): Value {
  return sameShape(x.shape, to) ? x : x.graph.operation("reshape", [x], { to });
}

export function transpose(x: Value, permutation: readonly number[]): Value {
  return x.graph.operation("transpose", [x], { permutation });
}

/** Largest entry along `axis`, which stays as a dimension of 1; no gradient. */
export function largest(x: Value, axis: number): Value {
  return x.graph.operation("largest", [x], { axis });
}

export function matmul(
  a: Value,
  b: Value,
  options: { transA?: boolean; transB?: boolean; alpha?: number } = {},
): Value {
  return a.graph.operation("matmul", [a, b], options);
}

export function layerNorm(x: Value, scale: Value, shift: Value, epsilon = 1e-5): Value {
  return x.graph.operation("layerNorm", [x, scale, shift], { epsilon });
}

export function rmsNorm(x: Value, scale: Value, epsilon = 1e-6): Value {
  return x.graph.operation("rmsNorm", [x, scale], { epsilon });
}

/** Rows of `weights` [n, width] by `rows` (any shape, ids may repeat): [...rows, width]. */
export function embedding(weights: Value, rows: Value): Value {
  return weights.graph.operation("embedding", [weights, rows]);
}

/** Rows of `x` by `rows` [k], each id at most once. */
export function takeRows(x: Value, rows: Value): Value {
  return x.graph.operation("takeRows", [x, rows]);
}

export function putRows(x: Value, rows: Value, to: Shape): Value {
  return x.graph.operation("putRows", [x, rows], { to });
}

/** Entry `columns[i]` of row i of `x` [rows, n]: [rows]. */
export function pick(x: Value, columns: Value): Value {
  return x.graph.operation("pick", [x, columns]);
}

export function putEntries(x: Value, columns: Value, to: Shape): Value {
  return x.graph.operation("putEntries", [x, columns], { to });
}

/** The block of `width` columns in which each row's running sum passes its goal, and what is left of the goal there. */
export function drawBlock(probabilities: Value, goal: Value, width: number): { block: Value; rest: Value } {
  const block = probabilities.graph.operation("drawBlock", [probabilities, goal], { width });
  return { block, rest: block.graph.auxiliary(block, 1, block.shape) };
}

/** Block `block[i]` of `width` columns of row i of `x` [rows, n]: [rows, width]. */
export function takeBlock(x: Value, block: Value, width: number): Value {
  return x.graph.operation("takeBlock", [x, block], { width });
}

/** Log-probability of class `classes[i]` under row i of `logits` [rows, vocab], smoothed: [rows]. */
export function logProb(logits: Value, classes: Value, smoothing = 0): Value {
  return logits.graph.operation("logProb", [logits, classes], { smoothing });
}

/** All log-probabilities [rows, vocab] that `logProb` computed on its way. */
export function allLogProbs(of: Value): Value {
  return of.graph.auxiliary(of, 1, inputsOf(of)[0]!.shape);
}

function dLogProb(all: Value, classes: Value, dOut: Value, smoothing: number): Value {
  return all.graph.operation("dLogProb", [all, classes, dOut], { smoothing });
}
