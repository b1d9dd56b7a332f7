/** Inputs in batches of about the same length, so that little of a batch is padding. */

/** Positions of a batch, padding included, where nobody says otherwise. */
export const BATCH_TOKENS = 4096;

/**
 * The places of `lengths` in batches, the longest first: whoever runs out of memory does so at once. The longest of a batch
 * times its size is at most `batchTokens`, but for one that alone is longer.
 */
export function lengthBatches(lengths: readonly number[], batchTokens = BATCH_TOKENS): number[][] {
  const order = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const batches: number[][] = [];
  let batch: number[] = [];
  for (const place of order) {
    const longest = lengths[batch[0] ?? place]!;
    if (batch.length > 0 && (batch.length + 1) * longest > batchTokens) {
      batches.push(batch);
      batch = [];
    }
    batch.push(place);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
