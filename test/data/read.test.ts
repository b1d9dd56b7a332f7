import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countDuplicates } from "../../src/data/duplicates.js";
import { columnsFrom } from "../../src/data/formats/columns.js";
import { decodeLines, readLines } from "../../src/data/lines.js";
import { type PairSpec, readPairs, streamPairs } from "../../src/data/read.js";
import { writePairs } from "../../src/data/write.js";
import { UserError } from "../../src/errors.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coppice-read-"));
});
afterAll(() => rm(folder, { recursive: true }));

const pairs = [
  { source: "Guten Morgen!", target: "Good morning!" },
  { source: "Wo ist der Bahnhof?", target: "Where is the station?" },
];
const tsv = pairs.map(({ source, target }) => `${source}\t${target}\n`).join("");
const jsonl = pairs.map((pair) => `${JSON.stringify(pair)}\n`).join("");

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function parquet(name: string, query: string): Promise<string> {
  const path = join(folder, name);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`copy (${query}) to '${path}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
  return path;
}

const twoRows = `select * from (values ${pairs.map((p) => `('${p.source}', '${p.target}')`).join()}) t(source, target)`;

/** The error's sentence, with the test's folder removed. */
async function complaint(spec: PairSpec, options?: Parameters<typeof readPairs>[1]): Promise<string> {
  const error = await readPairs(spec, options).then(
    () => expect.unreachable("the reader accepted it"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message.replaceAll(`${folder}/`, "");
}

describe("every format gives the same pairs", () => {
  const formats: [string, () => Promise<PairSpec>][] = [
    ["TSV", () => file("a.tsv", tsv)],
    ["TSV without a newline at the end", () => file("b.tsv", tsv.trimEnd())],
    ["TSV with blank lines at the end", () => file("c.tsv", `${tsv}\n\n`)],
    ["TSV with a byte order mark and CRLF", () => file("d.tsv", `\ufeff${tsv.replaceAll("\n", "\r\n")}`)],
    ["TSV in gzip", () => file("e.tsv.gz", gzipSync(tsv))],
    ["TSV in gzip under a name that hides it", () => file("f.tsv", gzipSync(tsv))],
    [
      "TSV in two gzip members",
      () => file("g.tsv.gz", Buffer.concat(tsv.split(/(?<=\n)/).map((x) => gzipSync(x)))),
    ],
    ["TSV told by its contents", () => file("h.txt", tsv)],
    ["JSONL", () => file("i.jsonl", jsonl)],
    ["JSONL in gzip", () => file("j.jsonl.gz", gzipSync(jsonl))],
    ["JSONL told by its contents", () => file("k", jsonl)],
    ["Parquet", () => parquet("l.parquet", twoRows)],
    ["Parquet told by its contents", () => parquet("m.data", twoRows)],
    ["Parquet with pattern characters in its name", () => parquet("n [1]*.parquet", twoRows)],
    [
      "two plain files with a comma between",
      async () =>
        `${await file("o.de", `${pairs.map((p) => p.source).join("\n")}\n`)},${await file("o.en", pairs.map((p) => p.target).join("\r\n"))}`,
    ],
    [
      "two plain files as two paths, one in gzip",
      async () => [
        await file("p.de", pairs.map((p) => p.source).join("\n")),
        await file("p.en.gz", gzipSync(pairs.map((p) => p.target).join("\n"))),
      ],
    ],
    ["one TSV file with a comma in its name", () => file("q,r.tsv", tsv)],
  ];
  test.each(formats)("%s", async (_, make) => {
    expect(await readPairs(await make())).toEqual(pairs);
  });
});

describe("columns can be named", () => {
  test.each([
    [null, null, undefined],
    ["3", null, { source: "3", target: "2" }],
    [null, "3", { source: "1", target: "3" }],
    ["de", null, { source: "de", target: "target" }],
    [null, "en", { source: "source", target: "en" }],
  ])(
    "source %j and target %j are %j: what is left out is as the format has it",
    (source, target, expected) => {
      expect(columnsFrom(source, target)).toEqual(expected);
    },
  );

  test("TSV by number, which also turns the direction and picks from many", async () => {
    const spec = await file("columns.tsv", "1\thello\thallo\n2\tyes\tja\n");
    expect(await readPairs(spec, { columns: { source: "3", target: "2" } })).toEqual([
      { source: "hallo", target: "hello" },
      { source: "ja", target: "yes" },
    ]);
  });
  test("JSONL and Parquet by name", async () => {
    const columns = { source: "de", target: 'the "en"' };
    const json = await file("columns.jsonl", '{"id":1,"de":"hallo","the \\"en\\"":"hello"}\n');
    const rows = await parquet("columns.parquet", `select 'hallo' as de, 'hello' as "the ""en"""`);
    for (const spec of [json, rows]) {
      expect(await readPairs(spec, { columns })).toEqual([{ source: "hallo", target: "hello" }]);
    }
  });
  test("not for two plain files", async () => {
    const spec = [await file("s.de", "ja\n"), await file("s.en", "yes\n")] as const;
    expect(await complaint(spec, { columns: { source: "1", target: "2" } })).toBe(
      "s.de: two plain text files have no columns; remove the key columns.",
    );
  });
});

describe("a problem is one sentence with file and line", () => {
  const cases: [string, string, string | Uint8Array, string][] = [
    ["empty TSV", "empty.tsv", "", "empty.tsv: the file is empty, expected lines of source<TAB>target."],
    [
      "empty JSONL",
      "empty.jsonl",
      "\n",
      'empty.jsonl: the file is empty, expected lines of {"source": "…", "target": "…"}.',
    ],
    ["empty Parquet", "empty.parquet", "", "empty.parquet: the file is empty, expected a Parquet file."],
    [
      "no tab",
      "tab.tsv",
      "a\tb\nno tab\n",
      "tab.tsv:2: the line has no tab, expected source<TAB>target (two plain text files are given as train.de,train.en).",
    ],
    [
      "too many tabs",
      "tabs.tsv",
      "a\tb\tc\n",
      "tabs.tsv:1: the line has 2 tabs, expected 1 tab: source<TAB>target; remove the others or name two columns by number.",
    ],
    [
      "a blank line inside",
      "blank.tsv",
      "a\tb\n\nc\td\n",
      "blank.tsv:2: the line is blank, expected source<TAB>target; remove it.",
    ],
    [
      "empty source",
      "source.tsv",
      "\tb\n",
      "source.tsv:1: the source is empty, expected a sentence; remove the pair.",
    ],
    [
      "empty target",
      "target.tsv",
      "a\t \n",
      "target.tsv:1: the target is empty, expected a sentence; remove the pair.",
    ],
    [
      "invalid UTF-8",
      "latin1.tsv",
      Buffer.from("gut\tgood\nschön\tnice\n", "latin1"),
      "latin1.tsv:2: byte 4 of the line (0xf6) is not valid UTF-8; convert the file to UTF-8.",
    ],
    [
      "UTF-8 cut inside a character",
      "cut.tsv",
      Buffer.from("gut\tgood ö").subarray(0, -1),
      "cut.tsv:1: byte 10 of the line (0xc3) is not valid UTF-8; convert the file to UTF-8.",
    ],
    [
      "NUL",
      "nul.tsv",
      "a\tb\nc\0\td\n",
      "nul.tsv:2: byte 2 of the line is NUL, expected UTF-8 text; the file may be binary or UTF-16.",
    ],
    [
      "UTF-16",
      "utf16.tsv",
      Buffer.from("\ufeffa\tb\n", "utf16le"),
      "utf16.tsv:1: the file is UTF-16, expected UTF-8; save it as UTF-8.",
    ],
    [
      "100,000 characters",
      "long.tsv",
      `a\tb\n${"x".repeat(99_998)}\ty\n`,
      "long.tsv:2: the line has 100,000 characters or more, expected one sentence; split it or remove it.",
    ],
    [
      "a megabyte without a newline",
      "endless.tsv",
      Buffer.alloc(1 << 20, "x"),
      "endless.tsv:1: the line has 100,000 characters or more, expected one sentence; split it or remove it.",
    ],
    [
      "truncated gzip",
      "cut.tsv.gz",
      gzipSync(tsv).subarray(0, -12),
      "cut.tsv.gz: the gzip ends too early; fetch or compress the file again.",
    ],
    [
      "damaged gzip",
      "bad.tsv.gz",
      gzipSync(tsv).fill(0x55, 12, 30),
      "bad.tsv.gz: the gzip is damaged; fetch or compress the file again.",
    ],
    [
      "other JSON keys",
      "keys.jsonl",
      '{"de": "ja", "en": "yes"}\n',
      'keys.jsonl:1: there is no key "source", found "de", "en"; rename the keys or name yours as columns.',
    ],
    [
      "a number for a sentence",
      "number.jsonl",
      '{"source": "ja", "target": 7}\n',
      'number.jsonl:1: the value of "target" is of type number, expected a string.',
    ],
    [
      "a key that every object inherits",
      "inherit.jsonl",
      "{}\n",
      'inherit.jsonl:1: there is no key "source", found none; rename the keys or name yours as columns.',
    ],
    [
      "broken JSON",
      "broken.jsonl",
      `${jsonl}{"source": "ja",\n`,
      'broken.jsonl:3: the line is not JSON, expected {"source": "…", "target": "…"} on one line.',
    ],
    [
      "a JSON list a line",
      "list.jsonl",
      '["ja", "yes"]\n',
      'list.jsonl:1: the line is JSON but no object, expected {"source": "…", "target": "…"}.',
    ],
    [
      "a JSON array",
      "array.json",
      '[\n{"source": "ja", "target": "yes"}]\n',
      "array.json:1: this looks like a JSON array, expected one object a line (JSONL).",
    ],
    [
      "half a character in JSON",
      "half.jsonl",
      '{"source": "ja \\ud83d", "target": "yes"}\n',
      "half.jsonl:1: the source holds half of a surrogate pair, expected whole characters; repair the text.",
    ],
    [
      "no Parquet under its name",
      "tsv.parquet",
      tsv,
      "tsv.parquet: this is not a Parquet file, though its name says so; check how it was written.",
    ],
    [
      "Parquet in gzip",
      "x.parquet.gz",
      "",
      "x.parquet.gz: Parquet inside gzip is not read (Parquet is compressed already); unpack it.",
    ],
  ];
  test.each(cases)("%s", async (_, name, content, sentence) => {
    expect(await complaint(await file(name, content))).toBe(sentence);
  });

  test("a file that is not there", async () => {
    for (const name of ["missing.tsv", "missing.jsonl.gz", "missing.parquet", "missing"]) {
      expect(await complaint(join(folder, name))).toBe(`${name}: there is no such file; check the path.`);
    }
  });

  test("a folder", async () => {
    expect(await complaint(folder)).toContain("this is a folder, expected a file.");
  });

  test("a file that may not be read", async ({ skip }) => {
    if (process.getuid?.() === 0) skip("root may read everything");
    const path = await file("secret.tsv", tsv);
    execFileSync("chmod", ["000", path]);
    expect(await complaint(path)).toBe("secret.tsv: the file may not be read; check its permissions.");
  });

  test("plain files of different lengths, which names both numbers", async () => {
    const de = await file("t.de", "eins\nzwei\ndrei\n");
    const en = await file("t.en", "one\n");
    expect(await complaint(`${de},${en}`)).toBe(
      "t.de: there are 3 lines here and 1 in t.en, expected as many in both; line n of one must translate line n of the other.",
    );
  });

  test("a blank line of a plain file, at that file", async () => {
    const de = await file("u.de", "eins\nzwei\n");
    const en = await file("u.en", "one\n\n");
    expect(await complaint([de, en])).toBe(
      "u.en:2: the line is blank, expected a sentence; remove the line from both files.",
    );
  });

  test("three names with commas", async () => {
    expect(await complaint("a.de,b.en,c.fr")).toBe(
      '"a.de,b.en,c.fr" is not one file or two with a comma between, as in train.de,train.en.',
    );
  });

  test("Parquet without the columns, with null, with numbers, or cut off", async () => {
    const other = await parquet("other.parquet", "select 'ja' as de, 'yes' as en");
    expect(await complaint(other)).toBe(
      'other.parquet: there is no column "source", found "de", "en"; name yours as columns.',
    );
    const nulls = await parquet("null.parquet", `${twoRows} union all select 'ja', null`);
    expect(await complaint(nulls)).toBe('null.parquet: row 3: column "target" holds null, expected text.');
    const numbers = await parquet("numbers.parquet", "select 1 as source, 'yes' as target");
    expect(await complaint(numbers)).toBe(
      'numbers.parquet: row 1: column "source" holds a number, expected text.',
    );
    const blank = await parquet("blank.parquet", "select ' ' as source, 'yes' as target");
    expect(await complaint(blank)).toBe(
      "blank.parquet: row 1: the source is empty, expected a sentence; remove the pair.",
    );
    const cut = await file("cut.parquet", "PAR1 and then nothing of the kind");
    expect(await complaint(cut)).toMatch(
      /^cut\.parquet: the Parquet file is damaged or cut off \(.+\); write or fetch/,
    );
  });

  test("TSV columns that are no numbers or beyond the line", async () => {
    const spec = await file("v.tsv", tsv);
    expect(await complaint(spec, { columns: { source: "de", target: "en" } })).toBe(
      'v.tsv: columns of a TSV file are numbers from 1, found "de".',
    );
    expect(await complaint(spec, { columns: { source: "1", target: "3" } })).toBe(
      "v.tsv:1: the line has 2 columns, expected 3.",
    );
  });
});

test("a stream that is left early gives its first pairs and closes the files", async () => {
  const many = await file("many.tsv.gz", gzipSync(tsv.repeat(50_000)));
  let count = 0;
  for await (const _ of streamPairs(many)) if (++count === 3) break;
  expect(count).toBe(3);
});

test("lines are the same however the bytes are cut", async () => {
  const text = "eins\r\nzwei ö €\n\n\ud83c\udf33 drei";
  const bytes = Buffer.from(`\ufeff${text}`);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
      const bounds = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
      const lines: string[] = [];
      for await (const line of decodeLines(asyncOf(chunks), "x")) lines.push(line.text);
      expect(lines).toEqual(["eins", "zwei ö €", "", "\ud83c\udf33 drei"]);
    }),
  );
});

async function* asyncOf<T>(items: T[]): AsyncGenerator<T> {
  yield* items;
}

test("readLines keeps blank lines only where they are allowed", async () => {
  const path = await file("lines.txt", "eins\n\ndrei\n");
  expect(await readLines(path, { allowEmpty: true })).toEqual(["eins", "", "drei"]);
  await expect(readLines(path)).rejects.toThrow(
    "lines.txt:2: the line is blank, expected one sentence a line",
  );
});

test("duplicates are counted beyond the first of their kind", () => {
  const repeated = [
    { source: "a", target: "x" },
    { source: "a", target: "x" },
    { source: "a", target: "y" },
    { source: "b", target: "x" },
  ];
  expect(countDuplicates(repeated)).toEqual({ pairs: 1, sources: 2, targets: 2 });
});

describe("writePairs", () => {
  const sentence = fc
    .string({ unit: "grapheme", minLength: 1 })
    .filter((text) => text.trim() !== "" && !/\0/.test(text));
  test.each(["w.jsonl", "w.jsonl.gz"])("%s gives back what was written, whatever the text", async (name) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ source: sentence, target: sentence }), { minLength: 1 }),
        async (written) => {
          const path = join(folder, name);
          await writePairs(path, written);
          expect(await readPairs(path)).toEqual(written);
        },
      ),
      { numRuns: 30 },
    );
  });
  test("w.tsv.gz gives back what was written, and refuses a tab inside a sentence", async () => {
    const path = join(folder, "w.tsv.gz");
    await writePairs(path, pairs);
    expect(await readPairs(path)).toEqual(pairs);
    await expect(writePairs(path, [...pairs, { source: "a\tb", target: "c" }])).rejects.toThrow(
      "pair 3 holds a tab or line break, which TSV can't; write a .jsonl file.",
    );
    expect(await readPairs(path)).toEqual(pairs);
  });
  test("a file where a folder is needed is a sentence", async () => {
    const path = await file("plain-file", "x");
    await expect(writePairs(join(path, "w.tsv"), pairs)).rejects.toThrow(UserError);
  });
});

const multi30k = join(process.env.COPPICE_DATA ?? "../shared/data", "multi30k/train.de-en.tsv.gz");
if (!existsSync(multi30k)) console.warn(`SKIPPED: real corpus, ${multi30k} is missing (set COPPICE_DATA)`);
test.skipIf(!existsSync(multi30k))("multi30k has 29,000 training pairs", async () => {
  expect(await readPairs(multi30k)).toHaveLength(29_000);
});
