/** Ratings as lessons: splits, means over raters, what else a file says, and preferences. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { appendLines } from "../../src/rating/append.js";
import type { Judgement } from "../../src/rating/judgement.js";
import { type Lessons, readLessons, rewardsBeside } from "../../src/rating/lessons.js";
import { ratingsFolder } from "../../src/rating/round.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "coppice-lessons-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, ...lines: readonly string[]): string {
  const path = join(dir, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

async function texts(path: string): Promise<Extract<Lessons, { kind: "ratings" }>> {
  const lessons = await readLessons(path);
  if (lessons.kind !== "ratings") throw new Error("ratings were expected");
  return lessons;
}

describe("lessons", () => {
  test("of MLQE-PE are the mean z, with points as the unit, the split and the log-probability", async () => {
    const path = file(
      "mlqe.tsv",
      "split\tindex\tmean_0_100\tz_mean\tscores\tmodel_logprob\tsource\ttranslation",
      "train\t0\t75\t0.5\t[70, 80]\t-0.25\tGuten Tag\tGood day",
      "dev\t0\t20\t-1.5\t[10, 30]\t-0.75\tDanke\tPlease",
    );
    const { scale, texts: found } = await texts(path);
    expect(scale).toBe("z");
    expect(found).toEqual([
      {
        source: "Guten Tag",
        candidate: "Good day",
        given: { "log-probability": -0.25 },
        score: 0.5,
        unit: 0.75,
        system: "system",
        item: "Guten Tag",
        split: "train",
      },
      expect.objectContaining({ score: -1.5, unit: 0.2, split: "dev", given: { "log-probability": -0.75 } }),
    ]);
  });

  test("are the mean of a text's raters, without checks and repeats", async () => {
    const line = (rater: string, system: string, text: string, score: number, more = {}) =>
      JSON.stringify({ rater, item: "r/1", system, source: "a", text, scale: "sqm", score, ...more });
    const path = file(
      "own.jsonl",
      line("anna", "BC", "b", 6),
      line("ben", "BC", "b", 3),
      line("anna", "G1I1", "c", 0, { features: { entropy: 1.5, low: -4 } }),
      line("anna", "BC", "b", 0, { kind: "repeat" }),
      line("anna", "human", "x", 6, { kind: "check" }),
    );
    const { scale, texts: found } = await texts(path);
    expect(scale).toBe("sqm");
    expect(found.map(({ system, score, unit }) => [system, score, unit])).toEqual([
      ["BC", 4.5, 0.75],
      ["G1I1", 0, 0],
    ]);
    expect(found[1]!.given).toEqual({ entropy: 1.5, low: -4 });
    expect(found[0]!.split).toBeUndefined();
  });

  test("of MQM and of raters' z have no unit", async () => {
    const mqm = await texts(
      file("mqm.tsv", "system\tseg\tmqm\tsource\ttranslation\trefA", "A\t1\t-5.1\ts\tt\tr"),
    );
    expect(mqm.texts[0]).toEqual({
      source: "s",
      candidate: "t",
      reference: "r",
      score: -5.1,
      system: "A",
      item: "1/s",
    });
    expect(
      (await texts(file("z.tsv", "human_z\tsource\ttranslation", "0.1\ts\tt"))).texts[0],
    ).not.toHaveProperty("unit");
  });

  test("of preferences are pairs", async () => {
    const path = file(
      "preferences.jsonl",
      '{"source": "a", "chosen": "b", "rejected": "c", "split": "valid"}',
      '{"source": "d", "better": "e", "worse": "f", "reference": "g"}',
    );
    await expect(readLessons(path)).rejects.toThrow(/1 of 2 texts have no split/);
    const one = file("one.tsv", "source\tbetter\tworse\tsplit", "a\tb\tc\tvalidation");
    expect(await readLessons(one)).toEqual({
      kind: "preferences",
      pairs: [
        { better: { source: "a", candidate: "b" }, worse: { source: "a", candidate: "c" }, split: "dev" },
      ],
    });
  });

  test("of a run folder are what was rated there", async () => {
    const run = join(dir, "run");
    const rated: Judgement = {
      scale: "sqm",
      kind: "item",
      item: "1",
      rater: "anna",
      system: "BC",
      source: "s",
      text: "t",
      score: 4,
    };
    const { imported, log } = ratingsFolder(run);
    cpSync(file("empty"), join(run, "ratings/rounds/none.txt"));
    await expect(readLessons(run)).rejects.toThrow(/nothing has been rated yet/);
    appendLines(imported, [rated]);
    const expected = [expect.objectContaining({ source: "s", candidate: "t", score: 4, unit: 4 / 6 })];
    expect((await texts(run)).texts).toEqual(expected);
    // The log alone knows no texts: its name stands for the folder that has them.
    expect((await texts(log)).texts).toEqual(expected);
  });

  test.each([
    ["split\tscore\tsource\ttranslation\nlater\t3\ts\tt", /:2: split is later, expected train, dev, test/],
    ["split\tscore\tsource\ttranslation\nconstructor\t3\ts\tt", /:2: split is constructor, expected train/],
    ["split\tscore\tsource\ttranslation\ntrain\t3\ts\tt\n\t3\ts\tu", /1 of 2 texts have no split/],
    [
      "log_prob\tscore\tsource\ttranslation\nlow\t3\ts\tt",
      /:2: the log-probability is low, expected a number/,
    ],
    ["features\tscore\tsource\ttranslation\n[1]\t3\ts\tt", /:2: features is no object/],
    ['features\tscore\tsource\ttranslation\n{"a":"b"}\t3\ts\tt', /:2: features\.a is b, expected a number/],
    ["scale\tscore\tsource\ttranslation\nda\t80\ts\tt\nsqm\t3\ts\tu", /several scales, da and sqm/],
    ["kind\tscore\tsource\ttranslation\ncheck\t3\ts\tt", /checks and repeats only/],
    ["better\tworse\ttext\na\tb\tc", /:2: there is no source/],
  ])("are refused in a sentence: %j", async (content, sentence) => {
    await expect(readLessons(file("bad.tsv", content))).rejects.toThrow(sentence);
  });
});

describe("rewards beside ratings", () => {
  const rated = (count: number, more: Partial<Judgement> = {}): Judgement[] =>
    Array.from({ length: count }, (_, i) => ({
      scale: "sqm",
      kind: "item",
      item: `${i}`,
      rater: "anna",
      system: "BC",
      source: "s",
      text: `t${i}`,
      score: i % 7,
      reward: i / 100,
      ...more,
    }));

  test("are one a text: the mean of raters, and of systems that wrote alike", () => {
    const twice = [
      ...rated(10),
      { ...rated(1)[0]!, rater: "ben", score: 6 },
      { ...rated(10)[9]!, system: "G1I1" },
    ];
    const found = rewardsBeside(twice, "run");
    expect(found).toHaveLength(10);
    expect(found[0]).toEqual({ reward: 0, unit: 0.5 });
    expect(found[8]!.reward).toBe(0.08);
    expect(found[8]!.unit).toBeCloseTo(1 / 6, 12);
  });

  test("are refused where they are few, or on a scale without ends", () => {
    expect(() => rewardsBeside(rated(9), "run")).toThrow(/9 rated texts have a reward, and 10 are needed/);
    expect(() => rewardsBeside([], "run")).toThrow(/0 rated texts/);
    expect(() => rewardsBeside(rated(12, { scale: "z" }), "run")).toThrow(/scale z, which has no ends/);
  });
});
