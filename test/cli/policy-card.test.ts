/** What an exported policy's card says of its measurements. */

import { expect, test } from "vitest";
import { type CardFacts, renderCard } from "../../src/cli/policy-card.js";
import { renderServedCard } from "../../src/cli/served-card.js";
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

test("the card of a served policy has what was measured of its answers", () => {
  const config = resolveConfig({
    data: { train: ["problems.jsonl"] },
    policy: { kind: "server", model: "owner/base", url: "http://127.0.0.1:1/v1" },
    reward: { kind: "number" },
    grow: { samples: 8, temperature: 0.7 },
    improve: { human: "none", trainer: { command: ["train"] } },
  });
  const answers = {
    exact: around(0.25, 0.05),
    attempts: [
      { k: 1, pass: around(0.2, 0.04), majority: around(0.2, 0.04) },
      { k: 4, pass: around(0.5, 0.1), majority: around(0.3, 0.1) },
    ],
  };
  const figures = [figuresOf("G0I0", 0.1), { ...figuresOf("G1I1", 0.2), answers }];
  const card = renderServedCard({ title: "out", policy: "G1I1", model: "merged", config, figures });
  expect(card).toContain("It started from the model `base`.");
  expect(card).toContain(
    "1 Grow step of 8 samples a source at temperature 0.7, and 1 Improve step after the last of them",
  );
  expect(card).toContain("| policy | reward | exact match | pass@1 | pass@4 | maj@4 |");
  expect(card).toContain("| G0I0, where ReST began | 10.0 [9.0, 11.0] | – | – | – | – |");
  expect(card).toContain(
    "| G1I1 | 20.0 [19.0, 21.0] | 25 % [20 %, 30 %] | 20 % [16 %, 24 %] | 50 % [40 %, 60 %] | 30 % [20 %, 40 %] |",
  );
  expect(card).not.toMatch(/judge|gaming/);

  const parted = [figuresOf("G0I0", 0.1, 0.7), figuresOf("G1I1", 0.2, 0.6)];
  const judged = renderServedCard({ title: "out", policy: "G1I1", model: "a`b", config, figures: parted });
  expect(judged).toContain("The model `a'b`, policy");
  expect(judged).toContain("| policy | reward | BLEU | chrF | bleurt |\n|---|---:|---:|---:|---:|");
  expect(judged).toContain("| 50.0 [49.0, 51.0] | 60.0 [59.0, 61.0] |");
  expect(judged).toMatch(/\n\nPossible gaming of the reward: .* while the judge bleurt fell/);
});
