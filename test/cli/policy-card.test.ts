/** What an exported policy's card says of its measurements. */

import { expect, test } from "vitest";
import { type CardFacts, renderCard } from "../../src/cli/policy-card.js";
import { resolveConfig } from "../../src/rest/config.js";

const around = (value: number, half: number) => ({ value, low: value - half, high: value + half });

const facts = (figures: CardFacts["figures"]): CardFacts => ({
  title: "exported",
  layout: "huggingface",
  policy: "G1I1",
  config: resolveConfig({ data: { train: ["pairs.tsv"] }, reward: { kind: "places" } }),
  twoVocabularies: false,
  figures,
  licence: undefined,
});

const figuresOf = (name: string, reward: number, judge?: number): CardFacts["figures"][number] => ({
  name,
  n: 300,
  reward: around(reward, 0.01),
  bleu: around(30, 1),
  chrf: around(50, 1),
  klFromBc: name === "G0I0" ? 0 : 2,
  ...(judge !== undefined && { judge: { name: "bleurt", mean: around(judge, 0.01) } }),
});

test("a judge's mean stands in the card with its interval, and what speaks of gaming with it", () => {
  const card = renderCard(facts([figuresOf("G0I0", 0.5, 0.7), figuresOf("G1I1", 0.6, 0.65)]));
  expect(card).toContain("| policy | reward | BLEU | chrF | bleurt | KL |\n|---|---:|---:|---:|---:|---:|\n");
  expect(card).toContain("| 50.0 [49.0, 51.0] | 65.0 [64.0, 66.0] | 2.00 |");
  expect(card).toContain("bleurt is the judge: 0 to 100");
  expect(card).toContain("reward went up (50.0 → 60.0) while the judge bleurt fell (70.0 → 65.0)");
});

test("without a judge the card has no column for one, and says nothing where nothing fell", () => {
  const card = renderCard(facts([figuresOf("G0I0", 0.5), figuresOf("G1I1", 0.6)]));
  expect(card).toContain("| policy | reward | BLEU | chrF | KL |\n|---|---:|---:|---:|---:|\n");
  expect(card).not.toMatch(/judge|gaming/);
});
