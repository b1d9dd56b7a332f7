/** One way in for parallel text of every format. */

import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import type { Refusal } from "./check.js";
import type { Columns } from "./formats/columns.js";
import { pairsFromJsonl } from "./formats/jsonl.js";
import { looksLikeParquet, pairsFromParquet } from "./formats/parquet.js";
import { pairsFromPlain } from "./formats/plain.js";
import { pairsFromTsv } from "./formats/tsv.js";
import { emptyFile, type Line, linesOf } from "./lines.js";
import type { Pair } from "./pair.js";

/** A file of pairs, or the two plain text files of a corpus: two paths, or both in one string with a comma. */
export type PairSpec = string | readonly [source: string, target: string];

export interface ReadPairsOptions {
  /** Keys of JSONL, columns of Parquet, numbers from 1 for TSV; by default `source` and `target`, 1 and 2. */
  columns?: Columns;
  /** Told of each row that is no pair of sentences; without it the first one is an error. */
  refused?: Refusal;
}

/**
 * All pairs of a corpus, in the file's order. The format follows the name (`.tsv`, `.jsonl`, `.ndjson`,
 * `.parquet`, each text format also with `.gz`) and, where the name says nothing, the first line.
 *
 * @example
 * await readPairs("train.tsv.gz")
 * await readPairs("train.de,train.en")
 * await readPairs("train.jsonl", { columns: { source: "de", target: "en" } })
 *
 * @throws UserError with file and line for anything that is not a pair of non-empty UTF-8 sentences.
 */
export async function readPairs(spec: PairSpec, options: ReadPairsOptions = {}): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for await (const pair of streamPairs(spec, options)) pairs.push(pair);
  return pairs;
}

/** As `readPairs`, one pair at a time, for corpora larger than memory. */
export async function* streamPairs(
  spec: PairSpec,
  options: ReadPairsOptions = {},
): AsyncGenerator<Pair, void, undefined> {
  const files = await filesOf(spec);
  if (typeof files !== "string") {
    if (options.columns) {
      throw new UserError("two plain text files have no columns; remove the key columns.", {
        file: files[0],
      });
    }
    yield* pairsFromPlain(...files, options.refused);
    return;
  }
  const { columns, refused } = options;
  const lines = () => linesOf(files, { damaged: refused !== undefined });
  switch (await formatOf(files)) {
    case "tsv":
      return yield* pairsFromTsv(lines(), files, columns, refused);
    case "jsonl":
      return yield* pairsFromJsonl(lines(), files, columns, refused);
    case "parquet":
      return yield* pairsFromParquet(files, columns, refused);
    case "by first line":
      return yield* pairsByFirstLine(lines(), files, options);
  }
}

async function filesOf(spec: PairSpec): Promise<string | readonly [string, string]> {
  if (typeof spec !== "string") return spec;
  if (spec.trim() === "") throw new UserError("the name of the pairs file is empty; give a file.");
  if (!spec.includes(",") || (await exists(spec))) return spec;
  const [source, target, ...more] = spec.split(",").map((part) => part.trim());
  if (!source || !target || more.length > 0) {
    throw new UserError(`"${spec}" is not one file or two with a comma between, as in train.de,train.en.`);
  }
  return [source, target];
}

type Format = "tsv" | "jsonl" | "parquet" | "by first line";

async function formatOf(file: string): Promise<Format> {
  const name = file.toLowerCase().replace(/\.gz$/, "");
  if (/\.(jsonl|ndjson)$/.test(name)) return "jsonl";
  if (/\.parquet$/.test(name)) {
    if (name === file.toLowerCase()) return "parquet";
    throw new UserError("Parquet inside gzip is not read (Parquet is compressed already); unpack it.", {
      file,
    });
  }
  if (await looksLikeParquet(file)) return "parquet";
  return name.endsWith(".tsv") ? "tsv" : "by first line";
}

async function* pairsByFirstLine(
  lines: AsyncGenerator<Line>,
  file: string,
  { columns, refused }: ReadPairsOptions,
): AsyncGenerator<Pair, void, undefined> {
  const first = await lines.next();
  if (first.done) throw emptyFile(file, 'lines of source<TAB>target or {"source": "…", "target": "…"}');
  const all = putBack(first.value, lines);
  const start = first.value.text.trimStart();
  if (start.startsWith("[")) {
    throw new UserError("this looks like a JSON array, expected one object a line (JSONL).", {
      file,
      line: 1,
    });
  }
  yield* start.startsWith("{")
    ? pairsFromJsonl(all, file, columns, refused)
    : pairsFromTsv(all, file, columns, refused);
}

async function* putBack(first: Line, lines: AsyncGenerator<Line>): AsyncGenerator<Line, void, undefined> {
  yield first;
  yield* lines;
}
