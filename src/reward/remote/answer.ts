/** Finds the number in what a judge wrote. */

export interface Scale {
  low: number;
  high: number;
}

/** With a point, or a comma and one or two digits: three after a comma are thousands, which no scale has. */
const NUMBER = String.raw`[-−+]?(?:\d+(?:\.\d+|,\d{1,2}(?!\d))?|\.\d+)`;
/** `3-4` and `3 to 4` are no number, so what may follow one is read along with it. */
const RANGE = String.raw`(\s*(?:-|–|—|to)\s*\d)?`;
const LABELLED = new RegExp(
  String.raw`\b(?:score|rating|grade)\b(?:\s*\([^)]*\))?["'*_\s]*(?:is|of|=|:)?["'*_\s:>[(]*(${NUMBER})(?![\d.,]*\d)${RANGE}`,
  "gi",
);
const OUT_OF = new RegExp(String.raw`(${NUMBER})\s*(?:/|out of)\s*(${NUMBER})`, "gi");
const ANY = new RegExp(`(${NUMBER})${RANGE}`, "g");

/**
 * The number on the scale that `text` gives: after the last "Score:" (or rating, grade), or else before the last "/ 10" or
 * "out of 10" with the scale's end, or else the only number there is. What stands in <think> is left out. Undefined where
 * there is none, more than one that could be meant, or one off the scale.
 */
export function scoreIn(text: string, { low, high }: Scale): number | undefined {
  const answer = text.replace(/<think>[\s\S]*?<\/think>/gi, "");
  const found = labelled(answer) ?? outOf(answer, high) ?? only(answer);
  return found !== undefined && found >= low && found <= high ? found : undefined;
}

function labelled(text: string): number | undefined {
  const last = [...text.matchAll(LABELLED)].at(-1);
  // A range is no score; nor is then any other number in the text.
  if (last) return last[2] === undefined ? numberOf(last[1]!) : Number.NaN;
  return undefined;
}

function outOf(text: string, high: number): number | undefined {
  const last = [...text.matchAll(OUT_OF)].filter(([, , end]) => numberOf(end!) === high).at(-1);
  return last && numberOf(last[1]!);
}

function only(text: string): number | undefined {
  const all = [...text.matchAll(ANY)];
  if (all.some(([, , range]) => range !== undefined)) return undefined;
  const different = new Set(all.map(([, number]) => numberOf(number!)));
  return different.size === 1 ? [...different][0] : undefined;
}

function numberOf(text: string): number {
  return Number(text.replace("−", "-").replace(",", "."));
}
