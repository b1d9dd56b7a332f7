/** Choosing the next token from a row of probabilities. */

export interface Restriction {
  /** Only the k most likely tokens; ties with the k-th stay. 0: all. */
  readonly topK: number;
  /** Only the most likely tokens whose probabilities together reach this; 1: all. */
  readonly topP: number;
}

/** The most likely token of row `row`; the lowest id of equals. */
export function mostLikely(probabilities: Float32Array, row: number, vocabulary: number): number {
  const start = row * vocabulary;
  let best = start;
  for (let i = start + 1; i < start + vocabulary; i++) if (probabilities[i]! > probabilities[best]!) best = i;
  return best - start;
}

/**
 * Draws from row `row` with the uniform number `u` in (0, 1) by walking the cumulative sum. Returns the token and its
 * probability after the restriction.
 */
export function drawToken(
  probabilities: Float32Array,
  row: number,
  vocabulary: number,
  u: number,
  { topK, topP }: Restriction,
): { token: number; probability: number } {
  const start = row * vocabulary;
  const end = start + vocabulary;
  const restricted = (topK > 0 && topK < vocabulary) || topP < 1;
  const least = restricted ? leastKept(probabilities.subarray(start, end), topK, topP) : 0;
  // A whole softmax sums to 1 within rounding; the walk below ends at the last token if it falls short.
  let mass = restricted ? 0 : 1;
  if (restricted) for (let i = start; i < end; i++) if (probabilities[i]! >= least) mass += probabilities[i]!;
  const token = walk(probabilities, start, end, u * mass, least);
  return { token: token - start, probability: probabilities[token]! / mass };
}

/**
 * Where in `probabilities` from `start` to `end` the running sum of those of at least `least`, and above 0, exceeds
 * `goal`; the last of them where rounding keeps it below.
 */
export function walk(
  probabilities: Float32Array,
  start: number,
  end: number,
  goal: number,
  least = 0,
): number {
  let sum = 0;
  let last = -1;
  for (let i = start; i < end; i++) {
    const p = probabilities[i]!;
    if (p < least || p === 0) continue;
    last = i;
    sum += p;
    if (sum > goal) break;
  }
  if (last < 0) throw new Error("a distribution to draw from has no probability anywhere");
  return last;
}

/** The smallest probability that the restriction keeps. */
function leastKept(row: Float32Array, topK: number, topP: number): number {
  const most = topK > 0 ? Math.min(topK, row.length) : row.length;
  // Those below never add up to 1 − topP, so that the ones above reach topP by themselves: few are left to sort.
  const descending =
    topP < 1
      ? largest(
          row.filter((p) => p > (1 - topP) / row.length),
          most,
        )
      : largest(row, most);
  if (topP >= 1) return descending[most - 1]!;
  let sum = 0;
  let count = 0;
  while (count < descending.length && sum < topP) sum += descending[count++]!;
  return descending[Math.max(1, count) - 1]!;
}

/** Longest list that is kept in order while a row is read; sorting the row is faster for longer ones. */
const LONGEST_LIST = 256;

/** The `most` largest of a row, descending. */
function largest(row: Float32Array, most: number): Float32Array {
  if (most > LONGEST_LIST || most >= row.length) return row.slice().sort().reverse().subarray(0, most);
  const list = new Float32Array(most).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < row.length; i++) {
    const p = row[i]!;
    if (p <= list[most - 1]!) continue;
    let at = most - 1;
    while (at > 0 && list[at - 1]! < p) list[at] = list[--at]!;
    list[at] = p;
  }
  return list;
}
