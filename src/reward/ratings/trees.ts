/** Gradient-boosted regression trees for squared error (Friedman 2001), over features cut into bins. */

import { deriveKey, permutation } from "../../tensor/random.js";

export interface TreeOptions {
  /** Trees at most; fewer where validation stops improving. */
  trees: number;
  /** Questions from the root to a leaf, at most. */
  depth: number;
  /** Share of a tree's own prediction that is added. */
  learningRate: number;
  /** Rows a leaf holds at least. */
  leafRows: number;
  /** Share of the rows, and of the features, that each tree is grown from. */
  rowShare: number;
  featureShare: number;
  /** Added to a leaf's number of rows: pulls small leaves towards 0. */
  shrinkage: number;
  seed: number;
}

/** Trees without a better validation error after which growing ends. */
const PATIENCE = 40;
/** Bins of a feature at most. */
const BINS = 64;

/** A node a place: rows with `value ≤ cut` go to `left`, the others to `left + 1`; `left` 0 marks a leaf. */
export interface Tree {
  feature: number[];
  cut: number[];
  left: number[];
  value: number[];
}

export interface BoostedTrees {
  base: number;
  trees: Tree[];
}

/** A row of numbers a text; all of one length. */
export type Rows = readonly ArrayLike<number>[];

/**
 * Fits `targets`. With `validation` the number of trees is the one with the least squared error there. The same inputs
 * and seed give the same trees.
 */
export function growTrees(
  rows: Rows,
  targets: ArrayLike<number>,
  options: TreeOptions,
  validation?: { rows: Rows; targets: ArrayLike<number> },
): BoostedTrees {
  const width = rows[0]?.length ?? 0;
  const cuts = Array.from({ length: width }, (_, feature) => cutsOf(rows.map((row) => row[feature]!)));
  const bins = cuts.map((points, feature) => Uint8Array.from(rows, (row) => binOf(points, row[feature]!)));
  const base = mean(targets);
  const residuals = Float64Array.from(targets, (target) => target - base);
  const predicted = new Float64Array(validation?.rows.length ?? 0).fill(base);
  const trees: Tree[] = [];
  let best = { trees: 0, error: validation ? squaredError(predicted, validation.targets) : 0 };
  for (let index = 0; index < options.trees; index++) {
    const tree = growTree(bins, cuts, residuals, options, index);
    trees.push(tree);
    rows.forEach((row, i) => {
      residuals[i]! -= ask(tree, row);
    });
    if (!validation) continue;
    validation.rows.forEach((row, i) => {
      predicted[i]! += ask(tree, row);
    });
    const error = squaredError(predicted, validation.targets);
    if (error < best.error) best = { trees: trees.length, error };
    else if (trees.length - best.trees >= PATIENCE) break;
  }
  return { base, trees: validation ? trees.slice(0, best.trees) : trees };
}

export function predictTrees({ base, trees }: BoostedTrees, row: ArrayLike<number>): number {
  return trees.reduce((sum, tree) => sum + ask(tree, row), base);
}

function ask({ feature, cut, left, value }: Tree, row: ArrayLike<number>): number {
  let node = 0;
  while (left[node] !== 0) node = left[node]! + (row[feature[node]!]! <= cut[node]! ? 0 : 1);
  return value[node]!;
}

function growTree(
  bins: readonly Uint8Array[],
  cuts: readonly Float64Array[],
  residuals: Float64Array,
  { depth, learningRate, leafRows, rowShare, featureShare, shrinkage, seed }: TreeOptions,
  index: number,
): Tree {
  const share = (n: number, part: number) => Math.max(1, Math.round(n * part));
  const drawn = permutation(deriveKey(seed, 0x726f7773, index), residuals.length).subarray(
    0,
    share(residuals.length, rowShare),
  );
  const features = permutation(deriveKey(seed, 0x66656174, index), bins.length)
    .subarray(0, share(bins.length, featureShare))
    .sort();
  const tree: Tree = { feature: [0], cut: [0], left: [0], value: [0] };
  const grow = (node: number, rows: Uint32Array, level: number): void => {
    let sum = 0;
    for (const row of rows) sum += residuals[row]!;
    tree.value[node] = (learningRate * sum) / (rows.length + shrinkage);
    if (level >= depth || rows.length < 2 * leafRows) return;
    const split = bestSplit(rows, sum);
    if (!split) return;
    const column = bins[split.feature]!;
    const below = rows.filter((row) => column[row]! <= split.bin);
    const above = rows.filter((row) => column[row]! > split.bin);
    const left = tree.left.length;
    tree.feature[node] = split.feature;
    tree.cut[node] = cuts[split.feature]![split.bin]!;
    tree.left[node] = left;
    for (let child = left; child <= left + 1; child++) {
      tree.feature[child] = 0;
      tree.cut[child] = 0;
      tree.left[child] = 0;
      tree.value[child] = 0;
    }
    grow(left, below, level + 1);
    grow(left + 1, above, level + 1);
  };

  /** The question that lowers the squared error most. */
  function bestSplit(rows: Uint32Array, sum: number): { feature: number; bin: number } | undefined {
    const score = (part: number, n: number) => (part * part) / (n + shrinkage);
    let best: { feature: number; bin: number } | undefined;
    let most = score(sum, rows.length) + 1e-12;
    const sums = new Float64Array(BINS + 1);
    const counts = new Uint32Array(BINS + 1);
    for (const feature of features) {
      const column = bins[feature]!;
      sums.fill(0);
      counts.fill(0);
      for (const row of rows) {
        sums[column[row]!]! += residuals[row]!;
        counts[column[row]!]!++;
      }
      let below = 0;
      let n = 0;
      for (let bin = 0; bin < cuts[feature]!.length; bin++) {
        below += sums[bin]!;
        n += counts[bin]!;
        if (n < leafRows || rows.length - n < leafRows) continue;
        const found = score(below, n) + score(sum - below, rows.length - n);
        if (found > most) {
          most = found;
          best = { feature, bin };
        }
      }
    }
    return best;
  }

  grow(0, drawn.slice(), 0);
  return tree;
}

/** Values between which a feature may be cut: at its quantiles, each halfway between two neighbours that occur. */
function cutsOf(values: readonly number[]): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const cuts: number[] = [];
  for (let bin = 1; bin < BINS; bin++) {
    const at = Math.floor((bin * sorted.length) / BINS);
    const value = sorted[at]!;
    let below = at;
    while (below >= 0 && sorted[below] === value) below--;
    if (below < 0) continue;
    const cut = (sorted[below]! + value) / 2;
    if (cuts.length === 0 || cut > cuts[cuts.length - 1]!) cuts.push(cut);
  }
  return Float64Array.from(cuts);
}

function binOf(cuts: Float64Array, value: number): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= cuts[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

function squaredError(predicted: Float64Array, targets: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < predicted.length; i++) sum += (predicted[i]! - targets[i]!) ** 2;
  return sum / predicted.length;
}
