/** Updates of flat weight buffers: AdamW, global-norm clipping, moving average. No graph, no runtime: plain loops. */

/**
 * What AdamW carries from one update to the next. Plain data: copy `m`, `v` and `step` to save it, put them back to
 * go on with the same bits.
 */
export interface AdamWState {
  /** Updates done so far. */
  step: number;
  /** Running mean of the gradient, one number per parameter. */
  readonly m: Float32Array;
  /** Running mean of the squared gradient, one number per parameter. */
  readonly v: Float32Array;
}

/** Parameters `start` up to but not including `end`, and whether weight decay acts on them. */
export interface ParameterRange {
  readonly start: number;
  readonly end: number;
  /** False for biases and layer norms, by custom. */
  readonly decay: boolean;
}

export interface AdamWOptions {
  readonly learningRate: number;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Decoupled decay, times the learning rate. Default 0.01, PyTorch's. */
  readonly weightDecay?: number;
  /**
   * Multiplies every gradient as it is read. Clipping (`clipScale`) and the mean over accumulated gradients go in here,
   * which saves a pass over memory. Default 1.
   */
  readonly gradientScale?: number;
  /**
   * Ascending and not overlapping. Parameters in no range (padding, frozen weights) stay as they are.
   * Default: one range over everything, with decay.
   */
  readonly ranges?: readonly ParameterRange[];
}

/** A fresh state for `length` parameters. */
export function createAdamWState(length: number): AdamWState {
  return { step: 0, m: new Float32Array(length), v: new Float32Array(length) };
}

/**
 * One AdamW update of `parameters` in place (Loshchilov and Hutter 2019, Algorithm 2, with the decay times the learning
 * rate, as in `torch.optim.AdamW`). `gradients` is read only; `state.step` goes up by one.
 *
 * Arithmetic is in 64 bits, storage in 32: one rounding for each stored number.
 */
export function updateAdamW(
  parameters: Float32Array,
  gradients: Float32Array,
  state: AdamWState,
  options: AdamWOptions,
): void {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = options;
  const length = parameters.length;
  if (gradients.length !== length || state.m.length !== length || state.v.length !== length) {
    throw new RangeError(
      `AdamW buffers differ in length: parameters ${length}, gradients ${gradients.length}, m ${state.m.length}, v ${state.v.length}`,
    );
  }
  const ranges = options.ranges ?? [{ start: 0, end: length, decay: true }];
  checkRanges(ranges, length);

  state.step += 1;
  const rootCorrection2 = Math.sqrt(1 - beta2 ** state.step);
  const coefficients: Coefficients = {
    beta1,
    beta2,
    gradientScale: options.gradientScale ?? 1,
    // lr · m̂ / (√v̂ + ε) with both bias corrections taken out of the loop: numerator and denominator times √(1 − β₂ᵗ).
    stepSize: (learningRate * rootCorrection2) / (1 - beta1 ** state.step),
    epsilon: epsilon * rootCorrection2,
    keep: 1,
  };
  const decayed: Coefficients = { ...coefficients, keep: 1 - learningRate * weightDecay };
  for (const { start, end, decay } of ranges) {
    updateRange(parameters, gradients, state.m, state.v, start, end, decay ? decayed : coefficients);
  }
}

interface Coefficients {
  readonly beta1: number;
  readonly beta2: number;
  readonly gradientScale: number;
  readonly stepSize: number;
  readonly epsilon: number;
  /** What decay leaves of a weight. */
  readonly keep: number;
}

function updateRange(
  parameters: Float32Array,
  gradients: Float32Array,
  m: Float32Array,
  v: Float32Array,
  start: number,
  end: number,
  coefficients: Coefficients,
): void {
  const { beta1, beta2, gradientScale, stepSize, epsilon, keep } = coefficients;
  const rest1 = 1 - beta1;
  const rest2 = 1 - beta2;
  for (let i = start; i < end; i++) {
    const gradient = gradients[i]! * gradientScale;
    const mean = beta1 * m[i]! + rest1 * gradient;
    const square = beta2 * v[i]! + rest2 * gradient * gradient;
    m[i] = mean;
    v[i] = square;
    parameters[i] = parameters[i]! * keep - (stepSize * mean) / (Math.sqrt(square) + epsilon);
  }
}

function checkRanges(ranges: readonly ParameterRange[], length: number): void {
  let last = 0;
  for (const { start, end } of ranges) {
    if (!(start >= last && end >= start && end <= length)) {
      throw new RangeError(
        `Range ${start}..${end} must start at ${last} or later and end by ${length}, in ascending order`,
      );
    }
    last = end;
  }
}

/**
 * The Euclidean norm of all gradients together, summed in 64 bits. NaN or Infinity if a gradient is: check before
 * the update, which would otherwise destroy the weights.
 */
export function globalNorm(gradients: Float32Array): number {
  // Four sums: one alone would wait for each addition to end before the next.
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  const even = gradients.length - (gradients.length % 4);
  for (let i = 0; i < even; i += 4) {
    const a = gradients[i]!;
    const b = gradients[i + 1]!;
    const c = gradients[i + 2]!;
    const d = gradients[i + 3]!;
    sum0 += a * a;
    sum1 += b * b;
    sum2 += c * c;
    sum3 += d * d;
  }
  for (let i = even; i < gradients.length; i++) sum0 += gradients[i]! * gradients[i]!;
  return Math.sqrt(sum0 + sum1 + (sum2 + sum3));
}

/**
 * What gradients of norm `norm` are multiplied by so that their norm is at most `maxNorm`: 1 or less. The 1e-6 is
 * PyTorch's (`clip_grad_norm_`), so that a zero norm divides nothing by zero.
 */
export function clipScale(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + 1e-6));
}

/**
 * Moves `average` towards `parameters`: decay · average + (1 − decay) · parameters, in place. Start with a copy of
 * the parameters, as PyTorch's `AveragedModel` does.
 */
export function updateAverage(average: Float32Array, parameters: Float32Array, decay: number): void {
  if (average.length !== parameters.length) {
    throw new RangeError(`Average has ${average.length} numbers, parameters ${parameters.length}`);
  }
  const rest = 1 - decay;
  const length = parameters.length;
  for (let i = 0; i < length; i++) average[i] = decay * average[i]! + rest * parameters[i]!;
}
