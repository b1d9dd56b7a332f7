/** The nearest of several names, for "did you mean". */

/**
 * The one of `names` with the fewest edits from `name`, or undefined where even that one is another word: more than
 * a third of the letters, and more than one.
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return fewest <= Math.max(1, Math.floor(name.length / 3)) ? best : undefined;
}

/** Least number of letters to insert, delete, replace or swap with the next (optimal string alignment distance). */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let edits = Math.min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (same ? 0 : 1));
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) edits = Math.min(edits, beforeLast[column - 2] + 1);
      current.push(edits);
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length];
}
