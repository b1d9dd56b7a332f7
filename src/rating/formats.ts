/** Ratings from and to files: our own as TSV or JSONL, and the layouts in which corpora of ratings are published. */

import { emptyFile, linesOf } from "../data/lines.js";
import { writeWhole } from "../data/write.js";
import { type Place, UserError } from "../errors.js";
import { type Judgement, KINDS, oneSpaced, SCALES, type Scale } from "./judgement.js";
import { HIGHEST, LOWEST } from "./scale.js";

/** What a column may be called; the first that a file has counts. */
const NAMES = {
  source: ["source", "src", "original"],
  text: ["translation", "target", "text", "hypothesis", "mt", "output"],
  reference: ["reference", "refA", "ref"],
  system: ["system", "policy", "model"],
  rater: ["rater", "annotator"],
} as const;

/** Columns that hold a score, and what it means there. MLQE-PE has several: one rater's beats a mean, a mean in points its z. */
const SCORE_COLUMNS: readonly (readonly [column: string, scale: Scale])[] = [
  ["score", "sqm"],
  ["scores", "da"],
  ["mean_0_100", "da"],
  ["human_z", "z"],
  ["z_mean", "z"],
  ["mqm", "mqm"],
];

/** Columns that tell two occurrences of one source apart. */
const PLACE_COLUMNS = ["year", "pair", "doc", "seg"];

/** Names for what a file leaves unnamed. */
const UNNAMED_SYSTEM = "system";
const UNNAMED_RATER = "mean of raters";

const LIMITS: Readonly<Record<Scale, readonly [number, number]>> = {
  sqm: [LOWEST, HIGHEST],
  da: [0, 100],
  z: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  mqm: [Number.NEGATIVE_INFINITY, 0],
};

const COLUMNS = [
  "rater",
  "item",
  "kind",
  "system",
  "scale",
  "score",
  "reward",
  "source",
  "translation",
  "reference",
  "comment",
  "at",
] as const;

/** What stands on a line, by the name of its column or key; other values than texts as JSON. */
export type Row = ReadonlyMap<string, string>;

/**
 * All ratings of a file, `.gz` or not. A first line that begins with `{` means JSONL, anything else the names of TSV
 * columns. Known are our own columns and those of MLQE-PE (`scores` or `mean_0_100`), DAseg (`human_z`) and segment
 * scores of MQM (`mqm`); others are left alone.
 *
 * @throws UserError with file and line for a column that is missing, or a value that is none.
 */
export async function readJudgements(file: string): Promise<Judgement[]> {
  const judgements: Judgement[] = [];
  for await (const { row, place } of rowsOf(file, checkHeader)) judgements.push(...judgementsIn(row, place));
  if (judgements.length === 0) throw emptyFile(file, "ratings, one a line");
  return judgements;
}

/**
 * The lines of a TSV file with a header, or of JSONL, blank ones left out.
 *
 * @param check is given the names of the columns of a TSV file
 * @throws UserError with file and line for a line that is neither.
 */
export async function* rowsOf(
  file: string,
  check: (header: readonly string[], place: Place) => void,
): AsyncGenerator<{ row: Row; place: Place }, void, undefined> {
  let header: string[] | undefined;
  for await (const { text, number } of linesOf(file)) {
    if (text.trim() === "") continue;
    const place = { file, line: number };
    if (header === undefined && !text.startsWith("{")) {
      header = text.split("\t");
      check(header, place);
      continue;
    }
    yield { row: header ? tsvRow(text, header, place) : jsonRow(text, place), place };
  }
}

/** Throws a UserError where columns that ratings need are missing. */
export function checkHeader(header: readonly string[], place: Place): void {
  const has = (names: readonly string[]) => names.some((name) => header.includes(name));
  const scores = SCORE_COLUMNS.map(([column]) => column);
  for (const names of [NAMES.source, NAMES.text, scores])
    if (!has(names))
      throw new UserError(
        `no column of ratings is called ${names.join(" or ")}; found ${header.slice(0, 12).join(", ")}. Name the columns on the first line.`,
        place,
      );
}

function tsvRow(text: string, header: readonly string[], place: Place): Row {
  const fields = text.split("\t");
  if (fields.length !== header.length)
    throw new UserError(
      `the line has ${fields.length} columns, expected ${header.length} as named on line 1.`,
      place,
    );
  return new Map(header.map((name, i) => [name, fields[i]!]));
}

function jsonRow(text: string, place: Place): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(
      'the line is not JSON, expected {"source": "…", "text": "…", "score": 4, …}.',
      place,
      {
        cause: error,
      },
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UserError('the line is JSON but no object, expected {"source": "…", "text": "…", …}.', place);
  return new Map(
    Object.entries(value).flatMap(([name, one]): [string, string][] =>
      one === null ? [] : [[name, typeof one === "string" ? one : JSON.stringify(one)]],
    ),
  );
}

/** The ratings of one line: one for each rater that it has. Throws a UserError with the line. */
export function judgementsIn(row: Row, place: Place): Judgement[] {
  const source = required(row, NAMES.source, place);
  const optional = (key: string, value: string | undefined) =>
    value === undefined || value === "" ? {} : { [key]: value };
  const common = {
    kind: oneOf(KINDS, row.get("kind") || "item", "kind", place),
    item: row.get("item") || [...placeIn(row), source].join("/"),
    system: first(row, NAMES.system) ?? UNNAMED_SYSTEM,
    source,
    text: required(row, NAMES.text, place),
    ...optional("reference", first(row, NAMES.reference)),
    ...optional("comment", row.get("comment")),
    ...optional("at", row.get("at")),
    ...rewardIn(row, place),
  };
  return scoresIn(row, place).map(({ rater, ...scored }) => ({
    ...common,
    rater: first(row, NAMES.rater) ?? rater,
    ...scored,
  }));
}

function placeIn(row: Row): string[] {
  return PLACE_COLUMNS.flatMap((column) => row.get(column) ?? []);
}

function rewardIn(row: Row, place: Place): { reward?: number } {
  const text = row.get("reward") ?? "";
  if (text === "") return {};
  const reward = Number(text);
  if (reward >= 0 && reward <= 1) return { reward };
  throw new UserError(`reward is ${text}, expected a number from 0 to 1 or nothing.`, place);
}

function scoresIn(row: Row, place: Place): { rater: string; scale: Scale; score: number }[] {
  const found = SCORE_COLUMNS.find(([column]) => (row.get(column) ?? "") !== "");
  if (!found)
    throw new UserError(
      `there is no score, expected one under ${SCORE_COLUMNS.map(([column]) => column).join(", ")}.`,
      place,
    );
  const [column, usual] = found;
  const text = row.get(column)!;
  const scale =
    column === "score" && row.get("scale") ? oneOf(SCALES, row.get("scale")!, "scale", place) : usual;
  if (column !== "scores")
    return [{ rater: UNNAMED_RATER, scale, score: checked(text, column, scale, place) }];
  const all = /^\s*\[(.*)\]\s*$/.exec(text)?.[1];
  if (!all) throw new UserError(`scores is ${text}, expected a list as in [70, 85, 90].`, place);
  // The file does not say who they are; the first of one line need not be the first of the next.
  return all
    .split(",")
    .map((one, i) => ({ rater: `rater ${i + 1}`, scale, score: checked(one.trim(), column, scale, place) }));
}

function checked(text: string, column: string, scale: Scale, place: Place): number {
  const score = Number(text);
  const [low, high] = LIMITS[scale];
  if (text.trim() !== "" && Number.isFinite(score) && score >= low && score <= high) return score;
  const range = Number.isFinite(low) ? ` from ${low} to ${high}` : high === 0 ? " of 0 or less" : "";
  throw new UserError(`${column} is ${text}, expected a number${range} (scale ${scale}).`, place);
}

function oneOf<Value extends string>(
  values: readonly Value[],
  text: string,
  column: string,
  place: Place,
): Value {
  const found = values.find((value) => value === text);
  if (found !== undefined) return found;
  throw new UserError(`${column} is ${text}, expected ${values.join(", ")}.`, place);
}

function first(row: Row, names: readonly string[]): string | undefined {
  return names.map((name) => row.get(name)).find((value) => value !== undefined && value !== "");
}

function required(row: Row, names: readonly string[], place: Place): string {
  // A system may have written nothing; then the column is there and empty.
  const found = names.find((name) => row.has(name));
  if (found !== undefined) return row.get(found)!;
  throw new UserError(`there is no ${names.join(" or ")}.`, place);
}

/**
 * Writes ratings as the file's name asks: `.jsonl` one object a rating; `.da.tsv` one line a text in the columns of
 * MLQE-PE, scores brought to 0 to 100; other names TSV with one line a rating. In TSV white space becomes one space.
 *
 * @throws UserError where the file cannot be written.
 */
export async function writeJudgements(file: string, judgements: readonly Judgement[]): Promise<void> {
  const name = file.toLowerCase();
  const lines = /\.(jsonl|ndjson)$/.test(name)
    ? judgements.map((judgement) => JSON.stringify(judgement))
    : name.endsWith(".da.tsv")
      ? directAssessment(judgements)
      : [COLUMNS.join("\t"), ...judgements.map(ownRow)];
  await writeWhole(file, lines.map((line) => `${line}\n`).join(""));
}

function ownRow(judgement: Judgement): string {
  return COLUMNS.map((column) => {
    const value = column === "translation" ? judgement.text : judgement[column];
    return value === undefined ? "" : oneSpaced(String(value));
  }).join("\t");
}

/** Lines of MLQE-PE, with `system` and `reference` beside: the mean of raters in points and in z. Checks and repeats are left out. */
function directAssessment(judgements: readonly Judgement[]): string[] {
  const rated = judgements.filter(
    ({ kind, scale }) => kind === "item" && (scale === "sqm" || scale === "da"),
  );
  const inPoints = ({ scale, score }: Judgement) => (100 * (score - LIMITS[scale][0])) / LIMITS[scale][1];
  const raters = new Map<string, number[]>();
  for (const one of rated) raters.set(one.rater, [...(raters.get(one.rater) ?? []), inPoints(one)]);
  const spread = new Map([...raters].map(([rater, points]) => [rater, meanAndDeviation(points)]));
  const texts = new Map<string, Judgement[]>();
  for (const one of rated) {
    const key = JSON.stringify([one.item, one.system, one.text]);
    texts.set(key, [...(texts.get(key) ?? []), one]);
  }
  const rows = [...texts.values()].map((all, index) => {
    const points = all.map(inPoints);
    const zs = all.map((one) => {
      const { mean, deviation } = spread.get(one.rater)!;
      // A rater whose scores are all alike says nothing with them.
      return deviation === 0 ? 0 : (inPoints(one) - mean) / deviation;
    });
    const { system, source, text, reference } = all[0]!;
    return [
      index,
      meanAndDeviation(points).mean,
      meanAndDeviation(zs).mean,
      `[${points.join(", ")}]`,
      system,
      source,
      text,
      reference ?? "",
    ];
  });
  const header = ["index", "mean_0_100", "z_mean", "scores", "system", "source", "translation", "reference"];
  return [header, ...rows].map((row) => row.map((value) => oneSpaced(String(value))).join("\t"));
}

function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}
