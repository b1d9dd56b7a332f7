import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { MetricsLog, readMetrics } from "../../src/store/metrics.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-metrics-"));
  path = join(folder, "metrics.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));
const text = () => readFileSync(path, "utf8");

it("a line has its keys in alphabetical order and time last, whatever order they came in", () => {
  const log = MetricsLog.open(path, 0);
  log.append({ time: { seconds: 2, at: "now" }, step: "bc", loss: 1.5, by: { z: 1, a: [{ d: 1, c: 2 }] } });
  log.append({ loss: Number.NaN, absent: undefined });
  log.close();
  expect(text()).toBe(
    '{"by":{"a":[{"c":2,"d":1}],"z":1},"loss":1.5,"step":"bc","time":{"at":"now","seconds":2}}\n{"loss":null}\n',
  );
});

it("a killed and resumed run has the lines of one that was not", () => {
  const log = MetricsLog.open(path, 0);
  log.append({ step: 1 });
  log.append({ step: 2 });
  log.sync();
  const finished = log.lines;
  log.append({ step: 3, half: true });
  log.close();
  // The line in which the process died.
  appendFileSync(path, '{"step":4,"lo');
  const again = MetricsLog.open(path, finished);
  again.append({ step: 3 });
  expect(again.lines).toBe(3);
  again.close();
  expect(text()).toBe('{"step":1}\n{"step":2}\n{"step":3}\n');
});

it("fewer lines than the manifest counts is an error with both numbers", () => {
  writeFileSync(path, '{"step":1}\n{"st');
  expect(() => MetricsLog.open(path, 2)).toThrow(UserError);
  expect(() => MetricsLog.open(path, 2)).toThrow(
    /metrics\.jsonl: this file holds 1 whole line, but the manifest counts 2/,
  );
  expect(text()).toBe('{"step":1}\n{"st');
});

it("reading leaves out a torn last line and names a broken one by number", () => {
  writeFileSync(path, '{"step":1}\n{"st');
  expect(readMetrics(path)).toEqual([{ step: 1 }]);
  writeFileSync(path, '{"step":1}\n7\n');
  expect(() => readMetrics(path)).toThrow(/metrics\.jsonl:2: /);
});
