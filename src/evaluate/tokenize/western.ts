/** The punctuation rules of mteval-v13a, which the tokenizers `13a` and `zh` share. */

// ASCII without letters, digits and `' , - .`, which the next three rules treat by what stands beside them.
const SYMBOL = /[ -&(-+:-@/[-`{-~]/g;
const POINT_AFTER_OTHER = /([^0-9])([.,])/g;
const POINT_BEFORE_OTHER = /([.,])([^0-9])/g;
const DASH_AFTER_DIGIT = /([0-9])-/g;

/** `line` with spaces where a token ends. The order of the rules matters: each sees the spaces of the one before. */
export function separatePunctuation(line: string): string {
  return line
    .replace(SYMBOL, " $& ")
    .replace(POINT_AFTER_OTHER, "$1 $2 ")
    .replace(POINT_BEFORE_OTHER, " $1 $2")
    .replace(DASH_AFTER_DIGIT, "$1 - ");
}
