/** Where a translation and its reference part: what the page marks. */

/**
 * A stretch of the translation. `differs`: words that the longest common subsequence with the reference does not use;
 * `missing`: empty, where words of the reference are left out and nothing stands in their place.
 */
export interface Stretch {
  text: string;
  kind: "same" | "differs" | "missing";
}

/** Scripts written without spaces are compared character by character; elsewhere a word is letters and digits. */
const PIECES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|[\p{L}\p{N}\p{M}]+(?:['’\-.][\p{L}\p{N}\p{M}]+)*|\s+|[^\s]/gu;

/** Cells of the comparison table above which nothing is compared: bounds time and memory. */
const LARGEST_TABLE = 4_000_000;

interface Piece {
  text: string;
  /** How the piece is compared (lower case); empty for white space, which is never marked. */
  word: string;
}

function pieces(text: string): Piece[] {
  return (text.match(PIECES) ?? []).map((piece) => ({ text: piece, word: piece.trim().toLowerCase() }));
}

/** For each of `words`, the place in `reference` that the longest common subsequence gives it, or -1. */
function common(words: string[], reference: string[]): number[] {
  const rows = words.length;
  const columns = reference.length;
  // length[i][j]: longest common subsequence of words from i on and reference from j on.
  const width = columns + 1;
  const length = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      length[i * width + j] =
        words[i] === reference[j]
          ? length[(i + 1) * width + j + 1]! + 1
          : Math.max(length[(i + 1) * width + j]!, length[i * width + j + 1]!);
    }
  }
  const places = new Array<number>(rows).fill(-1);
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (words[i] === reference[j]) {
      places[i] = j;
      i++;
      j++;
    } else if (length[(i + 1) * width + j]! >= length[i * width + j + 1]!) i++;
    else j++;
  }
  return places;
}

/**
 * `text` cut into stretches, neighbours alike joined; joined again they are `text` exactly. Upper and lower case are
 * held equal, white space is never marked. Texts too long to compare come back as one stretch, `same`.
 */
export function differences(text: string, reference: string): Stretch[] {
  const all = pieces(text);
  const words = all.filter(({ word }) => word !== "").map(({ word }) => word);
  const wanted = pieces(reference)
    .filter(({ word }) => word !== "")
    .map(({ word }) => word);
  if (words.length * wanted.length > LARGEST_TABLE) return [{ text, kind: "same" }];
  const places = common(words, wanted);
  const stretches: Stretch[] = [];
  const push = (part: string, kind: Stretch["kind"]): void => {
    const last = stretches.at(-1);
    if (last && last.kind === kind) last.text += part;
    else stretches.push({ text: part, kind });
  };
  let at = 0;
  let expected = 0;
  // Whether a word of the translation stands where words of the reference are left out.
  let replaced = false;
  for (const { text: part, word } of all) {
    if (word === "") {
      push(part, "same");
      continue;
    }
    const place = places[at++]!;
    if (place === -1) {
      push(part, "differs");
      replaced = true;
      continue;
    }
    if (place > expected && !replaced) push("", "missing");
    push(part, "same");
    expected = place + 1;
    replaced = false;
  }
  if (expected < wanted.length && !replaced) push("", "missing");
  return stretches;
}
