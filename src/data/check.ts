/** What every sentence of a corpus must be, whatever file it came from. */

import { type Place, UserError } from "../errors.js";
import { lineLimit } from "./lines.js";
import type { Pair } from "./pair.js";

/** Half of a character outside the basic plane: JSON can spell it, UTF-8 can't. */
const halfCharacter = /\p{Surrogate}/u;

/**
 * Returns the pair when both sides hold text.
 *
 * @throws UserError at `place` for an empty or overlong side, a NUL, or half a character.
 */
export function checkedPair(source: string, target: string, place: Place, row = ""): Pair {
  checkSentence(source, "source", place, row);
  checkSentence(target, "target", place, row);
  return { source, target };
}

function checkSentence(text: string, side: keyof Pair, place: Place, row: string): void {
  const name = `${row}the ${side}`;
  if (text.trim() === "")
    throw new UserError(`${name} is empty, expected a sentence; remove the pair.`, place);
  if (text.length >= lineLimit) {
    throw new UserError(
      `${name} has ${lineLimit.toLocaleString("en")} characters or more, expected one sentence; split it or remove the pair.`,
      place,
    );
  }
  if (text.includes("\0"))
    throw new UserError(`${name} holds a NUL character, expected text; remove it.`, place);
  if (halfCharacter.test(text)) {
    throw new UserError(
      `${name} holds half of a surrogate pair, expected whole characters; repair the text.`,
      place,
    );
  }
}
