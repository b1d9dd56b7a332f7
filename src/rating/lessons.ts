/** Ratings as something to learn from: each text once, with its split and what else a file says of it. */

import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { emptyFile } from "../data/lines.js";
import { type Place, UserError } from "../errors.js";
import { exists } from "../exists.js";
import { checkHeader, judgementsIn, type Row, rowsOf } from "./formats.js";
import type { Judgement, Scale } from "./judgement.js";
import { readRatings } from "./read.js";
import { HIGHEST } from "./scale.js";

export const SPLITS = ["train", "dev", "test"] as const;
export type Split = (typeof SPLITS)[number];

/** What other names a split has in published corpora. */
const SPLIT_NAMES: ReadonlyMap<string, Split> = new Map([
  ["train", "train"],
  ["training", "train"],
  ["dev", "dev"],
  ["valid", "dev"],
  ["validation", "dev"],
  ["test", "test"],
]);

/** Columns that hold a system's mean log-probability a token. */
const LOG_PROBABILITY_COLUMNS = ["log_prob", "logprob", "model_logprob"];
export const LOG_PROBABILITY = "log-probability";

/** Texts that a map from rewards to ratings is fitted to at least. */
const LEAST_TEXTS = 10;

const BETTER = ["better", "chosen", "preferred"];
const WORSE = ["worse", "rejected"];

/** A text with its source, and numbers that a file gives beside them, by name. */
export interface LessonText {
  source: string;
  candidate: string;
  reference?: string;
  given?: Record<string, number>;
}

export interface RatedText extends LessonText {
  /** Mean of its raters, on `scale`. */
  score: number;
  /** The same in [0, 1], where the scale has two ends. */
  unit?: number;
  system: string;
  item: string;
  split?: Split;
}

export interface PreferredText {
  better: LessonText;
  worse: LessonText;
  split?: Split;
}

export type Lessons =
  | { kind: "ratings"; scale: Scale; texts: RatedText[] }
  | { kind: "preferences"; pairs: PreferredText[] };

/**
 * Everything that can be learned from a file: ratings in any layout that `readJudgements` knows, with the columns `split`,
 * `log_prob` and `features` beside, or preferences (`source`, `better`, `worse`). A run folder, or its `ratings.jsonl`,
 * stands for what was rated and imported there.
 *
 * Where a file has both, a mean after each rater's own mean and spread are taken out (`z_mean`) counts before points.
 * Checks and repeats of a round are left out.
 *
 * @throws UserError with file and line for what cannot be read, scales that are mixed, or splits that some lines have.
 */
export async function readLessons(path: string): Promise<Lessons> {
  const dir = await runFolderOf(path);
  if (dir !== undefined) {
    const { judgements } = await readRatings(dir);
    if (judgements.length === 0)
      throw new UserError(`nothing has been rated yet. Open the page with: coppice rate ${dir}`, {
        file: dir,
      });
    return {
      kind: "ratings",
      ...gather(
        judgements.map((judgement) => ({ judgement })),
        dir,
      ),
    };
  }
  const rated: Line[] = [];
  const pairs: PreferredText[] = [];
  let first: "ratings" | "preferences" | undefined;
  for await (const { row, place } of rowsOf(path, checkColumns)) {
    const kind = isPreference(row) ? "preferences" : "ratings";
    first ??= kind;
    if (kind !== first)
      throw new UserError(
        `the line holds ${kind}, but those before it ${first}. Give each a file of its own.`,
        place,
      );
    if (kind === "preferences") pairs.push(preferenceIn(row, place));
    else rated.push(...linesIn(row, place));
  }
  if (first === undefined) throw emptyFile(path, "ratings, one a line");
  if (first === "preferences") {
    checkSplits(pairs, path);
    return { kind: "preferences", pairs };
  }
  const lessons = gather(rated, path);
  checkSplits(lessons.texts, path);
  return { kind: "ratings", ...lessons };
}

/**
 * The reward of each rated text beside the mean of what people gave it, in [0, 1].
 *
 * @throws UserError where fewer than ten texts have both, or the scale has no ends.
 */
export function rewardsBeside(
  judgements: readonly Judgement[],
  file: string,
): { reward: number; unit: number }[] {
  const lines = judgements
    .filter(({ reward }) => reward !== undefined)
    .map((judgement) => ({ judgement, reward: judgement.reward! }));
  const enough = lines.length > 0 ? gather(lines, file) : undefined;
  const rewards = new Map(
    lines.map(({ judgement: { item, text }, reward }) => [JSON.stringify([item, text]), reward]),
  );
  // Policies that wrote the same text were rated once.
  const texts = new Map(
    enough?.texts.map((text) => [JSON.stringify([text.item, text.candidate]), text] as const),
  );
  if (enough && enough.scale !== "sqm" && enough.scale !== "da")
    throw new UserError(
      `these ratings are on scale ${enough.scale}, which has no ends, so that rewards cannot be put on it. Rate from 0 to 6, or from 0 to 100.`,
      { file },
    );
  if (texts.size < LEAST_TEXTS)
    throw new UserError(
      `${texts.size} rated texts have a reward, and ${LEAST_TEXTS} are needed at least. Rate more: coppice rate ${file}`,
      { file },
    );
  return [...texts].map(([key, { unit }]) => ({ reward: rewards.get(key)!, unit: unit! }));
}

/** The run folder that a path means, or undefined for a file of ratings. */
async function runFolderOf(path: string): Promise<string | undefined> {
  if (basename(path) === "ratings.jsonl" && (await exists(join(dirname(path), "rounds"))))
    return dirname(dirname(path));
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? path : undefined;
}

function checkColumns(header: readonly string[], place: Place): void {
  if (BETTER.some((name) => header.includes(name)) && WORSE.some((name) => header.includes(name))) return;
  checkHeader(header, place);
}

function isPreference(row: Row): boolean {
  return named(row, BETTER) !== undefined && named(row, WORSE) !== undefined;
}

function preferenceIn(row: Row, place: Place): PreferredText {
  const source = named(row, ["source", "src"]);
  if (source === undefined)
    throw new UserError("there is no source. Give the source of each preference.", place);
  const reference = row.get("reference");
  const text = (candidate: string): LessonText => ({
    source,
    candidate,
    ...(reference ? { reference } : {}),
  });
  return {
    better: text(named(row, BETTER)!),
    worse: text(named(row, WORSE)!),
    ...splitIn(row, place),
  };
}

/** One rating, and what its line says beside. */
interface Line {
  judgement: Judgement;
  split?: Split;
  given?: Record<string, number>;
  /** Points from 0 to 100, where the score is another. */
  points?: number;
}

function linesIn(row: Row, place: Place): Line[] {
  const beside = { ...splitIn(row, place), ...givenIn(row, place) };
  const points = Number(row.get("mean_0_100") || Number.NaN);
  if (!row.get("z_mean")) return judgementsIn(row, place).map((judgement) => ({ judgement, ...beside }));
  // Without the raters' own points, so that the mean of their z is what counts.
  const standardised = new Map([...row].filter(([name]) => name !== "scores" && name !== "mean_0_100"));
  return judgementsIn(standardised, place).map((judgement) => ({
    judgement,
    ...beside,
    ...(points >= 0 && points <= 100 ? { points } : {}),
  }));
}

function splitIn(row: Row, place: Place): { split?: Split } {
  const name = row.get("split");
  if (!name) return {};
  const split = SPLIT_NAMES.get(name.toLowerCase());
  if (split) return { split };
  throw new UserError(`split is ${name}, expected ${SPLITS.join(", ")}.`, place);
}

function givenIn(row: Row, place: Place): { given?: Record<string, number> } {
  const given: Record<string, number> = {};
  const logProbability = named(row, LOG_PROBABILITY_COLUMNS);
  if (logProbability) given[LOG_PROBABILITY] = finite(logProbability, "the log-probability", place);
  const features = row.get("features");
  if (features) {
    let value: unknown;
    try {
      value = JSON.parse(features);
    } catch {
      value = undefined;
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new UserError('features is no object, expected numbers by name as in {"entropy": 1.2}.', place);
    for (const [name, number] of Object.entries(value))
      given[name] = finite(String(number), `features.${name}`, place);
  }
  return Object.keys(given).length > 0 ? { given } : {};
}

function finite(text: string, what: string, place: Place): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new UserError(`${what} is ${text}, expected a number.`, place);
}

/** The texts of ratings, each once, with the mean of its raters. */
function gather(lines: readonly Line[], file: string): { scale: Scale; texts: RatedText[] } {
  const texts = new Map<string, Line[]>();
  for (const line of lines) {
    const { kind, item, system, text } = line.judgement;
    if (kind !== "item") continue;
    const key = JSON.stringify([item, system, text, line.split]);
    texts.set(key, [...(texts.get(key) ?? []), line]);
  }
  const scales = new Set([...texts.values()].flatMap((all) => all.map(({ judgement }) => judgement.scale)));
  const [scale] = scales;
  if (scale === undefined)
    throw new UserError("there are checks and repeats only. Rate some items first.", { file });
  if (scales.size > 1)
    throw new UserError(
      `ratings are on several scales, ${[...scales].join(" and ")}, which do not compare. Give one file for each.`,
      { file },
    );
  return {
    scale,
    texts: [...texts.values()].map((all): RatedText => {
      const [{ judgement, split, given, points }] = all as [Line, ...Line[]];
      const { source, text, reference, system, item } = judgement;
      const score = all.reduce((sum, one) => sum + one.judgement.score, 0) / all.length;
      const unit = points === undefined ? unitOf(score, scale) : points / 100;
      return {
        source,
        candidate: text,
        ...(reference === undefined ? {} : { reference }),
        ...(given && { given }),
        score,
        ...(unit === undefined ? {} : { unit }),
        system,
        item,
        ...(split && { split }),
      };
    }),
  };
}

function unitOf(score: number, scale: Scale): number | undefined {
  if (scale === "da") return score / 100;
  return scale === "sqm" ? score / HIGHEST : undefined;
}

function checkSplits(texts: readonly { split?: Split }[], file: string): void {
  const without = texts.filter(({ split }) => split === undefined).length;
  if (without === 0 || without === texts.length) return;
  throw new UserError(
    `${without} of ${texts.length} texts have no split and the others do. Give every line a split, or none.`,
    { file },
  );
}

function named(row: Row, names: readonly string[]): string | undefined {
  return names.map((name) => row.get(name)).find((value) => value !== undefined);
}
