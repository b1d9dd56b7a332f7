/** Rewards of people's ratings from file to score, on a made-up language whose errors are known. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.js";
import { readLessons } from "../../../src/rating/lessons.js";
import { createReward } from "../../../src/reward/create.js";
import { loadRatingModel, type RatingFacts } from "../../../src/reward/ratings/files.js";
import { featureNames, rawScore } from "../../../src/reward/ratings/model.js";
import { ratingReward } from "../../../src/reward/ratings/reward.js";
import {
  preferredShare,
  splitParts,
  trainPreferenceReward,
  trainRatingReward,
} from "../../../src/reward/ratings/train.js";
import { deriveKey, uniform } from "../../../src/tensor/random.js";

const WORDS = ["rot", "blau", "haus", "baum", "hund", "katze", "wald", "see", "berg", "tal"];
const TRANSLATIONS = ["red", "blue", "house", "tree", "dog", "cat", "wood", "lake", "hill", "vale"];

/** Each word of a translation is right, another one, or missing; people give the share of right ones, with noise. */
function ratings(count: number, seed: number) {
  const draw = (() => {
    const key = deriveKey(seed, 0x74657374);
    let at = 0;
    return () => uniform(key, at++);
  })();
  return Array.from({ length: count }, (_, i) => {
    const words = Array.from({ length: 4 + Math.floor(draw() * 5) }, () => Math.floor(draw() * 10));
    const damage = draw();
    let wrong = 0;
    const candidate = words.flatMap((word) => {
      if (draw() > damage) return [TRANSLATIONS[word]!];
      wrong++;
      return draw() < 0.5 ? [] : [TRANSLATIONS[Math.floor(draw() * 10)]!];
    });
    const mean = Math.max(0, Math.min(100, 100 * (1 - wrong / words.length) + 10 * (draw() - 0.5)));
    return {
      split: i % 10 === 0 ? "dev" : i % 10 === 1 ? "test" : "train",
      source: `${words.map((word) => WORDS[word]!).join(" ")} ${i}.`,
      translation: `${candidate.join(" ")} ${i}.`,
      mean_0_100: mean,
      model_logprob: -damage,
    };
  });
}

const options = {
  uses: { given: [], reference: false },
  extra: { source: [], target: [], pairs: [] },
  seed: 1,
};
const rated = ratings(250, 1);
let dir: string;
let folder: string;
let facts: RatingFacts;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "coppice-ratings-"));
  folder = join(dir, "people");
  const file = join(dir, "da.tsv");
  const columns = Object.keys(rated[0]!);
  writeFileSync(
    file,
    [columns.join("\t"), ...rated.map((row) => Object.values(row).join("\t")), ""].join("\n"),
  );
  const lessons = await readLessons(file);
  if (lessons.kind !== "ratings") throw new Error("these are ratings");
  facts = await trainRatingReward(
    splitParts(lessons.texts, ({ source }) => source, 1),
    { ...options, folder },
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const unseen = ratings(60, 2);
const right = "red house dog lake .";
const source = "rot haus hund see .";

describe("a reward of ratings", () => {
  test("agrees with people on texts that it has not seen", async () => {
    expect(facts.texts).toEqual({ train: 200, dev: 25 });
    expect(facts.figures!.pearson.value).toBeGreaterThan(0.8);
    const reward = await ratingReward(folder);
    const scores = await reward.score(
      unseen.map((one) => ({ source: one.source, candidate: one.translation })),
    );
    const error =
      scores.reduce((sum, score, i) => sum + Math.abs(score - unseen[i]!.mean_0_100 / 100), 0) / 60;
    // A reward that says the same of all of them, people's mean, is further off.
    const middle = unseen.reduce((sum, one) => sum + one.mean_0_100 / 100, 0) / 60;
    const spread = unseen.reduce((sum, one) => sum + Math.abs(one.mean_0_100 / 100 - middle), 0) / 60;
    expect(error).toBeLessThan(0.7 * spread);
    for (const score of scores) expect(score > 0 && score < 1).toBe(true);
  });

  test("falls with each kind of error, and is the same alone and in any batch", async () => {
    const reward = await createReward(
      { kind: "ratings", model: "people" },
      { configFile: join(dir, "coppice.yaml") },
    );
    // As the made-up raters saw them: words left out, and others in their place.
    const damaged = ["house dog .", "red vale tree lake .", "blue vale hill tree .", "."];
    const [good, ...worse] = await reward.score(
      [right, ...damaged].map((candidate) => ({ source, candidate })),
    );
    for (const score of worse) expect(score).toBeLessThan(good!);
    expect(await reward.score([{ source, candidate: right }])).toEqual([good]);
  });

  test("is the same bytes for the same ratings and seed", async () => {
    const lessons = await readLessons(join(dir, "da.tsv"));
    if (lessons.kind !== "ratings") throw new Error("these are ratings");
    const again = join(dir, "again");
    await trainRatingReward(
      splitParts(lessons.texts, (one) => one.source, 1),
      { ...options, folder: again },
    );
    for (const name of ["reward.json", "model.json.gz"])
      expect(readFileSync(join(again, name)).equals(readFileSync(join(folder, name)))).toBe(true);
  });

  test("looks at what it is told to, and then says what it needs", async () => {
    const lessons = await readLessons(join(dir, "da.tsv"));
    if (lessons.kind !== "ratings") throw new Error("these are ratings");
    const parts = splitParts(lessons.texts, (one) => one.source, 1);
    const needy = join(dir, "needy");
    await trainRatingReward(parts, {
      ...options,
      folder: needy,
      uses: { given: ["log-probability"], reference: false },
      extra: {
        source: ["Der Hund."],
        target: ["The dog."],
        pairs: [{ source: "der Hund", target: "the dog" }],
      },
    });
    const model = await loadRatingModel(needy);
    expect(featureNames(model)).toContain("log-probability");
    expect(featureNames(model)).toContain("forward lexicon of other pairs: mean");
    const at = (value: number) =>
      rawScore(model, { source, candidate: right, given: { "log-probability": value } });
    expect(at(-0.1)).toBeGreaterThan(at(-0.9));
    await expect(ratingReward(needy)).rejects.toThrow(/looks at log-probability.*without --use/);
    const bare = parts.train.map(({ given: _, ...one }) => one);
    await expect(
      trainRatingReward({ train: bare, dev: parts.dev }, { ...options, folder: needy, uses: model.uses }),
    ).rejects.toThrow(/has no log-probability/);
  });

  test("is refused in a sentence where its folder is not one, or damaged", async () => {
    await expect(ratingReward(join(dir, "nowhere"))).rejects.toThrow(/nowhere.*train-reward --ratings FILE/);
    const broken = join(dir, "again");
    const file = join(broken, "model.json.gz");
    const stored = gunzipSync(readFileSync(file)).toString();
    const damage = [
      stored.slice(0, -10),
      stored.replace('"treeShare"', '"treeshare"'),
      // A question that leads back to itself would be asked for ever.
      stored.replace(/"left":\[1,(\d+)/, '"left":[1,1'),
    ];
    for (const text of damage) {
      expect(text).not.toBe(stored);
      writeFileSync(file, gzipSync(text));
      await expect(ratingReward(broken)).rejects.toThrow(UserError);
    }
    writeFileSync(file, "{}");
    await expect(ratingReward(broken)).rejects.toThrow(/not a gzip file/);
  });
});

test("preferences teach which text is better", async () => {
  const pairs = ratings(200, 3).map((one, i, all) => {
    const words = one.source.split(" ").slice(0, -1);
    const whole = words.map((word) => TRANSLATIONS[WORDS.indexOf(word)]!).join(" ");
    const other = all[(i + 1) % all.length]!.translation;
    return {
      better: { source: one.source, candidate: `${whole} ${i}.` },
      worse: { source: one.source, candidate: i % 2 === 0 ? other : whole.split(" ").slice(1).join(" ") },
    };
  });
  const parts = splitParts(
    pairs as ((typeof pairs)[number] & { split?: "dev" })[],
    ({ better }) => better.source,
    1,
  );
  const preferences = join(dir, "preferences");
  const found = await trainPreferenceReward(parts, { ...options, folder: preferences });
  expect(found.figures).toBeNull();
  expect(preferredShare(await loadRatingModel(preferences), parts.test)).toBeGreaterThan(0.9);
  const reward = await ratingReward(preferences);
  const [good, bad] = await reward.score([
    { source, candidate: right },
    { source, candidate: "dog lake ." },
  ]);
  expect(good).toBeGreaterThan(bad!);
});

describe("splits", () => {
  test("that a file names are kept, and a development part is taken from training where there is none", () => {
    const texts = Array.from({ length: 40 }, (_, i) => ({
      source: `s${Math.floor(i / 2)}`,
      split: i < 30 ? ("train" as const) : ("test" as const),
    }));
    const { train, dev, test: tested } = splitParts(texts, ({ source: of }) => of, 1);
    expect(tested).toEqual(texts.slice(30));
    expect([train.length, dev.length]).toEqual([26, 4]);
    // Texts of one source stay together.
    const sources = new Set(train.map(({ source: of }) => of));
    expect(dev.some(({ source: of }) => sources.has(of))).toBe(false);
  });

  test("are drawn by source where none is named", () => {
    const texts: { source: string; split?: "train" }[] = Array.from({ length: 100 }, (_, i) => ({
      source: `s${i % 50}`,
    }));
    const parts = splitParts(texts, ({ source: of }) => of, 7);
    expect([parts.train.length, parts.dev.length, parts.test.length]).toEqual([80, 10, 10]);
    expect(splitParts(texts, ({ source: of }) => of, 7)).toEqual(parts);
    expect(splitParts(texts, ({ source: of }) => of, 8)).not.toEqual(parts);
  });
});
