/** Prints figures as Python does, so that a printed score equals sacreBLEU's to the last digit. */

/**
 * `value` with `digits` decimals, rounding ties to even. `toFixed` rounds them up: 6.25 would be 6.3 here and 6.2 in
 * sacreBLEU, and precisions such as 1/16 are common.
 */
export function formatFixed(value: number, digits: number): string {
  // A tie is k / (2 · 10^digits) exactly; of these a binary number holds only multiples of 2^−(digits + 1).
  const isDyadic = Number.isInteger(value * 2 ** (digits + 1));
  const scaled = value * 10 ** digits;
  if (!isDyadic || Math.abs(scaled % 1) !== 0.5) return value.toFixed(digits);
  return (2 * Math.round(scaled / 2) * 10 ** -digits).toFixed(digits);
}
