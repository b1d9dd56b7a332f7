import { expect, it } from "vitest";
import { sharePlaces } from "../../src/reward/places.js";

// By hand: places right over the longer length.
it.each([
  ["3 2 1", "3 2 1", 1],
  ["3 2 1", "1 2 3", 1 / 3],
  ["3 2", "3 2 1", 2 / 3],
  ["3 2 1 0", "3 2 1", 3 / 4],
  ["2 1", "3 2 1", 0],
  ["", "3 2 1", 0],
  ["3", "", 0],
  ["", "", 1],
  [" 3  2\t1 ", "3 2 1", 1],
])("%j against %j has the share %d of its places right", (candidate, reference, share) => {
  expect(sharePlaces(candidate, reference)).toBe(share);
});
