/** Krippendorff's α for ranks: how far raters agree beyond chance (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"). */

export interface Alpha {
  /** 1: agreement, 0: as good as chance, below 0: worse; NaN where nothing can be compared or all values are equal. */
  alpha: number;
  /** Units with two values or more: the others tell nothing of agreement. */
  units: number;
  /** Values in those units. */
  values: number;
}

/**
 * α with the ordinal difference: two values are as far apart as there are values between them, counting half of those
 * equal to either. Only the order of the values matters.
 *
 * @param units the values that each unit (a text) got, in any order; a rater who gave none is left out
 * @example ordinalAlpha([[4, 5], [2, 2, 1], [6]]) // the last unit does not count
 */
export function ordinalAlpha(units: readonly (readonly number[])[]): Alpha {
  const pairable = units.filter((values) => values.length > 1);
  const levels = [...new Set(pairable.flat())].sort((a, b) => a - b);
  const place = new Map(levels.map((value, i) => [value, i]));
  // How often a value stands beside another one in a unit, each unit weighing as much as it has values.
  const coincidences = levels.map(() => new Float64Array(levels.length));
  for (const values of pairable) {
    const counts = new Float64Array(levels.length);
    for (const value of values) counts[place.get(value)!]!++;
    for (let a = 0; a < levels.length; a++) {
      if (counts[a] === 0) continue;
      for (let b = 0; b < levels.length; b++)
        coincidences[a]![b]! += (counts[a]! * (counts[b]! - (a === b ? 1 : 0))) / (values.length - 1);
    }
  }
  const totals = coincidences.map((row) => row.reduce((sum, count) => sum + count, 0));
  const n = totals.reduce((sum, count) => sum + count, 0);
  let observed = 0;
  let expected = 0;
  for (let a = 0; a < levels.length; a++) {
    let between = totals[a]! / 2;
    for (let b = a + 1; b < levels.length; b++) {
      const distance = (between + totals[b]! / 2) ** 2;
      between += totals[b]!;
      observed += coincidences[a]![b]! * distance;
      expected += totals[a]! * totals[b]! * distance;
    }
  }
  return {
    alpha: expected === 0 ? Number.NaN : 1 - ((n - 1) * observed) / expected,
    units: pairable.length,
    values: pairable.reduce((sum, values) => sum + values.length, 0),
  };
}
