/** Agreement between predicted and true quality: Pearson, Spearman, Kendall and the share of pairs in the right order. */

/** Pearson's r, −1 to 1; NaN when one side is constant or fewer than two values are given. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = checkLengths(x, y);
  // Rounding in the mean would give a constant side a tiny spread, and the result a meaningless number.
  if (isConstant(x) || isConstant(y)) return Number.NaN;
  const meanX = mean(x);
  const meanY = mean(y);
  let covariance = 0;
  let varianceX = 0;
  let varianceY = 0;
  for (let i = 0; i < n; i++) {
    const dx = x[i] - meanX;
    const dy = y[i] - meanY;
    covariance += dx * dy;
    varianceX += dx * dx;
    varianceY += dy * dy;
  }
  // Rounding may carry a perfect correlation past 1.
  return Math.max(-1, Math.min(1, covariance / Math.sqrt(varianceX * varianceY)));
}

/** Spearman's ρ: Pearson's r of the ranks, equal values sharing their mean rank. NaN as for Pearson. */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  checkLengths(x, y);
  return pearson(averageRanks(x), averageRanks(y));
}

/**
 * Kendall's τ-b, −1 to 1: concordant minus discordant pairs over √(pairs untied in x · pairs untied in y). NaN when one
 * side is constant. O(n log n): with the pairs sorted by x, discordant ones are the inversions of y (Knight 1966).
 */
export function kendall(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = checkLengths(x, y);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => x[a] - x[b] || y[a] - y[b]);
  const sortedX = Float64Array.from(order, (i) => x[i]);
  const sortedY = Float64Array.from(order, (i) => y[i]);
  const tiedX = tiedPairs(n, (i, j) => sortedX[i] === sortedX[j]);
  const tiedBoth = tiedPairs(n, (i, j) => sortedX[i] === sortedX[j] && sortedY[i] === sortedY[j]);
  const discordant = sortCountingInversions(sortedY); // ties in x are in y's order: no inversion among them
  const tiedY = tiedPairs(n, (i, j) => sortedY[i] === sortedY[j]);
  const pairs = (n * (n - 1)) / 2;
  const concordantMinusDiscordant = pairs - tiedX - tiedY + tiedBoth - 2 * discordant;
  // Two roots, because the product of two numbers of pairs may lose digits; rounding may carry the result past 1.
  const tau = concordantMinusDiscordant / Math.sqrt(pairs - tiedX) / Math.sqrt(pairs - tiedY);
  return Math.max(-1, Math.min(1, tau));
}

/**
 * Share of pairs within a group that the prediction puts in the target's order. A pair with equal targets is skipped;
 * one with equal predictions counts half, so that a constant prediction is right half the time.
 * @param groups one label a value; pairs are only formed between equal labels
 * @returns accuracy in [0, 1], NaN without pairs, and how many pairs counted
 */
export function pairwiseAccuracy(
  predictions: ArrayLike<number>,
  targets: ArrayLike<number>,
  groups: ArrayLike<number | string>,
): { accuracy: number; pairs: number } {
  checkLengths(predictions, targets);
  if (groups.length !== targets.length)
    throw new RangeError(`${groups.length} group labels for ${targets.length} values`);
  const members = new Map<number | string, number[]>();
  for (let i = 0; i < groups.length; i++) {
    const group = members.get(groups[i]);
    if (group) group.push(i);
    else members.set(groups[i], [i]);
  }
  let right = 0;
  let pairs = 0;
  for (const group of members.values()) {
    for (let a = 0; a < group.length; a++) {
      for (let b = 0; b < a; b++) {
        const target = Math.sign(targets[group[a]] - targets[group[b]]);
        if (target === 0) continue;
        const prediction = Math.sign(predictions[group[a]] - predictions[group[b]]);
        pairs++;
        right += prediction === target ? 1 : prediction === 0 ? 0.5 : 0;
      }
    }
  }
  return { accuracy: right / pairs, pairs };
}

/** Ranks from 1; equal values share the mean of theirs. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    const rank = (start + 1 + end) / 2;
    while (start < end) ranks[order[start++]] = rank;
  }
  return ranks;
}

function checkLengths(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) throw new RangeError(`${x.length} values against ${y.length}`);
  return x.length;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** Pairs within runs of neighbours that `tied` calls equal. */
function tiedPairs(n: number, tied: (i: number, j: number) => boolean): number {
  let pairs = 0;
  let run = 1;
  for (let i = 1; i < n; i++) {
    run = tied(i - 1, i) ? run + 1 : 1;
    pairs += run - 1;
  }
  return pairs;
}

/** Sorts `values` in place by merging and returns how many pairs stood in the wrong order. */
function sortCountingInversions(values: Float64Array): number {
  const n = values.length;
  const merged = new Float64Array(n);
  let inversions = 0;
  for (let width = 1; width < n; width *= 2) {
    for (let low = 0; low < n; low += 2 * width) {
      const middle = Math.min(low + width, n);
      const high = Math.min(low + 2 * width, n);
      let left = low;
      let right = middle;
      for (let out = low; out < high; out++) {
        if (left < middle && (right >= high || values[left] <= values[right])) merged[out] = values[left++];
        else {
          inversions += middle - left; // it passes all that is left of the lower half
          merged[out] = values[right++];
        }
      }
    }
    values.set(merged);
  }
  return inversions;
}
