/** `coppice data` and the exports of a run's record, from outside. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { coppice } from "./coppice.js";

const corpora = fileURLToPath(new URL("../fixtures/corpora/", import.meta.url));
const run = fileURLToPath(new URL("../fixtures/export/run", import.meta.url));

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "coppice-data-"));
});
afterAll(() => rmSync(home, { recursive: true }));

test("a corpus is listed, built and cleaned", async () => {
  const listed = await coppice(["data", "list", "--json"]);
  const names = JSON.parse(listed.stdout).map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(["npm-messages", "trans-de-en", "iwslt14", "multi30k"]));

  const out = join(home, "captions");
  const got = await coppice(["data", "get", "multi30k", "--from", join(corpora, "multi30k"), "--out", out]);
  expect(got.stderr).toContain("Writing train\n");
  expect(got.stdout).toMatch(/train\.tsv +2 +0/);
  expect(got.stdout).toContain("Licence: non-commercial research and education.");
  const again = await coppice(["data", "get", "multi30k", "--from", join(corpora, "multi30k"), "--out", out]);
  expect(again).toMatchObject({ code: 2, stdout: "" });
  expect(again.stderr).toContain("this is there already and is left as it is");

  const clean = join(home, "clean");
  const pairs = ["train", "validation"].map((part) => join(out, `${part}.tsv`));
  const cleaned = await coppice([
    "data",
    "clean",
    ...pairs,
    "--test",
    join(out, "validation.tsv"),
    "--out",
    clean,
  ]);
  expect(cleaned.stderr).toBe("");
  expect(cleaned.stdout).toMatch(/^2 of 3 pairs kept\n/);
  expect(cleaned.stdout).toMatch(/test +1 +33 %/);
  expect(cleaned.stdout).toContain("Example of test: Ein Vogel singt. | A bird sings.");
  expect(readFileSync(join(clean, "SOURCE.md"), "utf8")).toContain("cleaned by `coppice data clean`");
});

test("a rule that does not exist, and a mirror that is none, are named", async () => {
  const file = join(corpora, "wmt/news-commentary-v0.en-zh.tsv");
  const rule = await coppice(["data", "clean", file, "--out", join(home, "x"), "--without", "ratios"]);
  expect(rule).toMatchObject({ code: 2, stdout: "" });
  expect(rule.stderr).toMatch(/^there is no rule "ratios", expected broken, .*\. Did you mean ratio\?\n$/);
  const mirror = await coppice([
    "data",
    "get",
    "trans-de-en",
    "--out",
    join(home, "y"),
    "--mirror",
    "debian",
  ]);
  expect(mirror).toMatchObject({ code: 2 });
  expect(mirror.stderr).toContain('"debian" is not the address of a mirror');
});

test("figures are exported as a table; a policy has no place there", async () => {
  const out = join(home, "figures.csv");
  const exported = await coppice(["export", run, out, "--to", "csv", "--json"]);
  expect(exported).toMatchObject({ code: 0, stderr: "" });
  const lines = readFileSync(out, "utf8").trimEnd().split("\n");
  expect(JSON.parse(exported.stdout)).toMatchObject({ to: "csv", out, rows: lines.length - 1 });
  const policy = await coppice(["export", run, join(home, "z"), "--to", "csv", "--policy", "G1I1"]);
  expect(policy).toMatchObject({ code: 2 });
  expect(policy.stderr).toBe("--policy has no effect with --to csv, which is of the whole run. Remove it.\n");
});
