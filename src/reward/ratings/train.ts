/** Makes a reward of people's ratings: teaches, calibrates, measures on the development part and writes a folder. */

import { UserError } from "../../errors.js";
import { writeFolderAtomic } from "../../store/atomic.js";
import { deriveKey, permutation } from "../../tensor/random.js";
import { type Calibration, fitCalibration, fitIsotonic } from "../calibration.js";
import type { PreferredExample, RatedExample, RatedInput, Uses } from "./examples.js";
import { type RatingFacts, saveFacts, saveModel } from "./files.js";
import { fitPreferred, fitRatings, prepareRatings } from "./fit.js";
import { type Figures, figuresOf } from "./measure.js";
import { featureNames, type RatingModel, rawScore } from "./model.js";
import type { ExtraTexts } from "./tables.js";

/** The parts of a corpus of ratings; what is for the final test is never handed over here. */
export interface Parts<Example> {
  train: readonly Example[];
  dev: readonly Example[];
}

export interface TrainRatingOptions {
  folder: string;
  uses: Uses;
  extra: ExtraTexts;
  seed: number;
  onNote?: (sentence: string) => void;
}

/** Fewer texts teach nothing that holds for others. */
const LEAST_TRAIN = 50;
const LEAST_DEV = 20;

/** Teaches, writes `folder` whole and returns what its `reward.json` says. The same input gives the same bytes. */
export async function trainRatingReward(
  { train, dev }: Parts<RatedExample>,
  options: TrainRatingOptions,
): Promise<RatingFacts> {
  checkSize(train.length, dev.length);
  for (const one of [...train, ...dev]) checkInput(one, options.uses);
  const { model, chosen } = fitRatings(prepareRatings(train, dev, options), options.uses, options);
  const scores = dev.map((one) => rawScore(model, one));
  return write(model, chosen, {
    options,
    calibration: calibrationOf(train, dev, scores),
    texts: { train: train.length, dev: dev.length },
    figures: figuresOf(judgedBy(dev, scores), options.seed),
    preferred: null,
  });
}

/** The same of preferences; the reward of a text is then the share of the development part's texts that score lower. */
export async function trainPreferenceReward(
  { train, dev }: Parts<PreferredExample>,
  options: TrainRatingOptions,
): Promise<RatingFacts> {
  checkSize(train.length, dev.length);
  for (const { better, worse } of [...train, ...dev])
    for (const one of [better, worse]) checkInput(one, options.uses);
  const { model, ridgePenalty } = fitPreferred(train, dev, options);
  return write(
    model,
    { ridgePenalty },
    {
      options,
      calibration: fitCalibration(
        dev.flatMap(({ better, worse }) => [rawScore(model, better), rawScore(model, worse)]),
      ),
      texts: { train: train.length, dev: dev.length },
      figures: null,
      preferred: preferredShare(model, dev),
    },
  );
}

/** Share of pairs whose better text scores higher; ties count half. */
export function preferredShare(model: RatingModel, pairs: readonly PreferredExample[]): number {
  const right = pairs.reduce((sum, { better, worse }) => {
    const difference = rawScore(model, better) - rawScore(model, worse);
    return sum + (difference > 0 ? 1 : difference === 0 ? 0.5 : 0);
  }, 0);
  return right / pairs.length;
}

/** What people and `predicted` say of the same texts. */
export function judgedBy(examples: readonly RatedExample[], predicted: readonly number[]) {
  return {
    predicted,
    scores: examples.map(({ score }) => score),
    systems: examples.map(({ system }) => system),
    items: examples.map(({ item }) => item),
  };
}

/**
 * The parts of texts that name none: a tenth of the sources for development, a tenth for the test, drawn by the seed. Texts
 * that name them keep theirs; where they name no development part, a tenth of the training sources is taken.
 */
export function splitParts<One extends { split?: "train" | "dev" | "test" }>(
  all: readonly One[],
  sourceOf: (one: One) => string,
  seed: number,
): Record<"train" | "dev" | "test", One[]> {
  const named = all.some(({ split }) => split !== undefined);
  const hasDev = all.some(({ split }) => split === "dev");
  const drawn = all.filter(({ split }) => !named || (split === "train" && !hasDev));
  const sources = [...new Set(drawn.map(sourceOf))];
  const tenth = Math.ceil(sources.length / 10);
  const order = permutation(deriveKey(seed, 0x73706c74), sources.length);
  const held = (from: number) => new Set(Array.from(order.subarray(from, from + tenth), (i) => sources[i]!));
  const dev = hasDev ? new Set<string>() : held(0);
  const test = named ? new Set<string>() : held(tenth);
  const parts: Record<"train" | "dev" | "test", One[]> = { train: [], dev: [], test: [] };
  for (const one of all) {
    const source = sourceOf(one);
    const split =
      one.split === "dev" || one.split === "test"
        ? one.split
        : dev.has(source)
          ? "dev"
          : test.has(source)
            ? "test"
            : "train";
    parts[split].push(one);
  }
  return parts;
}

/** Throws a UserError where `input` lacks what a model of `uses` looks at. */
export function checkInput(input: RatedInput, uses: Uses): void {
  const missing = uses.given.find((name) => input.given?.[name] === undefined);
  const text = input.source.length > 40 ? `${input.source.slice(0, 39)}…` : input.source;
  if (missing !== undefined)
    throw new UserError(
      `the translation of ${JSON.stringify(text)} has no ${missing}, which the model is to look at; give all of them, or teach it without`,
    );
  if (uses.reference && input.reference === undefined)
    throw new UserError(
      `the source ${JSON.stringify(text)} has no reference, which the model is to compare with; give all of them, or teach it without`,
    );
}

function checkSize(train: number, dev: number): void {
  if (train < LEAST_TRAIN || dev < LEAST_DEV)
    throw new UserError(
      `the ratings to learn from are ${train} and those to choose by ${dev}, but ${LEAST_TRAIN} and ${LEAST_DEV} are needed at least; rate more texts`,
    );
}

/** To what people gave, or where their scale has no ends, to the share of the training texts that they rated lower. */
function calibrationOf(
  train: readonly RatedExample[],
  dev: readonly RatedExample[],
  scores: readonly number[],
): Calibration {
  const sorted = Float64Array.from(train, ({ score }) => score).sort();
  const share = (score: number) => {
    let below = 0;
    let equal = 0;
    for (const other of sorted) {
      if (other > score) break;
      if (other < score) below++;
      else equal++;
    }
    return (below + equal / 2) / sorted.length;
  };
  return fitIsotonic(
    scores,
    dev.map(({ score, unit }) => unit ?? share(score)),
  );
}

async function write(
  model: RatingModel,
  chosen: RatingFacts["chosen"],
  {
    options: { folder, uses, seed },
    ...found
  }: {
    options: TrainRatingOptions;
    calibration: Calibration;
    texts: { train: number; dev: number };
    figures: Figures | null;
    preferred: number | null;
  },
): Promise<RatingFacts> {
  const facts: RatingFacts = {
    format: 1,
    kind: "ratings",
    uses,
    seed,
    ...found,
    chosen,
    features: featureNames(model),
  };
  await writeFolderAtomic(folder, async (aside) => {
    await saveModel(aside, model);
    await saveFacts(aside, facts);
  });
  return facts;
}
