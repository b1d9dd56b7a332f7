/** Rewards of people's ratings: taught from a file, and measured on its test part. */
import { readLines } from "../data/lines.js";
import { readPairs } from "../data/read.js";
import { UserError } from "../errors.js";
import { type Lessons, type LessonText, LOG_PROBABILITY, readLessons } from "../rating/lessons.js";
import { decimal, MISSING, percent, plural } from "../report/format.js";
import type { Uses } from "../reward/ratings/examples.js";
import { loadRatingFacts, loadRatingModel, type RatingFacts } from "../reward/ratings/files.js";
import { type Figures, figuresOf } from "../reward/ratings/measure.js";
import { rawScore } from "../reward/ratings/model.js";
import type { ExtraTexts } from "../reward/ratings/tables.js";
import {
  checkInput,
  judgedBy,
  preferredShare,
  splitParts,
  trainPreferenceReward,
  trainRatingReward,
} from "../reward/ratings/train.js";
import { type OutputOptions, openTerminal } from "./terminal.js";

interface RatingsFile extends OutputOptions {
  /** A file, or a run folder. */
  ratings: string;
  /** Of the reward. */
  folder: string;
  seed: number;
}

export interface TrainRatingsOptions extends RatingsFile {
  /** `log-prob`, `features`, `reference`. */
  use: readonly string[];
  sourceTexts: readonly string[];
  targetTexts: readonly string[];
  pairs: readonly string[];
}

export async function trainRatings(options: TrainRatingsOptions): Promise<void> {
  const { ratings, folder, seed, use } = options;
  const terminal = openTerminal(options);
  const lessons = await readLessons(ratings);
  const training = {
    folder,
    uses: usesOf(lessons, use, ratings),
    extra: await extraTexts(options),
    seed,
    onNote: (sentence: string) => terminal.note(sentence),
  };
  const facts =
    lessons.kind === "ratings"
      ? await trainRatingReward(
          splitParts(lessons.texts, ({ source }) => source, seed),
          training,
        )
      : await trainPreferenceReward(
          splitParts(lessons.pairs, ({ better }) => better.source, seed),
          training,
        );
  const { texts, figures, preferred, chosen, features } = facts;
  terminal.result({ folder, texts, figures, preferred, chosen, features: features.length }, () =>
    [
      `Wrote ${folder}: taught with ${plural(texts.train, "rating")}, ${plural(features.length, "feature")}.`,
      agreementText(facts, "development part, which its settings were chosen on"),
      facts.uses.given.length > 0
        ? `It looks at ${facts.uses.given.join(", ")}: for files of ratings, not for use in a run.`
        : `Use it as reward: { kind: ratings, model: ${folder} }`,
    ].join("\n"),
  );
}

export async function testRatings(options: RatingsFile): Promise<void> {
  const { ratings, folder, seed } = options;
  const terminal = openTerminal(options);
  const [facts, model, lessons] = await Promise.all([
    loadRatingFacts(folder),
    loadRatingModel(folder),
    readLessons(ratings),
  ]);
  const none = () =>
    new UserError("no text of it is in a test part. Name the split of each line.", { file: ratings });
  if (lessons.kind === "preferences") {
    // By the seed that it was taught with, so that a test part that was drawn is the same.
    const { test } = splitParts(lessons.pairs, ({ better }) => better.source, facts.seed);
    if (test.length === 0) throw none();
    for (const { better, worse } of test) for (const one of [better, worse]) checkInput(one, facts.uses);
    const preferred = preferredShare(model, test);
    terminal.result({ pairs: test.length, preferred }, () =>
      preferredText(preferred, `${test.length} pairs`),
    );
    return;
  }
  const { test } = splitParts(lessons.texts, ({ source }) => source, facts.seed);
  if (test.length === 0) throw none();
  for (const one of test) checkInput(one, facts.uses);
  const figures = figuresOf(
    judgedBy(
      test,
      test.map((one) => rawScore(model, one)),
    ),
    seed,
  );
  terminal.result(figures, () => figuresText(figures, "test part"));
}

function usesOf(lessons: Lessons, use: readonly string[], file: string): Uses {
  const texts: readonly LessonText[] =
    lessons.kind === "ratings" ? lessons.texts : lessons.pairs.map(({ better }) => better);
  const names = [...new Set(texts.flatMap(({ given }) => Object.keys(given ?? {})))].sort();
  const has = (name: string) => use.includes(name);
  const given = names.filter((name) => (name === LOG_PROBABILITY ? has("log-prob") : has("features")));
  if (has("log-prob") && !given.includes(LOG_PROBABILITY))
    throw new UserError(
      "no line has a log-probability (a column log_prob or model_logprob). Leave out --use log-prob.",
      {
        file,
      },
    );
  if (has("features") && given.every((name) => name === LOG_PROBABILITY))
    throw new UserError("no line has features. Leave out --use features.", { file });
  return { given, reference: has("reference") };
}

async function extraTexts({ sourceTexts, targetTexts, pairs }: TrainRatingsOptions): Promise<ExtraTexts> {
  const lines = async (files: readonly string[]) =>
    (await Promise.all(files.map((file) => readLines(file)))).flat();
  return {
    source: await lines(sourceTexts),
    target: await lines(targetTexts),
    pairs: (await Promise.all(pairs.map((file) => readPairs(file)))).flat(),
  };
}

function agreementText({ figures, preferred, texts }: RatingFacts, part: string): string {
  return figures
    ? figuresText(figures, part)
    : preferredText(preferred ?? Number.NaN, `${texts.dev} pairs of the ${part}`);
}

function preferredText(preferred: number, of: string): string {
  return `It has ${percent(preferred)} of ${of} right.`;
}

function figuresText(
  { texts, pearson, spearman, kendall, withinSource, systems }: Figures,
  part: string,
): string {
  const interval = ({ value, low, high }: Figures["pearson"]) =>
    `${decimal(value, 3)} (${decimal(low, 3)} to ${decimal(high, 3)})`;
  const right = (found: Figures["systems"]) =>
    found ? `${percent(found.accuracy)} of ${found.pairs}` : MISSING;
  return [
    `With people, on ${plural(texts, "text")} of the ${part}:`,
    `  Pearson ${interval(pearson)}, Spearman ${interval(spearman)}, Kendall ${decimal(kendall, 3)}`,
    `  pairs in people's order: of one source ${right(withinSource)}, of systems ${right(systems)}`,
  ].join("\n");
}
