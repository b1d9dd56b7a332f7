/** Small corpora of our own in the layouts of others, built as a user builds them. */

import { createHash } from "node:crypto";
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildCorpus } from "../../../src/data/recipes/get.js";
import { languagesFor, recipeNamed } from "../../../src/data/recipes/recipes.js";

const corpora = fileURLToPath(new URL("../../fixtures/corpora/", import.meta.url));

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "coppice-corpus-"));
});
afterEach(() => rmSync(out, { recursive: true }));

async function built(name: string, layout: string, languages?: string) {
  const recipe = recipeNamed(name);
  const report = await buildCorpus(recipe, out, {
    languages: languagesFor(recipe, languages),
    from: layout.startsWith("/") ? layout : join(corpora, layout),
    cache: "/nowhere",
    note: () => {},
  });
  const lines = (file: string) => readFileSync(join(out, file), "utf8").trimEnd().split("\n");
  return { report, lines, files: readdirSync(out).sort() };
}

test("IWSLT: talks without their tags, every 23rd pair for validation, the usual sets as one test", async () => {
  const { lines, files, report } = await built("iwslt14", "iwslt");
  expect(files).toEqual([
    "SOURCE.md",
    "TED.tst2099.tsv",
    "source.json",
    "test.tsv",
    "train.tsv",
    "validation.tsv",
  ]);
  const train = lines("train.tsv");
  // 26 rows beside each other: two of tags, 22 numbered, one with nothing said in German, and the last.
  expect(train[0]).toBe("Eva Muster: Der Garten\tEva Muster: The garden");
  expect(train[1]).toBe("Ein Gespräch über Bäume &amp; Beete.\tA talk on trees &amp; beds.");
  expect(train[2]).toBe("Guten Tag.\tGood day.");
  expect(train.at(-1)).toBe("3 < 4, sagt Eva.\t3 < 4, says Eva.");
  // Pairs 1, 2 are the tags', 3 the greeting: number 23 is tree 22 - 1.
  expect(lines("validation.tsv")).toEqual(["Das ist Baum Nummer 21.\tThis is tree number 21."]);
  expect(train).toHaveLength(24);
  expect(report.parts.find(({ file }) => file === "train.tsv")).toMatchObject({ pairs: 24, skipped: 1 });
  // In the order of fairseq's list of sets; documents are joined by their ids, a segment that one side lacks is left out.
  expect(lines("test.tsv")).toEqual([
    "Eins & zwei.\tOne & two.",
    "Drei.\tThree.",
    "Vier.\tFour.",
    "Fünf.\tFive.",
  ]);
  expect(lines("TED.tst2099.tsv")).toEqual(["Sechs.\tSix."]);
});

test("IWSLT in the other direction reads the same files", async () => {
  const { lines } = await built("iwslt14", "iwslt", "en-de");
  expect(lines("validation.tsv")).toEqual(["This is tree number 21.\tDas ist Baum Nummer 21."]);
  expect(lines("TED.tst2099.tsv")).toEqual(["Six.\tSechs."]);
});

test("IWSLT with a side that is cut short is an error that names both files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "coppice-iwslt-"));
  try {
    copyFileSync(join(corpora, "iwslt/train.tags.de-en.de"), join(folder, "train.tags.de-en.de"));
    writeFileSync(join(folder, "train.tags.de-en.en"), "Good day.\n");
    await expect(built("iwslt14", folder)).rejects.toThrow(
      /train\.tags\.de-en\.de: this file has more sentences than .*train\.tags\.de-en\.en, expected as many; unpack both again\.$/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("WMT: SGML, XML with its first translator, TSV in either order and aligned files, each under its name", async () => {
  const { lines, files, report } = await built("wmt", "wmt");
  expect(files.filter((file) => file.endsWith(".tsv"))).toEqual([
    "news-commentary-v0.tsv",
    "newstest2001.tsv",
    "newstest2002.tsv",
    "talks.zh-en.tsv",
  ]);
  expect(lines("newstest2001.tsv")).toEqual(["花园很大\tThe garden is large", "树 & 花\tTrees & flowers"]);
  expect(lines("newstest2002.tsv")).toEqual(["你好\tHello", "再见\tGoodbye", "谢谢\tThanks"]);
  expect(lines("news-commentary-v0.tsv")).toEqual([
    "这棵树很老。\tThe tree is old.",
    "房子是新的。\tThe house is new.",
  ]);
  expect(report.parts.find(({ file }) => file === "news-commentary-v0.tsv")).toMatchObject({ skipped: 1 });
  expect(lines("talks.zh-en.tsv")).toEqual(["一\tone", "二\ttwo"]);
});

test("Multi30k: gzipped or not, in any two of its languages", async () => {
  const { lines, files } = await built("multi30k", "multi30k");
  expect(files.filter((file) => file.endsWith(".tsv"))).toEqual([
    "test_2016_flickr.tsv",
    "train.tsv",
    "validation.tsv",
  ]);
  expect(lines("train.tsv")).toEqual(["Ein Hund rennt.\tA dog runs.", "Eine Katze schläft.\tA cat sleeps."]);
  const french = await built("multi30k", "multi30k", "fr-en");
  expect(french.lines("validation.tsv")).toEqual(["Un oiseau chante.\tA bird sings."]);
});

test("Tatoeba's export for Anki keeps the names of those who wrote the sentences", async () => {
  const { lines, files } = await built("tatoeba", "tatoeba-anki");
  expect(files).toEqual(["AUTHORS.txt", "SOURCE.md", "pairs.tsv", "source.json"]);
  expect(lines("pairs.tsv")).toEqual(["Der Baum ist hoch.\tThe tree is tall.", "Es regnet.\tIt rains."]);
  expect(lines("AUTHORS.txt")).toEqual(["baumfreund", "gardener", "wolke"]);
  expect((await built("tatoeba", "tatoeba-anki", "en-de")).lines("pairs.tsv")[1]).toBe(
    "It rains.\tEs regnet.",
  );
});

test("a language that is called as what every object has is one of others", async () => {
  const folder = join(out, "here");
  cpSync(join(corpora, "tatoeba-all"), folder, { recursive: true });
  const lines = readFileSync(join(folder, "sentences.csv"), "utf8");
  writeFileSync(join(folder, "sentences.csv"), `900\tconstructor\tx\n901\t__proto__\ty\n${lines}`);
  const expected = (await built("tatoeba", "tatoeba-all")).lines("pairs.tsv");
  expect((await built("tatoeba", folder)).lines("pairs.tsv")).toEqual(expected);
});

test("Tatoeba's sentences are joined by its links, named from either language or all in one file", async () => {
  expect((await built("tatoeba", "tatoeba-links")).lines("pairs.tsv")).toEqual([
    "Der Baum ist hoch.\tThe tree is tall.",
    "Es regnet.\tIt rains.",
    "Es regnet.\tIt is raining.",
  ]);
  expect((await built("tatoeba", "tatoeba-all")).lines("pairs.tsv")).toEqual([
    "Der Baum ist hoch.\tThe tree is tall.",
  ]);
});

test("licence and attribution stand beside the pairs, with the SHA-256 of each file", async () => {
  const { report } = await built("tatoeba", "tatoeba-links");
  const text = readFileSync(join(out, "SOURCE.md"), "utf8");
  expect(text).toContain("Licence: CC BY 2.0 FR.");
  expect(text).toContain("tatoeba.org and the authors of its sentences");
  const hash = createHash("sha256")
    .update(readFileSync(join(out, "pairs.tsv")))
    .digest("hex");
  expect(text).toContain(hash);
  expect(JSON.parse(readFileSync(join(out, "source.json"), "utf8"))).toEqual(report);
  expect(report.parts).toEqual([{ file: "pairs.tsv", pairs: 3, skipped: 0, sha256: hash }]);
});

test.each([
  [
    "iwslt14",
    "wmt",
    /fixtures\/corpora\/wmt: no files of this corpus are here, expected train\.tags\.de-en\.de or /,
  ],
  ["wmt", "iwslt", /no files of this corpus are here, expected newstest2014-zhen-src\.zh\.sgm/],
  ["multi30k", "tatoeba-anki", /expected train\.de\.gz and train\.en\.gz, as in data\/task1\/raw\.$/],
  [
    "tatoeba",
    "multi30k",
    /expected deu\.txt, deu_sentences\.tsv with eng_sentences\.tsv and deu-eng_links\.tsv, /,
  ],
  ["tatoeba", "nowhere", /nowhere: there is no such file/],
])("%s says what it looked for in a folder of %s", async (name, layout, sentence) => {
  await expect(built(name, layout)).rejects.toThrow(sentence);
});

test("a recipe that reads a copy says where to get one", async () => {
  const recipe = recipeNamed("multi30k");
  const options = { languages: languagesFor(recipe, undefined), cache: "/nowhere", note: () => {} };
  await expect(buildCorpus(recipe, out, options)).rejects.toThrow(
    "the recipe multi30k reads a copy that you have: get it from https://github.com/multi30k/dataset, then add --from FOLDER.",
  );
});

test("names and languages that no recipe has are told with those that are there", () => {
  expect(() => recipeNamed("multi3k")).toThrow(/there is no recipe "multi3k", .* Did you mean multi30k\?$/);
  const npm = recipeNamed("npm-messages");
  expect(() => languagesFor(npm, "fr-en")).toThrow(
    "the recipe npm-messages has no fr-en, expected de-en or zh-en.",
  );
  expect(() => languagesFor(npm, "german")).toThrow('"german" is not a pair of languages');
  expect(languagesFor(npm, undefined)).toEqual(["de", "en"]);
});
