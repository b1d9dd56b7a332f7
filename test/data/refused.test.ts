/** Rows that are no pair, told to whoever asks to be told, in every format; without that the first one is an error. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { streamPairs } from "../../src/data/read.js";

let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "coppice-refused-"));
  const write = (name: string, lines: string[]) => writeFileSync(join(home, name), `${lines.join("\n")}\n`);
  write("a.tsv", ["eins\tone", "", "zwei", "drei\t", "vier\tfour"]);
  write("a.jsonl", [
    '{"source":"eins","target":"one"}',
    "{",
    '{"source":"zwei"}',
    '{"source":" ","target":"x"}',
    '{"source":"vier","target":"four"}',
  ]);
  write("a.txt", ["eins\tone", "zwei\ttwo\tthree", "drei\t\0", "\tx", "vier\tfour"]);
  write("a.de", ["eins", "", "zwei", "drei", "vier"]);
  write("a.en", ["one", "x", "", "\0", "four"]);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(
    `COPY (SELECT * FROM (VALUES ('eins', 'one'), (NULL, 'x'), ('zwei', ''), ('drei', '  '), ('vier', 'four')) AS rows(source, target)) TO '${join(home, "a.parquet")}' (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
});
afterAll(() => rmSync(home, { recursive: true }));

test.each(["a.tsv", "a.jsonl", "a.txt", "a.parquet", "a.de,a.en"])("%s", async (names) => {
  const spec = names
    .split(",")
    .map((name) => join(home, name))
    .join(",");
  const problems: string[] = [];
  const pairs: string[] = [];
  for await (const { source, target } of streamPairs(spec, {
    refused: ({ message }) => problems.push(message),
  }))
    pairs.push(`${source} ${target}`);
  expect(pairs).toEqual(["eins one", "vier four"]);
  expect(problems).toHaveLength(3);
  for (const problem of problems) expect(problem).toContain(join(home, "a."));
  await expect(async () => {
    for await (const _ of streamPairs(spec));
  }).rejects.toThrow(problems[0]);
});
