/** A model of people's ratings: features of a translation, and what trees and linear regression make of them. */

import { z } from "zod";
import { bleuScorer } from "../../evaluate/bleu.js";
import { chrfScorer } from "../../evaluate/chrf.js";
import type { RatedInput, Uses } from "./examples.js";
import { PLACES, Rarity, textGrams } from "./hashed.js";
import { predictRidge, predictSparse, type Ridge, type SparseRidge } from "./ridge.js";
import { SURFACE_FEATURES, surfaceFeatures } from "./surface.js";
import {
  alignedWords,
  loadTables,
  storeTables,
  type Tables,
  tableFeatureNames,
  tableFeatures,
} from "./tables.js";
import { type BoostedTrees, predictTrees } from "./trees.js";
import { charactersOf, wordsOf } from "./words.js";

/** What the sparse regressions look at: each guesses the rating from one kind of n-grams, and the guess is a feature. */
export const SPARSE_VIEWS = ["source", "candidate", "aligned words"] as const;

export interface SparseView {
  rarity: Rarity;
  ridge: SparseRidge;
}

/** Regressions over the dense features; their weighted mean is the raw score. */
export interface Learners {
  ridge: Ridge;
  /** Several of different seeds, averaged; none: the linear one alone. */
  trees: BoostedTrees[];
  /** Weight of the trees, 0 to 1. */
  treeShare: number;
}

export interface RatingModel {
  uses: Uses;
  tables: Tables;
  /** One for each of `SPARSE_VIEWS`; none in a model of preferences. */
  sparse: SparseView[];
  learners: Learners;
}

/** The names of all features in their order. */
export function featureNames({ uses, tables, sparse }: Omit<RatingModel, "learners">): string[] {
  return [
    ...SURFACE_FEATURES,
    ...tableFeatureNames(tables),
    ...sparse.map((_, view) => `rating guessed from the n-grams of ${SPARSE_VIEWS[view]}`),
    ...uses.given.flatMap((name) => [name, `${name} times candidate words`]),
    ...(uses.reference ? ["chrF", "chrF++", "BLEU"] : []),
  ];
}

/** Features of the two texts and the counts. `seen`: see `tableFeatures`. */
export function textFeatures(
  input: RatedInput,
  tables: Tables,
  seen?: Parameters<typeof tableFeatures>[2],
): number[] {
  return [...surfaceFeatures(input.source, input.candidate), ...tableFeatures(input, tables, seen)];
}

/** Features of what stands beside the two texts; `input` must have all that `uses` names. */
export function usedFeatures(input: RatedInput, uses: Uses): number[] {
  const words = wordsOf(input.candidate).length;
  return [
    ...uses.given.flatMap((name) => {
      const value = input.given![name]!;
      return [value, value * words];
    }),
    ...(uses.reference ? referenceFeatures(input.candidate, input.reference!) : []),
  ];
}

function referenceFeatures(candidate: string, reference: string): number[] {
  return [
    chrfScorer(reference).score(candidate),
    chrfScorer(reference, { wordOrder: 2 }).score(candidate),
    bleuScorer(reference).score(candidate),
  ];
}

/** The n-grams of one of `SPARSE_VIEWS`. */
export function gramsOf(
  view: (typeof SPARSE_VIEWS)[number],
  { source, candidate }: RatedInput,
  lexicon: Tables["lexicon"],
): string[] {
  switch (view) {
    case "source":
      return [...textGrams(wordsOf(source), charactersOf(source))];
    case "candidate":
      return [...textGrams(wordsOf(candidate), charactersOf(candidate))];
    case "aligned words":
      return alignedWords(lexicon, wordsOf(source), wordsOf(candidate));
  }
}

/** The raw score of a translation that was not among those it was taught with: any number, higher is better. */
export function rawScore({ uses, tables, sparse, learners }: RatingModel, input: RatedInput): number {
  const guesses = sparse.map(({ rarity, ridge }, view) =>
    predictSparse(ridge, rarity.row(gramsOf(SPARSE_VIEWS[view]!, input, tables.lexicon))),
  );
  return predict(learners, [...textFeatures(input, tables), ...guesses, ...usedFeatures(input, uses)]);
}

export function predict({ ridge, trees, treeShare }: Learners, row: ArrayLike<number>): number {
  const linear = predictRidge(ridge, row);
  return trees.length === 0
    ? linear
    : (1 - treeShare) * linear + treeShare * mean(trees.map((one) => predictTrees(one, row)));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const numbers = z.array(z.number());
const count = z.int().nonnegative();
const ngrams = z.object({ order: z.int().positive(), counts: z.array(z.tuple([z.string(), z.int()])) });
const side = z.object({ words: ngrams, characters: ngrams });
const rows = z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), z.number()]))]));
const lexicon = z.object({ forward: rows, backward: rows });

/** As it is written to a file: JSON and nothing else. */
export const storedModel = z.object({
  uses: z.object({ given: z.array(z.string()), reference: z.boolean() }),
  tables: z.object({
    source: side,
    target: side,
    lexicon,
    extraSource: side.exactOptional(),
    extraTarget: side.exactOptional(),
    extraLexicon: lexicon.exactOptional(),
  }),
  /** Weights as base64 of 32-bit numbers, little-endian. */
  sparse: z.array(z.object({ rarity: weightsOf(), weights: weightsOf(), intercept: z.number() })),
  learners: z.object({
    ridge: z.object({ centres: numbers, scales: numbers, weights: numbers, intercept: z.number() }),
    trees: z.array(
      z.object({
        base: z.number(),
        trees: z.array(
          z
            .object({ feature: z.array(count), cut: numbers, left: z.array(count), value: numbers })
            .refine(isTree, { error: "is not a tree" }),
        ),
      }),
    ),
    treeShare: z.number(),
  }),
});
type StoredModel = z.output<typeof storedModel>;

/** Whether every question leads further down to one that is there: else asking would not end. */
function isTree({ feature, cut, left, value }: BoostedTrees["trees"][number]): boolean {
  const nodes = left.length;
  return (
    nodes > 0 &&
    [feature, cut, value].every((of) => of.length === nodes) &&
    left.every((child, node) => child === 0 || (child > node && child + 1 < nodes))
  );
}

function weightsOf() {
  const characters = 4 * Math.ceil((4 * PLACES) / 3);
  return z.string().length(characters);
}

export function storeModel({ uses, tables, sparse, learners }: RatingModel): StoredModel {
  return {
    uses,
    tables: storeTables(tables),
    sparse: sparse.map(({ rarity, ridge }) => ({
      rarity: toBase64(rarity.weights),
      weights: toBase64(ridge.weights),
      intercept: ridge.intercept,
    })),
    learners,
  };
}

export function loadModel({ uses, tables, sparse, learners }: StoredModel): RatingModel {
  return {
    uses,
    tables: loadTables(tables),
    sparse: sparse.map(({ rarity, weights, intercept }) => ({
      rarity: new Rarity(fromBase64(rarity)),
      ridge: { weights: fromBase64(weights), intercept },
    })),
    learners,
  };
}

function toBase64(values: Float32Array): string {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    bytes.writeFloatLE(value, i * 4);
  });
  return bytes.toString("base64");
}

function fromBase64(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: PLACES }, (_, i) => bytes.readFloatLE(i * 4));
}
