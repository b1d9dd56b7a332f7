/** Linear regression with a penalty on the squares of the weights, for a few dense features and for very many sparse ones. */

import type { Rows } from "./trees.js";

/** Prediction: intercept + Σ weight · (value − centre) / scale. */
export interface Ridge {
  centres: number[];
  scales: number[];
  weights: number[];
  intercept: number;
}

/**
 * Minimises Σ (target − prediction)² + penalty · rows · Σ weight² over standardised features; constant ones get weight 0.
 * Solved exactly (Cholesky).
 */
export function fitRidge(rows: Rows, targets: ArrayLike<number>, penalty: number): Ridge {
  const { centres, scales } = standardisation(rows);
  const intercept = mean(targets);
  const width = centres.length;
  const standard = rows.map((row) => standardise(row, centres, scales));
  const gram = Array.from({ length: width }, () => new Float64Array(width));
  const right = new Float64Array(width);
  standard.forEach((row, i) => {
    for (let a = 0; a < width; a++) {
      right[a]! += row[a]! * (targets[i]! - intercept);
      for (let b = 0; b <= a; b++) gram[a]![b]! += row[a]! * row[b]!;
    }
  });
  for (let a = 0; a < width; a++) gram[a]![a]! += Math.max(penalty * rows.length, 1e-9);
  return { centres, scales, weights: [...solve(gram, right)], intercept };
}

export function predictRidge({ centres, scales, weights, intercept }: Ridge, row: ArrayLike<number>): number {
  let sum = intercept;
  for (let a = 0; a < weights.length; a++) sum += weights[a]! * ((row[a]! - centres[a]!) / scales[a]!);
  return sum;
}

/** Mean and standard deviation of each feature; 1 for the deviation of a constant one. */
export function standardisation(rows: Rows): { centres: number[]; scales: number[] } {
  const width = rows[0]?.length ?? 0;
  const centres = new Array<number>(width).fill(0);
  for (const row of rows) for (let a = 0; a < width; a++) centres[a]! += row[a]! / rows.length;
  const scales = new Array<number>(width).fill(0);
  for (const row of rows)
    for (let a = 0; a < width; a++) scales[a]! += (row[a]! - centres[a]!) ** 2 / rows.length;
  return {
    centres,
    scales: scales.map((square, a) => (square > 1e-18 * (1 + centres[a]! ** 2) ? Math.sqrt(square) : 1)),
  };
}

export function standardise(
  row: ArrayLike<number>,
  centres: readonly number[],
  scales: readonly number[],
): Float64Array {
  return Float64Array.from(centres, (centre, a) => (row[a]! - centre) / scales[a]!);
}

/** x of A x = b, A symmetric and positive definite, its lower half given (and overwritten). */
export function solve(lower: readonly Float64Array[], right: Float64Array): Float64Array {
  const n = right.length;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = lower[i]![j]!;
      for (let k = 0; k < j; k++) sum -= lower[i]![k]! * lower[j]![k]!;
      lower[i]![j] = i === j ? Math.sqrt(sum) : sum / lower[j]![j]!;
    }
  const x = right.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i]![k]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= lower[k]![i]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  return x;
}

/** The places of a sparse row and what stands there. */
export interface SparseRow {
  places: Int32Array;
  values: Float64Array;
}

export interface SparseRidge {
  weights: Float32Array;
  intercept: number;
}

/** Steps of conjugate gradients: with rows of length 1 and usual penalties the error is gone by then. */
const STEPS = 40;

/** Minimises Σ (target − prediction)² + penalty · Σ weight² by conjugate gradients from zero. `width`: number of places. */
export function fitSparseRidge(
  rows: readonly SparseRow[],
  targets: ArrayLike<number>,
  width: number,
  penalty: number,
): SparseRidge {
  const intercept = mean(targets);
  const x = new Float64Array(width);
  const residual = new Float64Array(width);
  rows.forEach(({ places, values }, i) => {
    for (let k = 0; k < places.length; k++) residual[places[k]!]! += values[k]! * (targets[i]! - intercept);
  });
  const direction = residual.slice();
  let squared = dot(residual, residual);
  const enough = squared * 1e-12;
  for (let step = 0; step < STEPS && squared > enough; step++) {
    const image = new Float64Array(width);
    for (let k = 0; k < width; k++) image[k] = penalty * direction[k]!;
    for (const row of rows) {
      const along = sparseDot(row, direction);
      for (let k = 0; k < row.places.length; k++) image[row.places[k]!]! += row.values[k]! * along;
    }
    const size = squared / dot(direction, image);
    for (let k = 0; k < width; k++) {
      x[k]! += size * direction[k]!;
      residual[k]! -= size * image[k]!;
    }
    const next = dot(residual, residual);
    for (let k = 0; k < width; k++) direction[k] = residual[k]! + (next / squared) * direction[k]!;
    squared = next;
  }
  return { weights: Float32Array.from(x), intercept };
}

export function predictSparse({ weights, intercept }: SparseRidge, row: SparseRow): number {
  return intercept + sparseDot(row, weights);
}

function sparseDot({ places, values }: SparseRow, dense: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < places.length; k++) sum += values[k]! * dense[places[k]!]!;
  return sum;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
