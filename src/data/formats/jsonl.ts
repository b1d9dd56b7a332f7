/** Pairs from one JSON object a line, `{"source": …, "target": …}`. */

import { type Place, UserError } from "../../errors.js";
import { checkedPair, type Refusal, unlessRefused } from "../check.js";
import { emptyFile, type Line } from "../lines.js";
import type { Pair } from "../pair.js";
import { withoutTrailingBlanks } from "./blank.js";
import { type Columns, defaultColumns } from "./columns.js";

/** Other keys of the objects are ignored; `refused` is told of lines that are no pair, which otherwise are a UserError. */
export async function* pairsFromJsonl(
  lines: AsyncIterable<Line>,
  file: string,
  columns: Columns = defaultColumns,
  refused?: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  const expected = `{"${columns.source}": "…", "${columns.target}": "…"}`;
  let empty = true;
  for await (const { text, number } of withoutTrailingBlanks(lines, file, expected, refused)) {
    empty = false;
    const place = { file, line: number };
    const pair = unlessRefused(() => {
      const row = parseObject(text, expected, place);
      return checkedPair(stringAt(row, columns.source, place), stringAt(row, columns.target, place), place);
    }, refused);
    if (pair) yield pair;
  }
  if (empty) throw emptyFile(file, `lines of ${expected}`);
}

function parseObject(text: string, expected: string, place: Place): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`the line is not JSON, expected ${expected} on one line.`, place, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`the line is JSON but no object, expected ${expected}.`, place);
  }
  return value;
}

function stringAt(row: object, key: string, place: Place): string {
  const found = Object.entries(row).find(([name]) => name === key);
  if (found === undefined) {
    const keys = Object.keys(row).map((name) => `"${name}"`);
    throw new UserError(
      `there is no key "${key}", found ${keys.length === 0 ? "none" : keys.join(", ")}; rename the keys or name yours as columns.`,
      place,
    );
  }
  const [, value] = found;
  if (typeof value !== "string") {
    const kind = value === null ? "null" : Array.isArray(value) ? "a list" : `of type ${typeof value}`;
    throw new UserError(`the value of "${key}" is ${kind}, expected a string.`, place);
  }
  return value;
}
