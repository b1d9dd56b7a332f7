/** A folder that Coppice wrote (test/fixtures/marian/written.ts) translates here as it does in Transformers 5.23.0. */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NativePolicy } from "../../src/policy/native.js";
import { Thread } from "../../src/tensor/thread.js";

const fixtures = new URL("../fixtures/marian/", import.meta.url).pathname;
const sources = JSON.parse(readFileSync(`${fixtures}written.sources.json`, "utf8")) as string[];
/** What check.py printed. */
const theirs = readFileSync(`${fixtures}written.translations.jsonl`, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as string);

let thread: Thread;
let policy: NativePolicy;
beforeAll(async () => {
  thread = new Thread();
  policy = await NativePolicy.load(thread, `${fixtures}written`);
});
afterAll(async () => {
  await policy.release();
  await thread.close();
});

test("greedy translations are those of Transformers, word for word", async () => {
  const translated = await policy.translate(
    sources.map((text, sourceId) => ({ sourceId, text })),
    { maxTokens: 100 },
  );
  expect(translated.map(({ text }) => text)).toEqual(theirs);
  // They differ among themselves, so that a mistake would show.
  expect(new Set(theirs).size).toBeGreaterThan(20);
});
