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
  const { places: used, rows: packed } = pack(rows, width);
  const intercept = mean(targets);
  const x = new Float64Array(used.length);
  const residual = new Float64Array(used.length);
  packed.forEach(({ places, values }, i) => {
    for (let k = 0; k < places.length; k++) residual[places[k]!]! += values[k]! * (targets[i]! - intercept);
  });
  const direction = residual.slice();
  let squared = dot(residual, residual);
  const enough = squared * 1e-12;
  for (let step = 0; step < STEPS && squared > enough; step++) {
    const image = new Float64Array(used.length);
    for (let k = 0; k < image.length; k++) image[k] = penalty * direction[k]!;
    for (const row of packed) {
      const along = sparseDot(row, direction);
      for (let k = 0; k < row.places.length; k++) image[row.places[k]!]! += row.values[k]! * along;
    }
    const size = squared / dot(direction, image);
    for (let k = 0; k < x.length; k++) {
      x[k]! += size * direction[k]!;
      residual[k]! -= size * image[k]!;
    }
    const next = dot(residual, residual);
    for (let k = 0; k < direction.length; k++) direction[k] = residual[k]! + (next / squared) * direction[k]!;
    squared = next;
  }
  const weights = new Float32Array(width);
  used.forEach((place, k) => {
    weights[place] = x[k]!;
  });
  return { weights, intercept };
}

/** The places that occur, rising, and the rows with places numbered among those: the others keep weight 0. */
function pack(rows: readonly SparseRow[], width: number): { places: Int32Array; rows: SparseRow[] } {
  const number = new Int32Array(width);
  for (const row of rows) for (const place of row.places) number[place] = 1;
  const places = Int32Array.from(
    (function* () {
      for (let place = 0; place < width; place++) if (number[place] === 1) yield place;
    })(),
  );
  places.forEach((place, k) => {
    number[place] = k;
  });
  return {
    places,
    rows: rows.map((row) => ({ places: row.places.map((place) => number[place]!), values: row.values })),
  };
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
