/** Blank lines: harmless at the end of a file, an error between pairs. */

import { UserError } from "../../errors.js";
import type { Line } from "../lines.js";

/** @throws UserError at a blank line that text follows. */
export async function* withoutTrailingBlanks(
  lines: AsyncIterable<Line>,
  file: string,
  expected: string,
): AsyncGenerator<Line, void, undefined> {
  let blank: number | undefined;
  for await (const line of lines) {
    if (line.text.trim() === "") {
      blank ??= line.number;
      continue;
    }
    if (blank !== undefined) {
      throw new UserError(`the line is blank, expected ${expected}; remove it.`, { file, line: blank });
    }
    yield line;
  }
}
