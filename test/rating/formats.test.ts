/** Ratings from files in the layouts in which they are published, and to files and back. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readJudgements, writeJudgements } from "../../src/rating/formats.js";
import { type Judgement, merged } from "../../src/rating/judgement.js";
import { readLog } from "../../src/rating/log.js";
import { importRatings, readRatings } from "../../src/rating/read.js";
import { ratingResults } from "../../src/rating/results.js";
import { ratingsFolder } from "../../src/rating/round.js";
import { temporaryFolder } from "./rounds.js";

function fileOf(name: string, lines: readonly string[]): string {
  const file = join(temporaryFolder(), name);
  const text = lines.map((line) => `${line}\n`).join("");
  writeFileSync(file, name.endsWith(".gz") ? gzipSync(text) : text);
  return file;
}

const tsv = (...rows: string[][]) => rows.map((row) => row.join("\t"));

describe("published layouts", () => {
  test("MLQE-PE: every rater of a line by himself, 0 to 100", async () => {
    const file = fileOf(
      "da.tsv.gz",
      tsv(
        ["split", "index", "mean_0_100", "z_mean", "scores", "model_logprob", "source", "translation"],
        ["train", "0", "90.0", "1.1", "[100, 80, 90]", "-0.1", "Ein Haus.", "A house."],
        ["train", "None", "20.5", "-1.5", "[20, 21]", "-0.4", "Ein Hund.", "One cat."],
      ),
    );
    const judgements = await readJudgements(file);
    expect(
      judgements.map(({ scale, rater, score, source, text }) => [scale, rater, score, source, text]),
    ).toEqual([
      ["da", "rater 1", 100, "Ein Haus.", "A house."],
      ["da", "rater 2", 80, "Ein Haus.", "A house."],
      ["da", "rater 3", 90, "Ein Haus.", "A house."],
      ["da", "rater 1", 20, "Ein Hund.", "One cat."],
      ["da", "rater 2", 21, "Ein Hund.", "One cat."],
    ]);
    const [result] = ratingResults(judgements, 1);
    expect(result).toMatchObject({ range: [0, 100], agreement: { texts: 2 } });
    expect(result!.systems[0]!.score.value).toBeCloseTo((90 + 20.5) / 2, 12);
  });

  test("MQM scores of segments: systems beside each other on one segment, 0 and below", async () => {
    const file = fileOf(
      "mqm.tsv",
      tsv(
        ["system", "doc", "seg", "mqm", "errors", "source", "translation"],
        ["Nemo", "talk.1", "1", "-5.0000", "Major", "A short talk.", "Ein Vortrag."],
        ["Zeta", "talk.1", "1", "0.0000", "", "A short talk.", "Ein kurzer Vortrag."],
        ["Zeta", "talk.2", "1", "-1.0000", "Minor", "A short talk.", "Kurz."],
      ),
    );
    const judgements = await readJudgements(file);
    expect(judgements.map(({ system, score, scale }) => [system, score, scale])).toEqual([
      ["Nemo", -5, "mqm"],
      ["Zeta", 0, "mqm"],
      ["Zeta", -1, "mqm"],
    ]);
    expect(judgements[0]!.item).toBe(judgements[1]!.item);
    expect(judgements[2]!.item).not.toBe(judgements[1]!.item);
    const [{ systems }] = ratingResults(judgements, 1) as [ReturnType<typeof ratingResults>[number]];
    expect(systems[1]).toMatchObject({ name: "Zeta", difference: { items: 1, value: 5 } });
  });

  test("DAseg: standardised scores, with the reference", async () => {
    const file = fileOf(
      "daseg.tsv",
      tsv(
        ["year", "pair", "system", "seg", "human_z", "source", "translation", "reference"],
        ["2016", "de-en", "online-B", "7", "-0.325", "Guten Tag.", "Good day.", "Hello."],
      ),
    );
    expect(await readJudgements(file)).toEqual([
      {
        scale: "z",
        kind: "item",
        item: "2016/de-en/7/Guten Tag.",
        rater: "mean of raters",
        system: "online-B",
        source: "Guten Tag.",
        text: "Good day.",
        reference: "Hello.",
        score: -0.325,
      },
    ]);
  });

  test("JSON lines with numbers and lists", async () => {
    const file = fileOf("r.jsonl", [
      '{"source": "a", "translation": "b", "scores": [50, 60], "system": "X", "more": {"x": 1}}',
      '{"source": "a", "target": "c", "score": 4, "rater": "anna", "reward": 0.25, "comment": null}',
    ]);
    expect(await readJudgements(file)).toMatchObject([
      { scale: "da", score: 50, system: "X" },
      { scale: "da", score: 60, system: "X" },
      { scale: "sqm", score: 4, text: "c", rater: "anna", reward: 0.25 },
    ]);
  });
});

describe("what is no rating is named with its line", () => {
  const header = ["source", "translation", "score"];
  test.each([
    ["no column of text", [["source", "score"]], ":1: no column of ratings is called translation or target"],
    ["no column of scores", [["source", "mt"]], ":1: no column of ratings is called score or scores"],
    ["a field too few", [header, ["a", "b"]], ":2: the line has 2 columns, expected 3"],
    [
      "a score beyond the scale",
      [header, ["a", "b", "85"]],
      ":2: score is 85, expected a number from 0 to 6",
    ],
    ["a word for a score", [header, ["a", "b", "good"]], ":2: score is good, expected a number from 0 to 6"],
    ["no score", [header, ["a", "b", ""]], ":2: there is no score"],
    [
      "a positive MQM",
      [
        ["source", "mt", "mqm"],
        ["a", "b", "5"],
      ],
      ":2: mqm is 5, expected a number of 0 or less",
    ],
    [
      "scores that are no list",
      [
        ["source", "mt", "scores"],
        ["a", "b", "70"],
      ],
      ":2: scores is 70, expected a list",
    ],
    [
      "an infinite z",
      [
        ["source", "mt", "z_mean"],
        ["a", "b", "Infinity"],
      ],
      ":2: z_mean is Infinity",
    ],
    [
      "an unknown scale",
      [
        [...header, "scale"],
        ["a", "b", "1", "stars"],
      ],
      ":2: scale is stars, expected sqm, da, z, mqm",
    ],
    [
      "a reward beyond 1",
      [
        [...header, "reward"],
        ["a", "b", "1", "55"],
      ],
      ":2: reward is 55, expected a number from 0 to 1",
    ],
    ["nothing below the header", [header], ": the file is empty, expected ratings"],
  ])("%s", async (_, rows, message) => {
    const file = fileOf("bad.tsv", tsv(...rows));
    await expect(readJudgements(file)).rejects.toThrow(`${file}${message}`);
  });

  test("broken JSON", async () => {
    const file = fileOf("bad.jsonl", ['{"source": "a", "text": "b", "score": 1}', '{"source"']);
    await expect(readJudgements(file)).rejects.toThrow(`${file}:2: the line is not JSON`);
  });
});

const some: Judgement[] = [
  {
    ...{ scale: "sqm", kind: "item", item: "0123456789ab/3", rater: "anna", system: "G0I0" },
    ...{ source: "ein <b>Satz</b>\tmit Tab", text: "a sentence", reference: "one sentence" },
    ...{ score: 3, reward: 0.123456789, comment: "two\nlines", at: "2026-01-02T03:04:05.000Z" },
  },
  {
    ...{ scale: "sqm", kind: "check", item: "0123456789ab/4", rater: "ben", system: "damaged:shuffled" },
    ...{ source: "noch einer", text: "one more", score: 0 },
  },
];

test("JSONL comes back as it was", async () => {
  const file = join(temporaryFolder(), "ratings.jsonl");
  await writeJudgements(file, some);
  expect(await readJudgements(file)).toEqual(some);
});

test("TSV comes back as the same ratings, each stretch of white space as one space", async () => {
  const file = join(temporaryFolder(), "ratings.tsv");
  await writeJudgements(file, some);
  const back = await readJudgements(file);
  expect(back).toEqual([{ ...some[0], source: "ein <b>Satz</b> mit Tab", comment: "two lines" }, some[1]]);
  expect(merged([some, back])).toEqual(some);
});

test("in the layout of MLQE-PE a text has the mean of its raters, in points and in z", async () => {
  const rated = (rater: string, system: string, score: number): Judgement => ({
    ...{ scale: "sqm", kind: "item", item: "0", source: "s" },
    ...{ rater, system, text: system, score },
  });
  const file = join(temporaryFolder(), "ratings.da.tsv");
  await writeJudgements(file, [
    ...[rated("anna", "A", 0), rated("anna", "B", 6), rated("ben", "A", 3), rated("ben", "B", 3)],
    some[1]!,
  ]);
  const back = await readJudgements(file);
  expect(back.map(({ system, score }) => [system, score])).toEqual([
    ["A", 0],
    ["A", 50],
    ["B", 100],
    ["B", 50],
  ]);
  const { readFileSync } = await import("node:fs");
  // Anna's two scores are one deviation below and above her mean, Ben's say nothing: (−1 + 0) / 2 and (1 + 0) / 2.
  expect(readFileSync(file, "utf8").split("\n").slice(1, 3)).toEqual([
    "0\t25\t-0.5\t[0, 50]\tA\ts\tA\t",
    "1\t75\t0.5\t[100, 50]\tB\ts\tB\t",
  ]);
});

test("imported ratings are kept once, beside those given here", async () => {
  const dir = temporaryFolder();
  expect(await importRatings(dir, some)).toBe(2);
  expect(await importRatings(dir, some)).toBe(0);
  expect(await importRatings(dir, [...some, { ...some[0]!, rater: "carl" }])).toBe(1);
  const { judgements, unreadable } = await readRatings(dir);
  expect(judgements.map(({ rater }) => rater)).toEqual(["anna", "ben", "carl"]);
  expect(unreadable).toEqual([]);
  expect(readLog(ratingsFolder(dir).log).lines).toEqual([]);
});
