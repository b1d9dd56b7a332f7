/** sacreBLEU's tokenizer `char`: every character that is not white space is a token. */
import { isWhitespace } from "./whitespace.js";

export function tokenizeChar(line: string): string[] {
  return Array.from(line).filter((character) => !isWhitespace(character.codePointAt(0)!));
}
