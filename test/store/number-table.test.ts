import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { NumberTable } from "../../src/store/number-table.js";

const hashOf = (i: number) => createHash("sha256").update(String(i)).digest("base64url").slice(0, 22);

it("holds what a map holds, through every growth, and takes a new number for a key", () => {
  const table = new NumberTable();
  const map = new Map<string, number>();
  for (let i = 0; i < 30_000; i++) {
    const key = i % 3 === 0 ? `text ${i % 9000}` : hashOf(i % 20_000);
    expect(table.get(key)).toBe(map.get(key));
    table.set(key, i / 7);
    map.set(key, i / 7);
  }
  for (const [key, value] of map) if (table.get(key) !== value) expect.fail(key);
  expect(table.get(hashOf(-1))).toBeUndefined();
});

it("keys that differ in any character are apart", () => {
  const table = new NumberTable();
  const key = hashOf(1);
  table.set(key, 1);
  // The last character has two bits beyond the 128 that are kept.
  for (let place = 0; place < 21; place++) {
    const other = `${key.slice(0, place)}${key[place] === "A" ? "B" : "A"}${key.slice(place + 1)}`;
    expect(table.get(other), other).toBeUndefined();
  }
});
