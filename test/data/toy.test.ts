import { expect, test } from "vitest";
import { toyPairs } from "../../src/data/toy.js";
import { UserError } from "../../src/errors.js";

const pairs = toyPairs({ pairs: 500, seed: 1 });

test("the target is the source's words from the last to the first", () => {
  for (const { source, target } of pairs) expect(target.split(" ").reverse().join(" ")).toBe(source);
});

test("lists have the asked number of words out of the alphabet, and every length and word occurs", () => {
  const lists = toyPairs({
    pairs: 200,
    seed: 2,
    minLength: 2,
    maxLength: 4,
    alphabet: ["x", "yy", "zzz", "w", "v"],
  });
  const split = lists.map(({ source }) => source.split(" "));
  expect(new Set(split.map((words) => words.length))).toEqual(new Set([2, 3, 4]));
  expect(new Set(split.flat())).toEqual(new Set(["x", "yy", "zzz", "w", "v"]));
});

test("no list comes twice", () => {
  expect(new Set(pairs.map(({ source }) => source)).size).toBe(500);
});

test("a longer result starts with the shorter one, and another seed gives other lists", () => {
  expect(toyPairs({ pairs: 50, seed: 1 })).toEqual(pairs.slice(0, 50));
  expect(toyPairs({ pairs: 50, seed: 2 })).not.toEqual(pairs.slice(0, 50));
});

test("more lists than half of those that exist is an error", () => {
  // Three words of two: 2³ = 8 lists.
  const options = { seed: 1, minLength: 3, maxLength: 3, alphabet: ["0", "1"] };
  expect(toyPairs({ ...options, pairs: 4 })).toHaveLength(4);
  expect(() => toyPairs({ ...options, pairs: 5 })).toThrow(
    new UserError(
      "the toy can't give 5 different lists: 8 exist, and half of them is the limit; allow longer lists.",
    ),
  );
});

test("lengths and alphabets that can't be are errors", () => {
  expect(() => toyPairs({ pairs: 0, seed: 1 })).toThrow("the toy needs 1 pair or more, found 0.");
  expect(() => toyPairs({ pairs: 5, seed: 1, minLength: 4, maxLength: 3 })).toThrow(
    "the toy's lengths are 4 to 3",
  );
  expect(() => toyPairs({ pairs: 5, seed: 1, alphabet: ["a", "a"] })).toThrow(
    "different words without spaces",
  );
});
