/** `coppice init`. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startRunFolder } from "../../src/cli/init.js";
import { parseConfig } from "../../src/rest/config.js";
import { coppice } from "./coppice.js";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "coppice-init-"));
});
afterEach(() => rm(home, { recursive: true }));

const file = (name: string) => join(home, name);
const configOf = async (dir: string) =>
  parseConfig(await readFile(file(`${dir}/coppice.yaml`), "utf8"), "a.yaml");

test("says what is in the pairs and what to do next, and writes a configuration that names them", async () => {
  // Sources of 1, 3 and 1 characters: median 1; targets of 3, 5 and 3: median 3.
  await writeFile(file("pairs.tsv"), "a\tone\nabc\tthree\na\tone\n");
  const { code, stdout, stderr } = await coppice(["init", "runs/mine", "--pairs", "pairs.tsv"], {
    cwd: home,
  });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toBe(
    "3 pairs, 1 duplicate among them; median length 1 character in the source, 3 in the target.\n" +
      "Wrote runs/mine/coppice.yaml. Look through it, then run: coppice run runs/mine\n",
  );
  expect((await configOf("runs/mine")).data.train).toEqual(["../../pairs.tsv"]);
});

test("--json prints the counts for machines", async () => {
  await writeFile(file("pairs.tsv"), "a\tone\nabc\tthree\na\ttwo\n");
  const { stdout } = await coppice(["init", "mine", "--pairs", "pairs.tsv", "--json"], { cwd: home });
  expect(JSON.parse(stdout)).toEqual({
    config: "mine/coppice.yaml",
    pairs: 3,
    duplicatePairs: 0,
    duplicateSources: 1,
    medianSourceCharacters: 1,
    medianTargetCharacters: 3,
  });
});

test("--keys is for people: with --json it is refused", async () => {
  const { code, stdout, stderr } = await coppice(["init", "--keys", "--json"]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toBe("option '--keys' cannot be used with option '--json'.\n");
});

test("--keys prints docs/configuration.md", async () => {
  const page = await readFile(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  expect((await coppice(["init", "--keys"])).stdout).toBe(page);
});

describe("a run folder", () => {
  test("names two text files from where it lies, and several files in order", async () => {
    await writeFile(file("a.de"), "eins\n");
    await writeFile(file("a.en"), "one\n");
    await writeFile(file("b.jsonl"), '{"source": "zwei", "target": "two"}\n');
    await startRunFolder({ dir: file("run"), pairs: [`${file("a.de")},${file("a.en")}`, file("b.jsonl")] });
    expect((await configOf("run")).data.train).toEqual(["../a.de,../a.en", "../b.jsonl"]);
  });

  test("keeps a comma that belongs to a file's name", async () => {
    await writeFile(file("a,b.tsv"), "eins\tone\n");
    await startRunFolder({ dir: file("run"), pairs: [file("a,b.tsv")] });
    expect((await configOf("run")).data.train).toEqual(["../a,b.tsv"]);
  });

  test("of a small corpus holds out shares, of a large one numbers of pairs", async () => {
    const lines = (n: number) => Array.from({ length: n }, (_, i) => `q${i}\ta${i}\n`).join("");
    await writeFile(file("small.tsv"), lines(4999));
    await writeFile(file("large.tsv"), lines(5000));
    await startRunFolder({ dir: file("small"), pairs: [file("small.tsv")] });
    await startRunFolder({ dir: file("large"), pairs: [file("large.tsv")] });
    expect((await configOf("small")).data).toMatchObject({ validationSize: 0.1, testSize: 0.1 });
    expect((await configOf("large")).data).toMatchObject({ validationSize: 500, testSize: 500 });
  });

  test("reads the columns asked for, and has them in its configuration", async () => {
    await writeFile(file("a.tsv"), "1\teins\tx\tone two\n");
    const columns = ["--source-column", "2", "--target-column", "4"];
    const { code, stdout } = await coppice(["init", "run", "--pairs", "a.tsv", ...columns, "--json"], {
      cwd: home,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ medianSourceCharacters: 4, medianTargetCharacters: 7 });
    expect((await configOf("run")).data).toMatchObject({ sourceColumn: "2", targetColumn: "4" });
    await writeFile(file("b.jsonl"), '{"de": "eins", "target": "one"}\n');
    await startRunFolder({ dir: file("one"), pairs: [file("b.jsonl")], sourceColumn: "de" });
    expect((await configOf("one")).data).toMatchObject({ sourceColumn: "de", targetColumn: null });
    await expect(
      startRunFolder({ dir: file("none"), pairs: [file("b.jsonl")], sourceColumn: "fr" }),
    ).rejects.toThrow(/b\.jsonl:1: .*fr/);
    expect(existsSync(file("none"))).toBe(false);
  });

  test("takes a preset's values", async () => {
    await writeFile(file("a.tsv"), "eins\tone\n");
    await startRunFolder({ dir: file("run"), pairs: [file("a.tsv")], preset: "paper-wmt20" });
    expect((await configOf("run")).grow.samples).toBe(25);
  });
});

describe("is refused, and nothing is written,", () => {
  test("where a configuration is there already", async () => {
    await writeFile(file("a.tsv"), "eins\tone\n");
    await startRunFolder({ dir: file("run"), pairs: [file("a.tsv")] });
    const before = await readFile(file("run/coppice.yaml"), "utf8");
    await expect(
      startRunFolder({ dir: file("run"), pairs: [file("a.tsv")], preset: "demo" }),
    ).rejects.toThrow(
      /run\/coppice\.yaml: this file is there already and is left as it is\. Choose another folder, or move it away\.$/,
    );
    expect(await readFile(file("run/coppice.yaml"), "utf8")).toBe(before);
  });

  test("where a line is not a pair, naming it", async () => {
    await writeFile(file("bad.tsv"), "eins\tone\nzwei two\n");
    await expect(startRunFolder({ dir: file("run"), pairs: [file("bad.tsv")] })).rejects.toThrow(
      /bad\.tsv:2: /,
    );
    expect(existsSync(file("run"))).toBe(false);
  });

  test("for a preset that there is not, naming the nearest", async () => {
    await writeFile(file("a.tsv"), "eins\tone\n");
    await expect(startRunFolder({ dir: file("run"), pairs: [file("a.tsv")], preset: "dmo" })).rejects.toThrow(
      'the preset "dmo" is not one of toy, demo, paper-iwslt14, paper-wmt20, paper-web, raft, rest-em, rejection-fine-tuning, best-of-n-distillation. Did you mean demo?',
    );
    expect(existsSync(file("run"))).toBe(false);
  });
});
