import { describe, expect, it } from "vitest";
import { bleuReward, chrfReward } from "../../src/reward/metric.js";

function input(candidate: string, reference: string) {
  return { source: "x", candidate, reference };
}

describe("metric rewards", () => {
  it("chrF2 is the figure by hand over 100", async () => {
    // "ab" against "abc": characters P 2/2, R 2/3; pairs P 1/1, R 1/2; no triple in "ab", so two orders count.
    // P = 1, R = (2/3 + 1/2) / 2 = 7/12; F2 = 5·P·R / (4·P + R) = (35/12) / (55/12) = 7/11.
    const [score] = await chrfReward().score([input("ab", "abc")]);
    expect(score).toBeCloseTo(7 / 11, 12);
  });

  it("chrF2++ also counts words", async () => {
    // The same letters in other words: chrF2, blind to white space, is 1; chrF2++ is not.
    const inputs = [input("thecat", "the cat")];
    expect(await chrfReward().score(inputs)).toEqual([1]);
    const [score] = await chrfReward({ wordOrder: 2 }).score(inputs);
    // Six orders of characters are perfect; of one word none matches; no word pair in the candidate: P = R = 6/7.
    expect(score).toBeCloseTo(6 / 7, 12);
  });

  it("BLEU is the figure by hand over 100", async () => {
    // "a b c d" against "a b c d e": all n-grams match, brevity penalty e^(1 − 5/4).
    const [score] = await bleuReward().score([input("a b c d", "a b c d e")]);
    expect(score).toBeCloseTo(Math.exp(-0.25), 12);
  });

  it("BLEU takes a tokenizer for text without spaces", async () => {
    // By characters 4 of the 5 are there and in order: brevity penalty e^(1 − 5/4). As one word nothing matches.
    const inputs = [input("他说你好", "他说你好吗")];
    const [zh] = await bleuReward({ tokenize: "zh" }).score(inputs);
    expect(zh).toBeCloseTo(Math.exp(-0.25), 12);
    expect(await bleuReward().score(inputs)).toEqual([0]);
  });

  it("each candidate is scored against its own reference, in order", async () => {
    const reward = chrfReward();
    const inputs = [input("a dog", "a dog"), input("a dog", "two cats"), input("two cats", "two cats")];
    const together = await reward.score(inputs);
    const alone = await Promise.all(inputs.map(async (each) => (await reward.score([each]))[0]));
    expect(together).toEqual(alone);
    expect(together[0]).toBe(1);
    expect(together[1]).toBeLessThan(0.3);
    expect(together[2]).toBe(1);
  });
});
