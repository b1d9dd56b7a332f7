/** Inputs in batches of about the same length, so that little of a batch is padding. */

import { Interrupted } from "../../errors.js";
import type { CallContext } from "../../tensor/thread-worker.js";

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

/**
 * Gives `run` the places of one batch after another, in the worker thread, and reports how many inputs are done.
 * Throws `Interrupted` between two batches once the caller has given up.
 */
export async function eachBatch(
  lengths: readonly number[],
  batchTokens: number | undefined,
  context: CallContext,
  run: (places: readonly number[]) => Promise<void>,
): Promise<void> {
  let done = 0;
  for (const places of lengthBatches(lengths, batchTokens)) {
    if (context.cancelled()) throw new Interrupted();
    await run(places);
    done += places.length;
    context.progress(done);
  }
}
