/** Teaches a model of ratings: what it learns from is never scored by what has seen it. */

import { deriveKey, permutation } from "../../tensor/random.js";
import type { PreferredExample, RatedExample, RatedInput, Uses } from "./examples.js";
import { PLACES, Rarity } from "./hashed.js";
import {
  gramsOf,
  type Learners,
  predict,
  type RatingModel,
  SPARSE_VIEWS,
  type SparseView,
  textFeatures,
  usedFeatures,
} from "./model.js";
import { fitPreferences } from "./preferences.js";
import {
  fitRidge,
  fitSparseRidge,
  predictRidge,
  predictSparse,
  type Ridge,
  type SparseRow,
} from "./ridge.js";
import { type ExtraTexts, learnLexicon, learnTables, type Tables } from "./tables.js";
import { type BoostedTrees, growTrees, predictTrees, type Rows, type TreeOptions } from "./trees.js";

export interface FitOptions {
  uses: Uses;
  extra: ExtraTexts;
  seed: number;
  onNote?: (sentence: string) => void;
}

/** Parts that the training texts are cut into, each scored by what the others have taught. */
const FOLDS = 5;
const RIDGE_PENALTIES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const SPARSE_PENALTIES = [0.3, 1, 3, 10];
const TREE_DEPTHS = [2, 3, 4];
const TREE_SEEDS = 3;
const TREE_SHARES = [0, 0.2, 0.4, 0.5, 0.6, 0.8, 1];
const TREES: Omit<TreeOptions, "depth" | "seed"> = {
  trees: 1000,
  learningRate: 0.05,
  leafRows: 20,
  rowShare: 0.6,
  featureShare: 0.4,
  shrinkage: 5,
};

export interface Fitted {
  model: RatingModel;
  /** What was chosen on the development part. */
  chosen: { ridgePenalty: number; sparsePenalties: number[]; treeDepth: number; treeShare: number };
}

/** What a model is fitted to, whatever it may look at: counted once, for several models of the same texts. */
export interface Prepared {
  tables: Tables;
  sparse: SparseView[];
  sparsePenalties: number[];
  train: PreparedPart;
  dev: PreparedPart;
}

interface PreparedPart {
  examples: readonly RatedExample[];
  targets: number[];
  /** Features from the texts, the guesses last. */
  rows: number[][];
}

/** Counts in the texts of `train` and in `extra`, and computes the features of both parts. */
export function prepareRatings(
  train: readonly RatedExample[],
  dev: readonly RatedExample[],
  { extra, seed, onNote }: Omit<FitOptions, "uses">,
): Prepared {
  const scale = scaleOf(train);
  const targets = train.map(scale);
  const devTargets = dev.map(scale);
  onNote?.("Counting in the texts.");
  const tables = learnTables(train, extra);
  const folds = foldsOf(train, seed);
  const ownOf = Array.from({ length: FOLDS }, (_, fold) =>
    learnLexicon(train.filter((_, i) => folds[i] !== fold)),
  );
  const lexiconOf = (i: number) => ownOf[folds[i]!]!;

  onNote?.("Computing features.");
  const rows = train.map((one, i) => textFeatures(one, tables, { rated: true, own: lexiconOf(i) }));
  const devRows = dev.map((one) => textFeatures(one, tables));

  onNote?.("Guessing ratings from n-grams.");
  const sparse: SparseView[] = [];
  const sparsePenalties: number[] = [];
  for (const view of SPARSE_VIEWS) {
    const grams = train.map((one, i) => gramsOf(view, one, lexiconOf(i)));
    const rarity = Rarity.of(grams);
    const learned = fitView(
      grams.map((one) => rarity.row(one)),
      targets,
      folds,
      dev.map((one) => rarity.row(gramsOf(view, one, tables.lexicon))),
      devTargets,
    );
    sparse.push({ rarity, ridge: learned.ridge });
    sparsePenalties.push(learned.penalty);
    rows.forEach((row, i) => {
      row.push(learned.unseen[i]!);
    });
    devRows.forEach((row, i) => {
      row.push(learned.found[i]!);
    });
  }
  return {
    tables,
    sparse,
    sparsePenalties,
    train: { examples: train, targets, rows },
    dev: { examples: dev, targets: devTargets, rows: devRows },
  };
}

/** A regression on `rows`, its guesses for `devRows`, and for each of `rows` the guess of one that has not seen its fold. */
function fitView(
  rows: readonly SparseRow[],
  targets: readonly number[],
  folds: readonly number[],
  devRows: readonly SparseRow[],
  devTargets: readonly number[],
) {
  const best = least(
    SPARSE_PENALTIES.map((penalty) => {
      const ridge = fitSparseRidge(rows, targets, PLACES, penalty);
      const found = devRows.map((row) => predictSparse(ridge, row));
      return { penalty, ridge, found, error: squaredError(found, devTargets) };
    }),
  );
  const unseen = new Float64Array(rows.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const others = (_: unknown, i: number) => folds[i] !== fold;
    const ridge = fitSparseRidge(rows.filter(others), targets.filter(others), PLACES, best.penalty);
    rows.forEach((row, i) => {
      if (folds[i] === fold) unseen[i] = predictSparse(ridge, row);
    });
  }
  return { ...best, unseen };
}

/**
 * Fits a model that may look at `uses`. Penalties, depth, number of trees and the mixture are those of the least squared
 * error on the development part.
 */
export function fitRatings(
  prepared: Prepared,
  uses: Uses,
  { seed, onNote }: Pick<FitOptions, "seed" | "onNote">,
): Fitted {
  const { tables, sparse, sparsePenalties } = prepared;
  const partOf = ({ examples, targets, rows }: PreparedPart): Part => ({
    targets,
    rows: rows.map((row, i) => Float64Array.from([...row, ...usedFeatures(examples[i]!, uses)])),
  });
  const train = partOf(prepared.train);
  onNote?.(`Fitting ${train.rows[0]?.length ?? 0} features.`);
  const { learners, ...chosen } = fitLearners(train, partOf(prepared.dev), seed);
  return { model: { uses, tables, sparse, learners }, chosen: { sparsePenalties, ...chosen } };
}

interface Part {
  rows: Rows;
  targets: readonly number[];
}

function fitLearners(train: Part, dev: Part, seed: number) {
  const linear = least(
    RIDGE_PENALTIES.map((penalty) => {
      const ridge = fitRidge(train.rows, train.targets, penalty);
      const found = dev.rows.map((row) => predictRidge(ridge, row));
      return { penalty, ridge, found, error: squaredError(found, dev.targets) };
    }),
  );
  const grown = least(
    TREE_DEPTHS.map((depth) => {
      const trees = growTrees(train.rows, train.targets, { ...TREES, depth, seed }, dev);
      const found = dev.rows.map((row) => predictTrees(trees, row));
      return { depth, trees, error: squaredError(found, dev.targets) };
    }),
  );
  const trees: BoostedTrees[] = [grown.trees];
  for (let more = 1; more < TREE_SEEDS; more++)
    trees.push(
      growTrees(train.rows, train.targets, { ...TREES, depth: grown.depth, seed: seed + more }, dev),
    );
  const mixed = least(
    TREE_SHARES.map((treeShare) => {
      const learners: Learners = { ridge: linear.ridge, trees, treeShare };
      const found = dev.rows.map((row) => predict(learners, row));
      return { learners, error: squaredError(found, dev.targets) };
    }),
  );
  return {
    learners: mixed.learners,
    ridgePenalty: linear.penalty,
    treeDepth: grown.depth,
    treeShare: mixed.learners.treeShare,
  };
}

/** Teaches a linear model which of two translations is preferred; the penalty is the one that is right most often on `dev`. */
export function fitPreferred(
  train: readonly PreferredExample[],
  dev: readonly PreferredExample[],
  { uses, extra, seed, onNote }: FitOptions,
): { model: RatingModel; ridgePenalty: number } {
  const texts = (pairs: readonly PreferredExample[]) => pairs.flatMap(({ better, worse }) => [better, worse]);
  onNote?.("Counting in the texts.");
  const inputs = texts(train);
  const tables = learnTables(inputs, extra);
  const folds = foldsOf(inputs, seed);
  const ownOf = Array.from({ length: FOLDS }, (_, fold) =>
    learnLexicon(inputs.filter((_, i) => folds[i] !== fold)),
  );
  const rows = inputs.map((one, i) => [
    ...textFeatures(one, tables, { rated: true, own: ownOf[folds[i]!]! }),
    ...usedFeatures(one, uses),
  ]);
  const devRows = texts(dev).map((one) => [...textFeatures(one, tables), ...usedFeatures(one, uses)]);
  onNote?.(`Fitting ${rows[0]?.length ?? 0} features.`);
  const best = least(
    RIDGE_PENALTIES.map((penalty) => {
      const ridge: Ridge = fitPreferences(rows, penalty);
      const scores = devRows.map((one) => predictRidge(ridge, one));
      const lost = dev.reduce(
        (sum, _, i) => sum + Math.log1p(Math.exp(scores[2 * i + 1]! - scores[2 * i]!)),
        0,
      );
      return { penalty, ridge, error: lost };
    }),
  );
  const learners: Learners = { ridge: best.ridge, trees: [], treeShare: 0 };
  return { model: { uses, tables, sparse: [], learners }, ridgePenalty: best.penalty };
}

/** A fold of each text; texts of one source are in the same one. */
function foldsOf(inputs: readonly RatedInput[], seed: number): number[] {
  const sources = [...new Set(inputs.map(({ source }) => source))];
  const drawn = permutation(deriveKey(seed, 0x666f6c64), sources.length);
  const fold = new Map(sources.map((source, i) => [source, drawn[i]! % FOLDS]));
  return inputs.map(({ source }) => fold.get(source)!);
}

/** To mean 0 and deviation 1 over `train`: penalties then mean the same on every scale. */
function scaleOf(train: readonly RatedExample[]): (example: RatedExample) => number {
  const middle = train.reduce((sum, { score }) => sum + score, 0) / train.length;
  const variance = train.reduce((sum, { score }) => sum + (score - middle) ** 2, 0) / train.length;
  const deviation = variance === 0 ? 1 : Math.sqrt(variance);
  return ({ score }) => (score - middle) / deviation;
}

function least<One extends { error: number }>(tried: readonly One[]): One {
  return tried.reduce((best, one) => (one.error < best.error ? one : best));
}

function squaredError(found: ArrayLike<number>, targets: readonly number[]): number {
  return targets.reduce((sum, target, i) => sum + (found[i]! - target) ** 2, 0) / targets.length;
}
