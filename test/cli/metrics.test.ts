/** `coppice bleu` and `coppice chrf`: the scores themselves are checked in test/evaluate. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { coppice } from "./coppice.js";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "coppice-metrics-"));
  await writeFile(join(home, "ref"), "the cat sat on a mat.\nhello world\n");
  await writeFile(join(home, "hyp"), "the cat sat on the mat.\nhello there\n");
  await writeFile(join(home, "short"), "the cat sat on the mat.\n");
  await writeFile(join(home, "zh.ref"), "他说你好吗\n");
  await writeFile(join(home, "zh.hyp"), "他说你好\n");
});
afterAll(() => rm(home, { recursive: true }));

// Scores: sacreBLEU 2.6.0 on the same lines.
test("chrf prints sacreBLEU's line for chrF2 and for chrF2++", async () => {
  const line = async (...args: string[]) =>
    (await coppice(["chrf", "ref", "hyp", ...args], { cwd: home })).stdout;
  expect(await line()).toBe("chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0 = 57.62\n");
  expect(await line("--word-order", "2")).toBe(
    "chrF2++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0 = 60.10\n",
  );
});

test("bleu takes the reference first and the tokenizer by name", async () => {
  const { stdout } = await coppice(["bleu", "zh.ref", "zh.hyp", "--tokenize", "zh"], { cwd: home });
  expect(stdout).toMatch(/^BLEU\|nrefs:1\|case:mixed\|eff:no\|tok:zh\|smooth:exp\|version:2\.6\.0 = 77\.88 /);
  expect(stdout).toContain("BP = 0.779");
});

test("--json prints the score, its signature and the number of lines", async () => {
  const { stdout } = await coppice(["bleu", "zh.ref", "zh.hyp", "--tokenize", "zh", "--json"], { cwd: home });
  const value = JSON.parse(stdout);
  expect(value).toMatchObject({ metric: "bleu", n: 1, signature: expect.stringContaining("tok:zh") });
  expect(value.score).toBeCloseTo(77.88, 2);
});

test("files of different length are refused", async () => {
  expect(await coppice(["bleu", "ref", "short"], { cwd: home })).toEqual({
    code: 2,
    stdout: "",
    stderr: "short: it has 1 line but ref has 2. Give one hypothesis a line for each reference.\n",
  });
});
