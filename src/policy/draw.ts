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
  const goal = u * mass;
  let sum = 0;
  let i = start;
  // Eight at a time up to near the goal: one long chain of additions would wait for each.
  for (; !restricted && i + 8 <= end; i += 8) {
    const first = probabilities[i]! + probabilities[i + 1]! + (probabilities[i + 2]! + probabilities[i + 3]!);
    const second =
      probabilities[i + 4]! + probabilities[i + 5]! + (probabilities[i + 6]! + probabilities[i + 7]!);
    const next = sum + (first + second);
    if (next > goal) break;
    sum = next;
  }
  let last = -1;
  for (; i < end; i++) {
    const p = probabilities[i]!;
    if (p < least || p === 0) continue;
    last = i;
    sum += p;
    if (sum > goal) break;
  }
  if (last < 0) last = lastPossible(probabilities, start, end);
  return { token: last - start, probability: probabilities[last]! / mass };
}

/** Where the cumulative sum ends when rounding has kept it below the goal. */
function lastPossible(probabilities: Float32Array, start: number, end: number): number {
  for (let i = end - 1; i >= start; i--) if (probabilities[i]! > 0) return i;
  throw new Error("a distribution to draw from has no probability anywhere");
}

/** The smallest probability that the restriction keeps. */
function leastKept(row: Float32Array, topK: number, topP: number): number {
  const descending = row.slice().sort().reverse();
  let kept = descending.length;
  if (topK > 0) kept = Math.min(kept, topK);
  if (topP < 1) {
    let sum = 0;
    let count = 0;
    while (count < kept && sum < topP) sum += descending[count++]!;
    kept = Math.max(1, count);
  }
  return descending[kept - 1]!;
}
