/** Bradley and Terry's model (1952) with a linear score: which of two is preferred. */

import { type Ridge, solve, standardisation, standardise } from "./ridge.js";
import type { Rows } from "./trees.js";

/** Newton's steps at most; it ends earlier where nothing moves any more. */
const STEPS = 50;

/**
 * Minimises Σ log(1 + exp(score(worse) − score(better))) + penalty · pairs / 2 · Σ weight², the chance that `better` is
 * preferred being σ(score(better) − score(worse)).
 * @param rows `better` and `worse` of each pair, in turn
 */
export function fitPreferences(rows: Rows, penalty: number): Ridge {
  const { centres, scales } = standardisation(rows);
  const width = centres.length;
  const pairs = rows.length / 2;
  const differences = Array.from({ length: pairs }, (_, i) => {
    const better = standardise(rows[2 * i]!, centres, scales);
    const worse = standardise(rows[2 * i + 1]!, centres, scales);
    return better.map((value, a) => value - worse[a]!);
  });
  const strength = Math.max(penalty * pairs, 1e-6);
  const weights = new Float64Array(width);
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map((weight) => -strength * weight);
    const curvature = Array.from({ length: width }, (_, a) => {
      const row = new Float64Array(width);
      row[a] = strength;
      return row;
    });
    for (const difference of differences) {
      let score = 0;
      for (let a = 0; a < width; a++) score += weights[a]! * difference[a]!;
      const wrong = 1 / (1 + Math.exp(score));
      for (let a = 0; a < width; a++) {
        gradient[a]! += wrong * difference[a]!;
        const bend = wrong * (1 - wrong) * difference[a]!;
        for (let b = 0; b <= a; b++) curvature[a]![b]! += bend * difference[b]!;
      }
    }
    const change = solve(curvature, gradient);
    let most = 0;
    for (let a = 0; a < width; a++) {
      weights[a]! += change[a]!;
      most = Math.max(most, Math.abs(change[a]!));
    }
    if (most < 1e-9) break;
  }
  return { centres, scales, weights: [...weights], intercept: 0 };
}
