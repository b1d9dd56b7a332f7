/**
 * BLEU and chrF against sacreBLEU 2.6.0 on real text, Chinese included: messages that stand beside their figures, and news
 * of which only figures are stored (test/fixtures/sacrebleu/make_*.py). Both sides damage the references by the same rule.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { corpusBleu, formatBleu, sentenceBleu } from "../../src/evaluate/bleu.js";
import { corpusChrf, formatChrf, sentenceChrf } from "../../src/evaluate/chrf.js";
import { type BleuTokenizer, tokenizeForBleu } from "../../src/evaluate/tokenize/tokenizers.js";
import { type RealTextFixture, readFixture, sharedData } from "./fixtures.js";

const news = sharedData("wmt-newstest-zh-en");
const messages = new URL("../fixtures/sacrebleu/", import.meta.url);
const sets = [
  ...readFixture<RealTextFixture>("sacrebleu/messages.json").sets.map((set) => ({
    ...set,
    text: () => readFileSync(new URL(set.file, messages), "utf8"),
  })),
  ...(news === undefined ? [] : readFixture<RealTextFixture>("sacrebleu/newstest.json").sets).map((set) => ({
    ...set,
    text: () => gunzipSync(readFileSync(new URL(set.file, news))).toString("utf8"),
  })),
];

/** The rule of test/fixtures/sacrebleu/damage.py. */
function damage(text: string, index: number, strength: string, byCharacter: boolean): string {
  const period = strength === "light" ? 9 : 4;
  const all = byCharacter ? Array.from(text) : text.split(" ");
  let units = all.filter((_, j) => (7 * index + j) % period !== period - 1);
  if (strength === "heavy") {
    for (let j = index % 5; j < units.length - 1; j += 5) [units[j], units[j + 1]] = [units[j + 1], units[j]];
    if (index % 3 === 0) units = units.slice(0, Math.floor((units.length + 1) / 2));
  }
  return units.join(byCharacter ? "" : " ");
}

describe.each(sets)("$name", ({ text, columns, byCharacter, sentences, tokensSha256, systems }) => {
  const rows = text()
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  const references = rows.map((row) => columns.map((column) => row[column]));

  test("the file is the one that sacreBLEU read", () => {
    expect(rows).toHaveLength(sentences);
  });

  test.each(Object.entries(tokensSha256))(
    "every token with tokenizer %s is sacreBLEU's",
    (tokenize, sha256) => {
      const hash = createHash("sha256");
      for (const [first] of references)
        hash.update(`${tokenizeForBleu(first, tokenize as BleuTokenizer).join(" ")}\n`);
      expect(hash.digest("hex")).toBe(sha256);
    },
  );

  describe.each(Object.entries(systems))("%s damage", (strength, figures) => {
    // With two references every other hypothesis comes from the second.
    const hypotheses = references.map((list, i) =>
      damage(list[i % 2 === 0 ? list.length - 1 : 0], i, strength, byCharacter),
    );
    const step = Math.floor(hypotheses.length / 40);

    test.each(Object.entries(figures.bleu))("BLEU with tokenizer %s is sacreBLEU's", (name, expected) => {
      const tokenize = name as BleuTokenizer; // the fixture's keys are tokenizers
      const score = corpusBleu(hypotheses, references, { tokenize });
      expect(formatBleu(score, score.signature)).toBe(expected.line);
      expect(score.score).toBeCloseTo(expected.score, 9);
      const scores = hypotheses.map((h, i) => sentenceBleu(h, references[i], { tokenize }).score);
      expectScores(scores, step, expected);
    });

    test.each(Object.entries(figures.chrf))("chrF with word order %s is sacreBLEU's", (name, expected) => {
      const wordOrder = name === "2" ? 2 : 0;
      const { score, signature } = corpusChrf(hypotheses, references, { wordOrder });
      expect(formatChrf(score, signature, { wordOrder })).toBe(expected.line);
      expect(score).toBeCloseTo(expected.score, 9);
      const scores = hypotheses.map((h, i) => sentenceChrf(h, references[i], { wordOrder }));
      expectScores(scores, step, expected);
    });
  });
});

function expectScores(
  scores: number[],
  step: number,
  expected: { sentences: number[]; sentenceMean: number },
) {
  const some = scores.filter((_, i) => i % step === 0);
  expect(some).toHaveLength(expected.sentences.length);
  const largest = Math.max(...some.map((score, i) => Math.abs(score - expected.sentences[i])));
  expect(largest, "largest difference of a sentence").toBeLessThan(1e-9);
  expect(scores.reduce((sum, score) => sum + score, 0) / scores.length).toBeCloseTo(expected.sentenceMean, 9);
}
