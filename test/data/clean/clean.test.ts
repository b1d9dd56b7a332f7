import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CleanOptions, cleanCorpus } from "../../../src/data/clean/clean.js";
import { decodeReferences, plainText, withoutMarkup } from "../../../src/data/clean/markup.js";
import { EvenSample } from "../../../src/data/clean/profile.js";
import { DEFAULT_LIMITS, type RuleName } from "../../../src/data/clean/rules.js";
import { SeenTexts } from "../../../src/data/clean/seen.js";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "coppice-clean-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const verbs = [
  ["schläft", "sleeps"],
  ["rennt", "runs"],
  ["singt", "sings"],
  ["wartet", "waits"],
  ["lacht", "laughs"],
];
const beings = [
  ["Der Hund", "The dog"],
  ["Die Katze", "The cat"],
  ["Das Mädchen", "The girl"],
  ["Der alte Mann", "The old man"],
  ["Die Lehrerin", "The teacher"],
  ["Unser Nachbar", "Our neighbour"],
];
const places = [
  ["unter dem großen Baum", "under the large tree"],
  ["hinter unserem Haus", "behind our house"],
  ["auf der Straße", "in the street"],
  ["vor der Schule", "in front of the school"],
];
/** 120 plain sentences, so that the profile has something to learn from. */
const good = beings.flatMap(([wer, who]) =>
  verbs.flatMap(([tut, does]) =>
    places.map(([wo, where]) => `${wer} ${tut} ${wo}.\t${who} ${does} ${where}.`),
  ),
);

async function cleaned(bad: string[], options: Partial<CleanOptions> = {}) {
  const input = join(home, "raw.tsv");
  // In the middle, so that what follows shows whether the reader went on.
  writeFileSync(input, `${[...good.slice(0, 60), ...bad, ...good.slice(60)].join("\n")}\n`);
  const report = await cleanCorpus({
    inputs: [input],
    out: join(home, "out"),
    limits: DEFAULT_LIMITS,
    ...options,
  });
  const lines = readFileSync(report.output, "utf8").trimEnd().split("\n");
  const counts = Object.fromEntries(
    report.rules.filter(({ count }) => count > 0).map(({ rule, count }) => [rule, count]),
  );
  return { report, lines, counts };
}

const long = `Er sagte ${"sehr ".repeat(150)}viel.\tHe said ${"very ".repeat(150)}much.`;

/** A row, the rule that it breaks, and whether with that rule left out it passes. */
const bad: [row: string, rule: RuleName][] = [
  ["Nur eine Seite hat etwas zu sagen.\t", "broken"],
  ["Drei Spalten\tThree columns\tare too many", "broken"],
  ["<br/>\tThere is nothing here.", "broken"],
  ["Hotel Astoria\thotel Astoria.", "same"],
  ["12.04. 3,40 x 7,1 a\tThe price list of April.", "letters"],
  [long, "length"],
  [
    "Der Hund schläft unter dem großen Baum hinter unserem Haus, und die Katze wartet.\tYes, it does.",
    "ratio",
  ],
  ["Der Hund rennt vor der Schule und lacht.\tDer Hund rennt vor der Schule und wartet dort.", "language"],
  ["The teacher waits behind our house today.\tThe teacher is waiting behind our house.", "language"],
  ["Собака спит под деревом.\tThe dog sleeps under a tree.", "language"],
  ["Die Katze wartet\tAnd now the cat waits.", "test"],
  [`${good[3]?.toLowerCase().replaceAll(".", "")}`, "duplicates"],
];

test.each(bad)("%j breaks the rule %s and no other", async (row, rule) => {
  const test = join(home, "test.tsv");
  writeFileSync(test, "Die Katze wartet.\tThe cat is waiting.\n");
  const { counts, lines } = await cleaned([row], { tests: [test] });
  expect(counts).toEqual({ [rule]: 1 });
  expect(lines).toEqual(good);
});

test("a rule that is left out drops nothing, and the report says so", async () => {
  const [[row]] = bad.filter(([, rule]) => rule === "ratio") as [[string, RuleName]];
  const { counts, lines, report } = await cleaned([row], { without: ["ratio"] });
  expect(counts).toEqual({});
  expect(lines).toHaveLength(good.length + 1);
  expect(report.rules.find(({ rule }) => rule === "ratio")).toMatchObject({
    applied: false,
    why: "left out",
  });
  expect(report.rules.find(({ rule }) => rule === "test")?.why).toBe("no test file was named");
});

test("without the rule for broken rows the first one is an error at its line", async () => {
  await expect(cleaned(["only one column"], { without: ["broken"] })).rejects.toThrow(
    /raw\.tsv:61: the line has no tab/,
  );
  expect(readdirSync(home)).not.toContain("report.json");
});

test("damaged UTF-8 is dropped and the lines after it are read", async () => {
  const input = join(home, "latin.tsv");
  const latin = Buffer.from("Das M\u00e4dchen lacht.\tThe girl laughs.\n", "latin1");
  writeFileSync(input, Buffer.concat([Buffer.from(`${good[0]}\n`), latin, Buffer.from(`${good[1]}\n`)]));
  const report = await cleanCorpus({ inputs: [input], out: join(home, "out"), limits: DEFAULT_LIMITS });
  expect(report).toMatchObject({ read: 3, kept: 2 });
  expect(readFileSync(report.output, "utf8")).toBe(`${good[0]}\n${good[1]}\n`);
});

test("two text files with blank lines stay beside each other", async () => {
  const [source, target] = [0, 1].map((side) => good.map((row) => row.split("\t")[side]));
  writeFileSync(join(home, "a.de"), ["", ...source!, "Ohne Antwort."].join("\n"));
  writeFileSync(join(home, "a.en"), ["Without a question.", ...target!, "", ""].join("\n"));
  const inputs = [`${join(home, "a.de")},${join(home, "a.en")}`];
  const report = await cleanCorpus({ inputs, out: join(home, "out"), limits: DEFAULT_LIMITS });
  expect(report).toMatchObject({ read: good.length + 2, kept: good.length });
  expect(report.rules[0]?.examples[0]?.problem).toMatch(/a\.de:1: the line is blank/);
});

test("what can be mended is changed and kept, and shown as it was and as it became", async () => {
  const { lines, report, counts } = await cleaned([
    "Ein <b>Hund</b> &amp; eine\u00adKatze.\tA dog\u00a0&amp;  a cat.",
  ]);
  expect(lines).toContain("Ein Hund & eineKatze.\tA dog & a cat.");
  expect(counts).toEqual({ unicode: 1, markup: 1 });
  expect(report.changed).toBe(1);
  expect(report.rules.find(({ rule }) => rule === "markup")?.examples).toEqual([
    {
      source: "Ein <b>Hund</b> &amp; eine\u00adKatze.",
      target: "A dog\u00a0&amp;  a cat.",
      became: { source: "Ein Hund & eineKatze.", target: "A dog & a cat." },
    },
  ]);
});

test("counts of the report add up, and it is the file beside the pairs", async () => {
  const { report, lines } = await cleaned(bad.map(([row]) => row));
  const dropped = report.rules.filter(({ drops }) => drops).reduce((sum, { count }) => sum + count, 0);
  // All but the one that only a test file would drop.
  expect(dropped).toBe(bad.length - 1);
  expect(report.read - dropped).toBe(report.kept);
  expect(lines).toHaveLength(report.kept);
  expect(JSON.parse(readFileSync(join(home, "out", "report.json"), "utf8"))).toEqual(report);
});

test("a corpus whose two sides look alike is judged by script alone", async () => {
  const input = join(home, "numbers.tsv");
  writeFileSync(
    input,
    good
      .map((row) => row.split("\t")[0] ?? "")
      .map((text) => `${text}\t${text.split(" ").reverse().join(" ")}`)
      .join("\n"),
  );
  const report = await cleanCorpus({ inputs: [input], out: join(home, "out"), limits: DEFAULT_LIMITS });
  expect(report.kept).toBe(good.length);
  expect(report.rules.find(({ rule }) => rule === "language")?.why).toMatch(/^by script alone/);
});

test("Chinese with names in Latin letters is Chinese; Chinese left in English is not", async () => {
  const input = join(home, "zh.tsv");
  const rows = Array.from({ length: 50 }, (_, i) => `打开第${i}个文件夹\tOpen folder number ${i} now`);
  const named = "选择 LibreOffice Writer 选项\tChoose LibreOffice Writer options";
  writeFileSync(input, [...rows, named, "Open this folder\tOpen that folder"].join("\n"));
  const report = await cleanCorpus({ inputs: [input], out: join(home, "out"), limits: DEFAULT_LIMITS });
  expect(report.rules.find(({ rule }) => rule === "language")?.count).toBe(1);
  expect(readFileSync(report.output, "utf8")).toContain(named);
});

test("a corpus of which nothing is left is an error, and nothing is written", async () => {
  const input = join(home, "raw.tsv");
  writeFileSync(input, "1\t2\n3\t4\n");
  const out = join(home, "out");
  await expect(cleanCorpus({ inputs: [input], out, limits: DEFAULT_LIMITS })).rejects.toThrow(
    /raw\.tsv: of 2 pairs none passed the rules/,
  );
  expect(readdirSync(out)).toEqual([]);
});

test("a file that is read is not replaced; an earlier output is", async () => {
  const input = join(home, "pairs.tsv");
  writeFileSync(input, `${good.join("\n")}\n${good[0]}\n`);
  await expect(cleanCorpus({ inputs: [input], out: home, limits: DEFAULT_LIMITS })).rejects.toThrow(
    /pairs\.tsv: this file is read and would be replaced/,
  );
  expect(readFileSync(input, "utf8").trimEnd().split("\n")).toHaveLength(good.length + 1);
  const out = join(home, "out");
  await cleanCorpus({ inputs: [input], out, limits: DEFAULT_LIMITS, without: ["duplicates"] });
  expect(await cleanCorpus({ inputs: [input], out, limits: DEFAULT_LIMITS })).toMatchObject({
    kept: good.length,
  });
});

test("the licence goes where the text goes", async () => {
  mkdirSync(join(home, "corpus"));
  writeFileSync(join(home, "corpus", "SOURCE.md"), "# Garden\n\nLicence: free.\n");
  writeFileSync(join(home, "corpus", "AUTHORS.txt"), "Eva\n");
  const about = { recipe: "garden", licence: "CC0" };
  const parts = [{ file: "pairs.tsv", sha256: "as it was" }];
  writeFileSync(join(home, "corpus", "source.json"), JSON.stringify({ ...about, parts }));
  writeFileSync(join(home, "corpus", "pairs.tsv"), `${good.join("\n")}\n`);
  await cleanCorpus({
    inputs: [join(home, "corpus", "pairs.tsv")],
    out: join(home, "out"),
    limits: DEFAULT_LIMITS,
  });
  expect(readFileSync(join(home, "out", "SOURCE.md"), "utf8")).toMatch(
    /^# Garden\n\nLicence: free\.\n\nChanged since: /,
  );
  expect(readFileSync(join(home, "out", "AUTHORS.txt"), "utf8")).toBe("Eva\n");
  const changed = { ...about, changed: expect.stringMatching(/^cleaned by/) };
  expect(JSON.parse(readFileSync(join(home, "out", "source.json"), "utf8"))).toEqual(changed);
});

test("of several corpora all licences are kept, and who wrote each", async () => {
  for (const [name, author] of [
    ["one", "Eva"],
    ["two", "Ada"],
  ] as const) {
    mkdirSync(join(home, name));
    writeFileSync(join(home, name, "AUTHORS.txt"), `${author}\n`);
    writeFileSync(join(home, name, "source.json"), JSON.stringify({ recipe: name }));
    writeFileSync(join(home, name, "pairs.tsv"), `${good.join("\n")}\n`);
  }
  const inputs = ["one", "two"].map((name) => join(home, name, "pairs.tsv"));
  await cleanCorpus({ inputs, out: join(home, "out"), limits: DEFAULT_LIMITS });
  expect(readFileSync(join(home, "out", "AUTHORS.txt"), "utf8")).toBe("Eva\n\nAda\n");
  expect(JSON.parse(readFileSync(join(home, "out", "source.json"), "utf8"))).toMatchObject([
    { recipe: "one" },
    { recipe: "two" },
  ]);
});

test("a sentence in a third language is dropped once there is enough to learn from", async () => {
  const names = ["Anna", "Bernd", "Clara", "Dieter", "Emma"];
  const many = names.flatMap((name) =>
    good.map((row) => `${row.replace("\t", ` Das sagt ${name}.\t`)} So says ${name}.`),
  );
  const french = "Le vieux jardinier attendait toujours quelqu'un près du vieux puits.";
  const foreign = [
    `${french}\tThe old man waits behind our house.`,
    `Unser Nachbar lacht vor der Schule.\t${french}`,
  ];
  const count = async (rows: string[]) => {
    const input = join(home, "many.tsv");
    writeFileSync(input, [...rows, ...foreign].join("\n"));
    const { rules } = await cleanCorpus({ inputs: [input], out: join(home, "out"), limits: DEFAULT_LIMITS });
    return (name: RuleName) => rules.find(({ rule }) => rule === name)!.count;
  };
  const of = await count(many);
  expect(of("foreign")).toBeGreaterThan(0);
  // The nearer of the two languages may be the wrong one: then that rule is the first to drop it.
  expect(of("foreign") + of("language")).toBe(2);
  // 120 sentences do not tell how far sentences differ.
  expect((await count(good))("foreign")).toBe(0);
});

test.each([
  ["a < b and List<T> or <name>", "a < b and List<T> or <name>"],
  ["<p>One</p><p>Two</p>", " One  Two "],
  ["<a href='x'>here</a>", "here"],
  ["AT&amp;amp;T &quot;x&quot;", 'AT&T "x"'],
  ["&#8222;so&#x201c; &Auml;rger &auml;hnlich", "„so“ Ärger ähnlich"],
  ["&nosuch; &#0; &#xD800;", "&nosuch; &#0; &#xD800;"],
])("mark-up: %j becomes %j", (text, without) => {
  expect(withoutMarkup(text)).toBe(without);
});

test("references are decoded once, white space and what cannot be seen is folded", () => {
  expect(decodeReferences("&amp;lt;")).toBe("&lt;");
  expect(plainText("\ufeffa\u0308 \u200b b\tc\u00a0d\n")).toBe("ä b c d");
});

test("a text is new once, through every growth of the table", () => {
  const seen = new SeenTexts();
  const texts = Array.from({ length: 100_000 }, (_, i) => `text ${i}`);
  expect(texts.filter((text) => seen.add(text))).toHaveLength(texts.length);
  expect(texts.filter((text) => seen.add(text))).toHaveLength(0);
});

test("a sample is even over all that came, and bounded", () => {
  const sample = new EvenSample<number>(10);
  for (let i = 0; i < 1000; i++) sample.add(i);
  // 1,000 by strides of 64: 0, 64, …, 960.
  expect(sample.kept).toEqual(Array.from({ length: 16 }, (_, i) => 64 * i));
});
