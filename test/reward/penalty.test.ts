import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { learnLanguages } from "../../src/data/language.js";
import type { Pair } from "../../src/data/pair.js";
import { readPairs } from "../../src/data/read.js";
import { lengthFactor, PenalisedReward } from "../../src/reward/penalty.js";
import type { Reward } from "../../src/reward/reward.js";
import { sharedData } from "../evaluate/fixtures.js";

const half: Reward = { name: "half", needsReference: false, score: async (batch) => batch.map(() => 0.5) };
const none = { lengthRatio: null, language: 0 };

const subjects = [
  ["Der Hund", "The dog"],
  ["Die Frau", "The woman"],
  ["Ein kleines Kind", "A small child"],
  ["Mein Bruder", "My brother"],
] as const;
const verbs = [
  ["spielt im Garten", "is playing in the garden"],
  ["wartet auf den Zug", "is waiting for the train"],
  ["liest ein Buch", "is reading a book"],
  ["sucht nach einem Schlüssel", "is looking for a key"],
] as const;
const pairs: Pair[] = subjects.flatMap(([source, target]) =>
  verbs.map(([quelle, ziel]) => ({ source: `${source} ${quelle}.`, target: `${target} ${ziel}.` })),
);

describe("learnLanguages", () => {
  const { isSource, heldOut } = learnLanguages(pairs);

  test("held-out sentences of both sides are told right", () => {
    expect(heldOut).toBe(1);
  });

  test("so are sentences of other words", () => {
    expect(isSource("Wir haben gestern keine Zeit gehabt.")).toBe(true);
    expect(isSource("They were not there when the bus came.")).toBe(false);
  });

  test("what has no letters is in no language", () => {
    expect([isSource(""), isSource("12 : 30"), isSource("ok")]).toEqual([false, false, false]);
  });

  test("two sides of one language cannot be told apart", () => {
    const same = pairs.map(({ target }) => ({ source: target, target }));
    expect(learnLanguages(same).heldOut).toBe(0.5);
  });

  const multi30k = sharedData("multi30k");
  test.skipIf(!multi30k)(
    "on real sentences that it has not seen, fewer than 2 % are told wrong",
    async () => {
      const read = async (name: string) => readPairs(fileURLToPath(new URL(name, multi30k!)));
      const learned = learnLanguages(await read("val.de-en.tsv.gz"));
      const unseen = await read("test_2016_flickr.de-en.tsv.gz");
      const wrong =
        unseen.filter(({ source }) => !learned.isSource(source)).length +
        unseen.filter(({ target }) => learned.isSource(target)).length;
      expect(wrong / (2 * unseen.length)).toBeLessThan(0.02);
    },
  );
});

describe("lengthFactor", () => {
  // 10 characters of slack on both lengths: 90 and 40 become 100 and 50.
  test("up to the allowed ratio nothing is taken, in both directions", () => {
    expect(lengthFactor(90, 40, 2)).toBe(1);
    expect(lengthFactor(40, 90, 2)).toBe(1);
  });

  test("beyond it the reward falls as the ratio rises", () => {
    expect(lengthFactor(190, 40, 2)).toBeCloseTo(2 / 4, 12);
    expect(lengthFactor(0, 70, 2)).toBeCloseTo(2 / 8, 12);
  });
});

describe("PenalisedReward", () => {
  const source = "Der Hund wartet auf den Zug im Garten.";
  const score = (
    penalties: typeof none | { lengthRatio: number | null; language: number },
    candidate: string,
  ) => new PenalisedReward(half, penalties, pairs).score([{ source, candidate }]);

  test("without penalties it is the reward itself", async () => {
    expect(await score(none, source)).toEqual([0.5]);
    expect(await score(none, "")).toEqual([0.5]);
  });

  test("a candidate in the source's language loses the given share, a translation nothing", async () => {
    const penalties = { lengthRatio: null, language: 0.8 };
    expect((await score(penalties, source))[0]).toBeCloseTo(0.1, 12);
    expect(await score(penalties, "The dog is waiting for the train in the garden.")).toEqual([0.5]);
  });

  test("what the length costs is measured from the corpus' own ratio, not from 1", async () => {
    // Targets twice as long as their sources: 40 characters for 20.
    const long = Array.from({ length: 9 }, () => ({ source: "x".repeat(20), target: "y".repeat(40) }));
    const reward = new PenalisedReward(half, { lengthRatio: 1.5, language: 0 }, long);
    const input = (length: number) => ({ source: "x".repeat(20), candidate: "y".repeat(length) });
    const { raw, factors, total } = await reward.scorePenalised([input(40), input(20), input(140)]);
    expect(raw).toEqual([0.5, 0.5, 0.5]);
    // (40+10)/(20+10) = 5/3 and (140+10)/(40+10) = 3 against 1.5 allowed.
    expect(factors[0]).toBe(1);
    expect(factors[1]).toBeCloseTo(0.9, 12);
    expect(factors[2]).toBeCloseTo(0.5, 12);
    expect(total).toEqual(factors.map((factor) => factor * 0.5));
  });

  test("a language penalty between two sides of one language is refused", () => {
    const same = pairs.map(({ target }) => ({ source: target, target }));
    expect(() => new PenalisedReward(half, { lengthRatio: null, language: 1 }, same)).toThrow(
      "reward.penalties.language needs source and target in languages that can be told apart, but 50 % of 16 pairs' held-out sentences were told right, and 90 % are needed; set it to 0 or give more pairs",
    );
  });
});
