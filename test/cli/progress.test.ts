/** Progress: lines where there is no terminal, a bar where there is one, nothing when quiet. */
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createProgress } from "../../src/cli/progress.js";
import { Rate } from "../../src/rest/rate.js";

/** A stream that remembers, and a clock that goes where it is told. */
function stage({ isTTY = false } = {}) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  let text = "";
  stream.on("data", (bytes) => {
    text += bytes;
  });
  const clock = { ms: 0 };
  return { stream, clock, now: () => clock.ms, text: () => text };
}

const step = { label: "Grow 1", total: 1000, unit: "candidates" };

test("without a terminal a plain line comes every ten seconds, and one at the end", () => {
  const { stream, clock, now, text } = stage();
  const progress = createProgress({ ...step, stream, now });
  for (let second = 1; second <= 25; second++) {
    clock.ms = second * 1000;
    progress.update(second * 20, "loss 2.31");
  }
  clock.ms = 50_000;
  progress.update(1000);
  progress.finish();
  expect(text().split("\n")).toEqual([
    "Grow 1: 200/1,000 candidates, 20/s, 40 s left, loss 2.31",
    "Grow 1: 400/1,000 candidates, 20/s, 30 s left, loss 2.31",
    // 1,000 done at 50 s, and 400 at 20 s, 30 seconds before: 20/s.
    "Grow 1: 1,000/1,000 candidates, 20/s, 0.0 s left",
    "Grow 1: 1,000 candidates in 50 s",
    "",
  ]);
});

test("on a terminal it is a bar with rate and time left", () => {
  const { stream, clock, now, text } = stage({ isTTY: true });
  // cli-progress asks the stream to move its cursor.
  Object.assign(stream, { cursorTo: () => true, clearLine: () => true, moveCursor: () => true });
  const progress = createProgress({ ...step, stream, now });
  clock.ms = 10_000;
  progress.update(500);
  progress.finish();
  expect(text()).toMatch(/Grow 1 \S+ {2}50 % 500\/1,000 candidates, 50\/s, 10 s left/);
});

test("quiet prints nothing", () => {
  const { stream, now, text } = stage();
  const progress = createProgress({ ...step, quiet: true, stream, now });
  progress.update(1000);
  progress.note("a word");
  progress.finish();
  expect(text()).toBe("");
});

test("the rate follows a change within thirty seconds", () => {
  let ms = 0;
  const rate = new Rate(100_000, () => ms);
  for (; ms < 60_000; ms += 100) rate.update(ms / 100);
  for (; ms < 95_000; ms += 100) rate.update(600 + (ms - 60_000) / 10);
  // 100 a second now, 10 a second before.
  expect(rate.perSecond).toBeCloseTo(100, 1);
});

test("there is no rate, and no time left, before the first update", () => {
  const rate = new Rate(10, () => 0);
  expect([rate.perSecond, rate.left]).toEqual([0, Number.POSITIVE_INFINITY]);
});
