import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ScoreCache } from "../../src/store/score-cache.js";

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "coppice-cache-"));
  file = join(dir, "scores.jsonl");
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

it("scores outlive the process", async () => {
  const first = await ScoreCache.open(file, { write: true });
  expect(first.get("a")).toBeUndefined();
  await first.add([
    ["a", 0.1],
    ["b", 1],
  ]);
  await first.add([["c", 0]]);
  expect(first.get("a")).toBe(0.1);
  const second = await ScoreCache.open(file, { write: true });
  expect(["a", "b", "c"].map((key) => second.get(key))).toEqual([0.1, 1, 0]);
  expect(readFileSync(file, "utf8")).toBe(
    '{"key":"a","reward":0.1}\n{"key":"b","reward":1}\n{"key":"c","reward":0}\n',
  );
});

it("what is added at the same time is all there, a line each", async () => {
  const cache = await ScoreCache.open(file, { write: true });
  await Promise.all(Array.from({ length: 50 }, (_, i) => cache.add([[`k${i}`, i / 50]])));
  const again = await ScoreCache.open(file, { write: true });
  for (let i = 0; i < 50; i++) expect(again.get(`k${i}`)).toBe(i / 50);
});

it("half a line is dropped, and the next one stands by itself", async () => {
  await (await ScoreCache.open(file, { write: true })).add([["a", 0.1]]);
  appendFileSync(file, '{"key":"b","rew');
  const reader = await ScoreCache.open(file, { write: false });
  expect([reader.get("a"), reader.get("b")]).toEqual([0.1, undefined]);
  await (await ScoreCache.open(file, { write: true })).add([["c", 0.3]]);
  const again = await ScoreCache.open(file, { write: true });
  expect([again.get("a"), again.get("b"), again.get("c")]).toEqual([0.1, undefined, 0.3]);
});

it("for reading nothing is written, though it is remembered", async () => {
  await (await ScoreCache.open(file, { write: true })).add([["a", 0.1]]);
  appendFileSync(file, '{"key"');
  const before = readFileSync(file, "utf8");
  const reader = await ScoreCache.open(file, { write: false });
  await reader.add([["b", 0.2]]);
  expect(reader.get("b")).toBe(0.2);
  expect(readFileSync(file, "utf8")).toBe(before);
});

it("a whole line that is not a score is named", async () => {
  writeFileSync(file, '{"key":"a","reward":0.1}\n{"key":"b","reward":"x"}\n');
  await expect(ScoreCache.open(file, { write: true })).rejects.toThrow(
    `${file}:2: this line is not a score; {"key": …, "reward": …} was expected. Delete the line`,
  );
});

it("in memory there is no file", async () => {
  const cache = ScoreCache.inMemory();
  await cache.add([["a", 0.5]]);
  expect(cache.get("a")).toBe(0.5);
});
