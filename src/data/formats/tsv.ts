/** Pairs from tab-separated lines, `source<TAB>target` unless columns are named by number. */

import { UserError } from "../../errors.js";
import { checkedPair, type Refusal, unlessRefused } from "../check.js";
import { emptyFile, type Line } from "../lines.js";
import type { Pair } from "../pair.js";
import { withoutTrailingBlanks } from "./blank.js";
import type { Columns } from "./columns.js";

/**
 * With `columns` (`{source: "2", target: "1"}`, from 1) lines may have more than two fields, all lines as
 * many; without, exactly two. `refused` is told of lines that are no pair, which otherwise are a UserError.
 */
export async function* pairsFromTsv(
  lines: AsyncIterable<Line>,
  file: string,
  columns?: Columns,
  refused?: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  const source = columnIndex(columns?.source ?? "1", file);
  const target = columnIndex(columns?.target ?? "2", file);
  const needed = Math.max(source, target) + 1;
  let width = columns ? undefined : 2;
  let empty = true;
  for await (const { text, number } of withoutTrailingBlanks(lines, file, "source<TAB>target", refused)) {
    empty = false;
    const place = { file, line: number };
    const pair = unlessRefused(() => {
      const fields = text.split("\t");
      width ??= fields.length;
      if (fields.length === 1) {
        throw new UserError(
          "the line has no tab, expected source<TAB>target (two plain text files are given as train.de,train.en).",
          place,
        );
      }
      if (fields.length < needed) {
        throw new UserError(`the line has ${fields.length} columns, expected ${needed}.`, place);
      }
      if (fields.length !== width) {
        const found = `the line has ${count(fields.length - 1)}, expected ${count(width - 1)}`;
        const advice = columns
          ? "as on line 1"
          : "source<TAB>target; remove the others or name two columns by number";
        throw new UserError(`${found}: ${advice}.`, place);
      }
      return checkedPair(fields[source] ?? "", fields[target] ?? "", place);
    }, refused);
    if (pair) yield pair;
  }
  if (empty) throw emptyFile(file, "lines of source<TAB>target");
}

function columnIndex(column: string, file: string): number {
  if (!/^[1-9]\d{0,3}$/.test(column)) {
    throw new UserError(`columns of a TSV file are numbers from 1, found "${column}".`, { file });
  }
  return Number(column) - 1;
}

function count(tabs: number): string {
  return tabs === 1 ? "1 tab" : `${tabs} tabs`;
}
