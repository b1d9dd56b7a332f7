/** The unit of a parallel corpus. */

/** One source sentence and its human translation. */
export interface Pair {
  source: string;
  target: string;
}
