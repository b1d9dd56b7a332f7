/** Blank lines: harmless at the end of a file, an error between pairs. */

import { UserError } from "../../errors.js";
import { type Refusal, unlessRefused } from "../check.js";
import type { Line } from "../lines.js";

/** @throws UserError at a blank line that text follows, unless `refused` is there to be told of it. */
export async function* withoutTrailingBlanks(
  lines: AsyncIterable<Line>,
  file: string,
  expected: string,
  refused?: Refusal,
): AsyncGenerator<Line, void, undefined> {
  const blanks: number[] = [];
  for await (const line of lines) {
    if (line.text.trim() === "") {
      blanks.push(line.number);
      continue;
    }
    for (const blank of blanks.splice(0)) {
      unlessRefused(() => {
        throw new UserError(`the line is blank, expected ${expected}; remove it.`, { file, line: blank });
      }, refused);
    }
    yield line;
  }
}
