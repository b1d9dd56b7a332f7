/** What a rater meets: items one after another, his own order, going on, undoing, and no names of policies. */
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RatingDesk, raterName } from "../../src/rating/desk.js";
import { judgementsOf } from "../../src/rating/judgement.js";
import { readLog } from "../../src/rating/log.js";
import { readRatings } from "../../src/rating/read.js";
import { ratingsFolder, storeRound } from "../../src/rating/round.js";
import { temporaryFolder, testRound } from "./rounds.js";

function openDesk(options: Parameters<typeof testRound>[0] = {}) {
  const round = testRound(options);
  const file = join(temporaryFolder(), "ratings.jsonl");
  return { round, file, desk: new RatingDesk(round, file) };
}

test("a rater goes through all items once, and goes on under the same name", () => {
  const { round, file, desk } = openDesk({ items: 6, repeats: 2, checks: 1 });
  const seen: number[] = [];
  let at = desk.at("anna");
  while (at.next) {
    seen.push(at.next.item);
    // A new desk each time, as after a restart.
    const again = new RatingDesk(round, file);
    at = again.rate(" anna ", { item: at.next.item, scores: at.next.outputs.map(() => 3) });
  }
  expect(seen).toEqual(round.items.map((_, i) => i));
  expect(at.progress).toEqual({ rated: 9, skipped: 0, total: 9 });
  expect(desk.at("ben").progress).toEqual({ rated: 0, skipped: 0, total: 9 });
  expect(desk.raters()).toEqual([{ name: "anna", progress: at.progress }]);
});

test("scores come back to the output that they were given to, whatever the order it was shown in", () => {
  const { round, file, desk } = openDesk({ items: 20 });
  let at = desk.at("anna");
  // Texts of the second kind get 5, the others 1.
  while (at.next)
    at = desk.rate("anna", {
      item: at.next.item,
      scores: at.next.outputs.map((text) => (text.includes("2. kind") ? 5 : 1)),
    });
  const judgements = judgementsOf(round, readLog(file));
  expect(judgements).toHaveLength(40);
  for (const { system, score } of judgements) expect(score).toBe(system === "G1I2" ? 5 : 1);
});

test("a round just begun does not hide what was rated in the one before", async () => {
  const dir = temporaryFolder();
  const first = await storeRound(dir, testRound({ items: 3, seed: 1 }));
  new RatingDesk(first, ratingsFolder(dir).log).rate("anna", { item: 0, scores: [2, 6] });
  const second = await storeRound(dir, testRound({ items: 4, seed: 2 }));
  expect((await readRatings(dir)).round?.id).toBe(first.id);
  expect((await readRatings(dir, second.id)).judgements).toEqual([]);
  new RatingDesk(second, ratingsFolder(dir).log).rate("anna", { item: 0, scores: [1, 1] });
  expect((await readRatings(dir)).round?.id).toBe(second.id);
});

test("what a rater is shown names no policy, no kind of item and no reward", () => {
  const { desk } = openDesk({ items: 9, repeats: 3, checks: 3 });
  let at = desk.at("anna");
  while (at.next) {
    expect(Object.keys(at.next).sort()).toEqual(["item", "outputs", "source"]);
    expect(JSON.stringify(at)).not.toMatch(/G0I0|G1I2|human|damaged|repeat|check|reward/);
    at = desk.skip("anna", { item: at.next.item });
  }
  expect(at.progress.skipped).toBe(15);
});

test("undo gives the last answer out again, with what was given, as often as wanted", () => {
  const { desk } = openDesk({ items: 3 });
  const shown = desk.at("anna").next!;
  desk.rate("anna", { item: 0, scores: [2, 6], comment: " odd word " });
  desk.skip("anna", { item: 1, comment: "not my language" });
  const skipped = desk.undo("anna");
  expect(skipped.undone).toEqual({ scores: null, comment: "not my language" });
  expect(skipped.next?.item).toBe(1);
  const rated = desk.undo("anna");
  expect(rated.undone).toEqual({ scores: [2, 6], comment: "odd word" });
  expect(rated.next).toEqual(shown);
  expect(desk.undo("anna")).toMatchObject({ undone: null, progress: { rated: 0, skipped: 0 } });
});

test("a page that sends the same twice, or a second page, changes nothing and loses nothing", () => {
  const { file, desk } = openDesk({ items: 3 });
  desk.rate("anna", { item: 0, scores: [1, 2] });
  desk.rate("anna", { item: 0, scores: [1, 2] });
  expect(readLog(file).lines).toHaveLength(1);
  desk.rate("anna", { item: 0, scores: [4, 4] });
  expect(readLog(file).lines).toHaveLength(2);
  expect(desk.at("anna").next?.item).toBe(1);
  expect(desk.undo("anna").undone?.scores).toEqual([4, 4]);
});

test("after any course of rating, skipping and undoing the desk is where the answers that stand leave it", () => {
  const moves = fc.array(fc.constantFrom("rate", "skip", "undo"), { maxLength: 25 });
  fc.assert(
    fc.property(moves, (course) => {
      const { desk } = openDesk({ items: 4 });
      const stack: string[] = [];
      for (const move of course) {
        const at = desk.at("anna");
        expect(at.next?.item ?? 4).toBe(stack.length);
        if (move === "undo") {
          desk.undo("anna");
          stack.pop();
        } else if (at.next) {
          if (move === "rate") desk.rate("anna", { item: at.next.item, scores: [3, 3] });
          else desk.skip("anna", { item: at.next.item });
          stack.push(move);
        }
      }
      const rated = stack.filter((move) => move === "rate").length;
      expect(desk.at("anna").progress).toEqual({ rated, skipped: stack.length - rated, total: 4 });
    }),
    { numRuns: 25 },
  );
});

test("what does not fit the item is refused and not kept", () => {
  const { file, desk } = openDesk({ items: 2 });
  for (const scores of [[], [1], [1, 2, 3], [1, 7], [-1, 0], [1.5, 2], [Number.NaN, 1]])
    expect(() => desk.rate("anna", { item: 0, scores })).toThrow(
      "item 1 asks for 2 whole numbers from 0 to 6",
    );
  for (const item of [-1, 2, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER])
    expect(() => desk.rate("anna", { item, scores: [1, 2] })).toThrow(
      "in this round of 2: load the page again",
    );
  expect(() => desk.skip("anna", { item: 9 })).toThrow("there is no item 10");
  expect(() => desk.rate("anna", { item: 0, scores: [1, 2], comment: "x".repeat(2001) })).toThrow(
    "the comment has 2001 characters",
  );
  expect(readLog(file).lines).toEqual([]);
});

test("names are one person's however they are typed, and acting characters are none", () => {
  expect(raterName("  Zoe\u0308   Ma ")).toBe("Zo\u00eb Ma");
  expect(raterName("张三")).toBe("张三");
  for (const name of ["", "  ", "x".repeat(61), "a\u0000b", "a\u202eb", "\ud800"])
    expect(() => raterName(name)).toThrow("a rater's name has 1 to 60 printable characters");
});
