/** What a round shows, and in which order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { planRound, shownOrder } from "../../src/rating/plan.js";
import { checkable, ratable, testRound } from "./rounds.js";

test("the same seed plans the same round, another one another", () => {
  const [one, same, other] = [1, 1, 2].map((seed) => testRound({ seed, items: 30, repeats: 3, checks: 3 }));
  expect(same).toEqual(one);
  expect(other!.id).not.toBe(one!.id);
  expect(other!.items.map(({ source }) => source)).not.toEqual(one!.items.map(({ source }) => source));
});

test("each chosen source is one item, in no order of the corpus", () => {
  const { items } = testRound({ items: 40, sources: ratable(100) });
  const ids = items.map(({ sourceId }) => sourceId);
  expect(new Set(ids).size).toBe(40);
  expect(ids).not.toEqual(ids.toSorted((a, b) => a - b));
  expect(Math.max(...ids)).toBeGreaterThan(60);
});

test("a source that stands twice in the corpus is one item", () => {
  const twice = [...ratable(5), ...ratable(5).map((source) => ({ ...source, id: source.id + 5 }))];
  expect(new Set(testRound({ items: 5, sources: twice }).items.map(({ source }) => source)).size).toBe(5);
  expect(() => testRound({ items: 6, sources: twice })).toThrow(
    "6 items were asked for, but only 5 different sources were evaluated. Give --items 5 or fewer.",
  );
});

test("outputs that read alike are one, of all that wrote it, and white space does not tell them apart", () => {
  const [source] = ratable(1, ["G0I0", "G1I1", "G1I2"]);
  const [bc, first, second] = source!.outputs;
  const alike = {
    ...source!,
    outputs: [bc!, { ...first!, text: `  ${bc!.text.replace(" ", "\u00a0 ")}` }, second!],
  };
  const { items } = testRound({ items: 1, sources: [alike] });
  expect(items[0]!.outputs.map(({ writers }) => writers)).toEqual([["G0I0", "G1I1"], ["G1I2"]]);
});

test("a repeat stands at least a third of the items after its first showing", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 30 }),
      fc.nat(),
      (items, repeats, seed) => {
        const round = testRound({ items, repeats, seed });
        const shown = round.items;
        expect(shown.filter(({ kind }) => kind === "repeat")).toHaveLength(
          Math.min(repeats, Math.floor(items / 3)),
        );
        shown.forEach(({ kind, sourceId, outputs }, at) => {
          if (kind !== "repeat") return;
          const first = shown.findIndex((item) => item.kind === "item" && item.sourceId === sourceId);
          expect(first).toBeGreaterThanOrEqual(0);
          expect(shown[first]!.outputs).toEqual(outputs);
          const between = shown.slice(first + 1, at).filter((item) => item.kind === "item");
          expect(between.length).toBeGreaterThanOrEqual(Math.floor(items / 3));
        });
      },
    ),
  );
});

test("checks show the human translation beside damaged ones, of sources that no item has", () => {
  const round = testRound({ items: 10, checks: 5 });
  const checks = round.items.filter(({ kind }) => kind === "check");
  expect(checks).toHaveLength(5);
  const rated = new Set(round.items.filter(({ kind }) => kind === "item").map(({ source }) => source));
  for (const { source, outputs } of checks) {
    expect(rated.has(source)).toBe(false);
    expect(outputs.map(({ writers }) => writers)).toEqual([["human"], ["damaged:shuffled"]]);
  }
});

test("checks take sources of items where there are no others", () => {
  const { items } = planRound(ratable(4), checkable(4), {
    ...{ seed: 1, policies: ["G0I0"], items: 4, repeats: 0, checks: 2 },
  });
  expect(items.filter(({ kind }) => kind === "check")).toHaveLength(2);
});

test("each policy stands on the left about as often, for each rater in an order of his own", () => {
  const round = testRound({ items: 400 });
  const firsts = (rater: string) => round.items.map((_, item) => shownOrder(round, item, rater)[0]!);
  const left = firsts("anna").filter((output) => output === 0).length;
  // Binomial of 400: three standard deviations are 30.
  expect(Math.abs(left - 200)).toBeLessThan(30);
  expect(firsts("ben")).not.toEqual(firsts("anna"));
  expect(firsts("anna")).toEqual(firsts("anna"));
});
