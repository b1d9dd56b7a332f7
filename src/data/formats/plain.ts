/** Pairs from two plain text files whose lines stand beside each other (`train.de`, `train.en`). */

import { UserError } from "../../errors.js";
import { checkedPair, type Refusal, unlessRefused } from "../check.js";
import { emptyFile, linesOf } from "../lines.js";
import type { Pair } from "../pair.js";

/**
 * @throws UserError for different numbers of lines and, at its file, for a line that is blank; `refused` is told of
 * lines that are no pair in place of an error.
 */
export async function* pairsFromPlain(
  sourceFile: string,
  targetFile: string,
  refused?: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  const sources = linesOf(sourceFile, { damaged: refused !== undefined });
  const targets = linesOf(targetFile, { damaged: refused !== undefined });
  try {
    for (let line = 1; ; line++) {
      const [source, target] = [await sources.next(), await targets.next()];
      if (source.done && target.done) {
        if (line === 1) throw emptyFile(sourceFile, "one sentence a line");
        return;
      }
      if (source.done || target.done) {
        const sourceLines = line - 1 + (await rest(source, sources));
        const targetLines = line - 1 + (await rest(target, targets));
        throw new UserError(
          `there are ${sourceLines} lines here and ${targetLines} in ${targetFile}, expected as many in both; line n of one must translate line n of the other.`,
          { file: sourceFile },
        );
      }
      const [sourceText, targetText] = [source.value.text, target.value.text];
      const pair = unlessRefused(() => {
        for (const [text, file] of [
          [sourceText, sourceFile],
          [targetText, targetFile],
        ] as const) {
          if (text.trim() === "") {
            throw new UserError("the line is blank, expected a sentence; remove the line from both files.", {
              file,
              line,
            });
          }
        }
        return checkedPair(sourceText, targetText, { file: sourceFile, line });
      }, refused);
      if (pair) yield pair;
    }
  } finally {
    await sources.return();
    await targets.return();
  }
}

async function rest(
  first: IteratorResult<unknown, void>,
  lines: AsyncGenerator<unknown, void>,
): Promise<number> {
  if (first.done) return 0;
  let count = 1;
  for await (const _ of lines) count++;
  return count;
}
