/** What ratings come to, on cases worked by hand. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Judgement, judgementsOf, merged } from "../../src/rating/judgement.js";
import type { LogLine } from "../../src/rating/log.js";
import { type RatingResults, ratingResults } from "../../src/rating/results.js";
import { ratable, testRound } from "./rounds.js";

function given(over: Partial<Judgement> & Pick<Judgement, "item" | "system" | "score">): Judgement {
  return {
    ...{ scale: "sqm", kind: "item", rater: "anna", source: `source ${over.item}` },
    text: `${over.system} on ${over.item}`,
    ...over,
  };
}

/** One row an item, one column a system. */
function table(
  systems: readonly string[],
  rows: readonly (readonly number[])[],
  rater = "anna",
): Judgement[] {
  return rows.flatMap((row, item) =>
    row.map((score, at) => given({ item: String(item), system: systems[at]!, score, rater })),
  );
}

function results(judgements: readonly Judgement[]): RatingResults {
  const all = ratingResults(judgements, 1);
  expect(all).toHaveLength(1);
  return all[0]!;
}

describe("policies", () => {
  // Differences of the second to the first: 2, 1, 0, −1, 3, 1; mean 1.
  const rows = [
    [1, 3],
    [4, 5],
    [6, 6],
    [3, 2],
    [0, 3],
    [2, 3],
  ];

  test("the difference to BC is the mean over items, with wins, losses and an exact p", () => {
    const { baseline, systems } = results(table(["G0I0", "G1I2"], rows));
    expect(baseline).toBe("G0I0");
    const [bc, last] = systems;
    expect(bc).toMatchObject({ name: "G0I0", items: 6, difference: null, reward: null });
    expect(bc!.score.value).toBeCloseTo(16 / 6, 12);
    expect(last!.difference).toMatchObject({ items: 6, value: 1, wins: 4, losses: 1 });
    // Of the 32 signs of 2, 1, 1, 3, 1 those with a sum of 6 or more, or −6 or less: none flipped (8), or one of the ones (6).
    expect(last!.difference!.p).toBe((2 * (1 + 3)) / 32);
    expect(last!.difference!.low).toBeLessThan(1);
    expect(last!.difference!.high).toBeGreaterThan(1);
  });

  test("raters are averaged within an item before items are averaged", () => {
    const once = table(
      ["G0I0", "G1I2"],
      [
        [0, 6],
        [0, 0],
        [0, 0],
      ],
    );
    const again = table(["G0I0", "G1I2"], [[0, 4]], "ben");
    // (5 + 0 + 0) / 3, where a mean over ratings would be 10 / 4.
    expect(results([...once, ...again]).systems[1]!.score.value).toBeCloseTo(5 / 3, 12);
  });

  test("the baseline is BC wherever it stands, else the first system", () => {
    expect(results(table(["G1I2", "G0I0"], rows)).baseline).toBe("G0I0");
    expect(results(table(["A", "B"], rows)).baseline).toBe("A");
  });

  test("items that only one of two systems has do not enter their difference", () => {
    const judgements = [...table(["G0I0", "G1I2"], rows), given({ item: "9", system: "G1I2", score: 6 })];
    const [, last] = results(judgements).systems;
    expect(last).toMatchObject({ items: 7, difference: { items: 6, value: 1 } });
  });

  test("swapping two policies' texts turns the difference over", () => {
    const scores = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(scores, (pairs) => {
        const there = results(table(["G0I0", "A"], pairs)).systems[1]!.difference!;
        const back = results(table(["A", "G0I0"], pairs)).systems[0]!.difference!;
        expect(back.value).toBeCloseTo(-there.value, 12);
        expect(back.p).toBe(there.p);
        expect([back.wins, back.losses]).toEqual([there.losses, there.wins]);
      }),
      { numRuns: 20 },
    );
  });
});

describe("a round", () => {
  const [alike, ...others] = ratable(6);
  const shared = { ...alike!, outputs: alike!.outputs.map((output) => ({ ...output, text: "one text" })) };
  const round = testRound({ items: 6, repeats: 2, checks: 4, sources: [shared, ...others] });
  const answers = (rater: string, score: (writers: readonly string[], kind: string) => number): LogLine[] =>
    round.items.map(({ outputs, kind }, item) => ({
      id: `00000000-0000-4000-8000-${String(item).padStart(12, "0")}`,
      at: "2026-01-02T03:04:05.000Z",
      round: round.id,
      ...{ rater, item, action: "rate" },
      scores: outputs.map(({ writers }) => score(writers, kind)),
    }));
  const of = (...lines: LogLine[]) => results(judgementsOf(round, { lines }));

  test("an output that two policies share is rated once and counts for both", () => {
    const lines = answers("anna", (writers) => (writers.includes("G1I2") ? 5 : 2));
    const [bc, last] = of(...lines).systems;
    expect([bc!.items, last!.items]).toEqual([6, 6]);
    expect(bc!.score.value).toBeCloseTo((5 * 2 + 5) / 6, 12);
    expect(last!.difference).toMatchObject({ wins: 5, losses: 0 });
    // Eleven texts with a reward, not twelve.
    expect(of(...lines).reward!.overall.texts).toBe(11);
  });

  test("a rater who gives a damaged text as much as the human one is careless, one who does not is not", () => {
    const careful = answers("anna", ([writer]) => (writer!.startsWith("damaged:") ? 1 : 4));
    const careless = answers("ben", () => 4);
    const [anna, ben] = of(...careful, ...careless).raters;
    expect(anna).toMatchObject({ name: "anna", checks: { seen: 4, failed: 0 }, careless: false });
    expect(ben).toMatchObject({ name: "ben", checks: { seen: 4, failed: 4 }, careless: true });
  });

  test("repeats tell how far a rater agrees with himself, and count for nothing else", () => {
    const steady = of(...answers("anna", ([writer]) => (writer === "G1I2" ? 5 : 1)));
    expect(steady.raters[0]!.repeats).toMatchObject({ same: 1, withinOne: 1, distance: 0, alpha: 1 });
    const moved = of(
      ...answers("anna", ([writer], kind) => (writer === "G1I2" ? 4 : 1) + (kind === "repeat" ? 2 : 0)),
    );
    expect(moved.raters[0]!.repeats).toMatchObject({ same: 0, withinOne: 0, distance: 2 });
    expect(moved.systems.map(({ score }) => score.value)).toEqual(
      of(...answers("anna", ([writer]) => (writer === "G1I2" ? 4 : 1))).systems.map(
        ({ score }) => score.value,
      ),
    );
    expect(moved.raters[0]!.items).toBe(6);
  });

  test("answers that do not fit their item are left out", () => {
    const [first] = answers("anna", () => 3);
    const misfit = { ...first!, scores: [1, 2, 3, 4] } as LogLine;
    const nowhere = { ...first!, item: 99 } as LogLine;
    expect(judgementsOf(round, { lines: [misfit, nowhere] })).toEqual([]);
  });

  test("ratings that come back from a file add nothing, white space apart", () => {
    const judgements = judgementsOf(round, { lines: answers("anna", () => 3) });
    const back = judgements.map((one) => ({ ...one, text: ` ${one.text}  ` }));
    expect(merged([judgements, back])).toEqual(judgements);
  });
});

describe("agreement between raters", () => {
  test("α is taken over texts, each once however many systems wrote it", () => {
    const text = (item: string, system: string, score: number, rater: string) =>
      given({ item, system, score, rater, text: `text of ${item}` });
    const judgements = [
      ["0", 1, 1],
      ["1", 3, 4],
      ["2", 6, 6],
    ].flatMap(([item, anna, ben]) =>
      ["G0I0", "G1I2"].flatMap((system) => [
        text(String(item), system, Number(anna), "anna"),
        text(String(item), system, Number(ben), "ben"),
      ]),
    );
    const { agreement } = results(judgements);
    expect(agreement).toMatchObject({ texts: 3, raters: 2 });
    // Values 1 1 | 3 4 | 6 6: n = 6, observed (0.5+0.5)²·2 = 2; expected: see below.
    // Frequencies 2 1 1 2 at 1 3 4 6. Distances: 1-3 1.5, 1-4 2.5, 1-6 4, 3-4 1, 3-6 2.5, 4-6 1.5 (before squaring).
    const expected = 2 * (2 * 1.5 ** 2 + 2 * 2.5 ** 2 + 4 * 4 ** 2 + 1 + 2 * 2.5 ** 2 + 2 * 1.5 ** 2);
    expect(agreement.alpha).toBeCloseTo(1 - (5 * 2) / expected, 12);
  });

  test("with one rater it is not known", () => {
    expect(results(table(["G0I0"], [[1], [2]])).agreement).toEqual({ alpha: null, texts: 0, raters: 1 });
  });
});

describe("the reward beside people", () => {
  // Low scores with rewards far apart, high ones close together: the paper's Figures 9 and 10.
  const points: [score: number, reward: number][] = [
    [0, 0.9],
    [1, 0.1],
    [2, 0.8],
    [3, 0.2],
    [4, 0.6],
    [5, 0.65],
    [6, 0.7],
  ];
  const judgements = points.map(([score, reward], i) =>
    given({ item: String(i), system: i % 2 === 0 ? "G0I0" : "G1I2", score, reward }),
  );
  const reward = results(judgements).reward!;

  test("rewards stand in bands of people's score: the first with both its ends, the others without the lower", () => {
    const [all] = reward.bySystem;
    expect(all!.bands.map(({ texts }) => texts)).toEqual([2, 1, 1, 1, 1, 1]);
    expect(all!.bands[0]).toMatchObject({ over: 0, upTo: 1, meanReward: 0.5 });
    expect(all!.bands[0]!.deviation).toBeCloseTo(Math.sqrt(2 * 0.4 ** 2), 12);
    expect(all!.bands[1]).toMatchObject({ meanReward: 0.8, deviation: null });
    expect(reward.bySystem.map(({ system }) => system)).toEqual(["all", "G0I0", "G1I2"]);
  });

  test("its spread is told at scores of up to 3 and above", () => {
    expect(reward.spread.low).toMatchObject({ texts: 4, upTo: 3 });
    expect(reward.spread.high).toMatchObject({ texts: 3 });
    expect(reward.spread.low.deviation!).toBeGreaterThan(5 * reward.spread.high.deviation!);
  });

  test("the calibration table goes from low rewards to high, every text in one row", () => {
    const { calibration } = reward;
    expect(calibration).toHaveLength(5);
    expect(calibration.reduce((sum, { texts }) => sum + texts, 0)).toBe(7);
    expect(calibration[0]).toMatchObject({ low: 0.1, meanScore: 1 });
    expect(calibration.at(-1)).toMatchObject({ high: 0.9, meanScore: 0 });
    for (const [i, row] of calibration.slice(1).entries())
      expect(row.low).toBeGreaterThan(calibration[i]!.high);
  });

  test("two policies that reward and people order oppositely beyond noise are named", () => {
    const rows = Array.from({ length: 12 }, (_, item) => [
      given({ item: String(item), system: "G0I0", score: 5, reward: 0.3 + item / 100 }),
      given({ item: String(item), system: "G1I4", score: 3 + (item % 2), reward: 0.5 + item / 90 }),
    ]).flat();
    const { ranking } = results(rows).reward!;
    expect(ranking).toMatchObject({ people: ["G0I0", "G1I4"], reward: ["G1I4", "G0I0"], kendall: -1 });
    expect(ranking.opposite).toMatchObject([{ a: "G0I0", b: "G1I4", clear: true, score: { value: 1.5 } }]);
  });

  test("policies in the same order leave nothing to tell", () => {
    const rows = Array.from({ length: 4 }, (_, item) => [
      given({ item: String(item), system: "G0I0", score: 2, reward: 0.3 }),
      given({ item: String(item), system: "G1I4", score: 4, reward: 0.5 }),
    ]).flat();
    expect(results(rows).reward!.ranking).toMatchObject({ kendall: 1, opposite: [] });
  });

  test("without rewards, or with too few, there is nothing to set beside people", () => {
    expect(results(table(["G0I0"], [[1], [2], [3]])).reward).toBeNull();
    expect(results(judgements.slice(0, 2)).reward).toBeNull();
  });
});

test("ratings on different scales are not mixed", () => {
  const judgements = [
    given({ item: "0", system: "A", score: 5 }),
    given({ item: "0", system: "A", score: 85, scale: "da" }),
    given({ item: "0", system: "A", score: -1.2, scale: "z" }),
    given({ item: "0", system: "A", score: -5, scale: "mqm" }),
  ];
  const all = ratingResults(judgements, 1);
  expect(all.map(({ scale, systems }) => [scale, systems[0]!.score.value])).toEqual([
    ["sqm", 5],
    ["da", 85],
    ["z", -1.2],
    ["mqm", -5],
  ]);
  expect(ratingResults([], 1)).toEqual([]);
});

test("results are JSON without loss: no NaN, no infinity", () => {
  const all = ratingResults(table(["G0I0", "G1I2"], [[3, 3]]), 1);
  expect(JSON.parse(JSON.stringify(all))).toEqual(all);
});

test("a comment is listed once an item, with its rater", () => {
  const judgements = ["G0I0", "G1I2"].map((system) =>
    given({ item: "0", system, score: 3, comment: "odd <b>source</b>" }),
  );
  expect(results(judgements).comments).toEqual([
    { rater: "anna", source: "source 0", comment: "odd <b>source</b>" },
  ]);
});
