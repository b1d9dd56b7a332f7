import { expect, test } from "vitest";
import { changeName, corpusNames } from "../../src/reward/names.js";
import { deriveKey } from "../../src/tensor/random.js";

const pairs = [
  { source: "In Berlin wohnt Anna.", target: "In Berlin lives Anna." },
  { source: "Die Hand in der Tasche", target: "Hand in the pocket" },
  { source: "Der Hund", target: "The Dog" },
  { source: "eine hand", target: "a hand" },
];

test("a name is capitalised on both sides of a pair and small nowhere", () => {
  // "In" and "Hand" stand small elsewhere, "Hund" and "Dog" on one side only.
  expect(corpusNames(pairs)).toEqual(["Berlin", "Anna"]);
});

test("a name is replaced wherever it stands by one that the text does not have", () => {
  expect(changeName("Anna sees Anna's dog", ["Anna", "Oslo"], deriveKey(1))).toBe("Oslo sees Oslo's dog");
});

test("a text without a name, or with all of them, cannot be changed", () => {
  expect(changeName("a dog", ["Anna", "Oslo"], deriveKey(1))).toBeUndefined();
  expect(changeName("Anna in Oslo", ["Anna", "Oslo"], deriveKey(1))).toBeUndefined();
});
