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

/** Told of a row that is no pair; the reader then goes on with the next. */
export type Refusal = (problem: UserError) => void;

/** What `read` gives; where there is a `refused` to be told of the UserError that it throws, undefined in its place. */
export function unlessRefused<T>(read: () => T, refused: Refusal | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!refused || !(error instanceof UserError)) throw error;
    refused(error);
    return undefined;
  }
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
