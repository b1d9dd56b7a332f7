/** sacreBLEU's tokenizer `intl` (mteval-v14): splits at every Unicode punctuation mark and symbol. */
import { splitWords } from "./whitespace.js";

// Which characters are punctuation follows the Unicode version of the running Node; the marks that sacreBLEU's
// version knows and Node 20 does not are a few rare scripts and new emoji.
const MARK_AFTER_OTHER = /(\P{N})(\p{P})/gu;
const MARK_BEFORE_OTHER = /(\p{P})(\P{N})/gu;
const SYMBOL = /\p{S}/gu;

export function tokenizeIntl(line: string): string[] {
  return splitWords(
    line.replace(MARK_AFTER_OTHER, "$1 $2 ").replace(MARK_BEFORE_OTHER, " $1 $2").replace(SYMBOL, " $& "),
  );
}
