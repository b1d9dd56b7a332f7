/** How an online training spends its samples: how many batches there are, and which sources each has. */

import { UserError } from "../errors.js";
import type { Config } from "../rest/config.js";
import { deriveKey, permutation } from "../tensor/random.js";

export interface OnlinePlan {
  /** Candidates drawn in all. */
  readonly samples: number;
  readonly batches: number;
  readonly sourcesPerBatch: number;
  readonly samplesPerSource: number;
  /** Sources there are to sample for. */
  readonly sources: number;
}

/** The plan for `sources` sources. @throws UserError where the samples do not fill a batch, or the sources do not. */
export function planOnline(
  { online, grow }: Pick<Config, "online" | "grow">,
  sources: number,
  file: string,
): OnlinePlan {
  const { sourcesPerBatch, samplesPerSource } = online;
  if (sources < sourcesPerBatch)
    throw new UserError(
      `online.sourcesPerBatch is ${sourcesPerBatch} but there are only ${sources} sources to sample for. Lower it.`,
      { file },
    );
  const budget = online.samples ?? grow.steps * sources * grow.samples;
  const aBatch = sourcesPerBatch * samplesPerSource;
  if (budget < aBatch)
    throw new UserError(
      `ReST would draw ${budget} candidates here (grow.steps × sources × grow.samples), which do not fill one batch of ` +
        `${aBatch}. Lower online.sourcesPerBatch or online.samplesPerSource, or set online.samples.`,
      { file },
    );
  // Candidates are compared with those of their source, so a source has all of its samples or none.
  const samples = budget - (budget % samplesPerSource);
  return { samples, batches: Math.ceil(samples / aBatch), sourcesPerBatch, samplesPerSource, sources };
}

/**
 * Places of the sources of batch `batch`, from 1: no source twice in a batch, nor twice in a pass over the sources, which are
 * shuffled anew for each pass. What does not fill a batch at the end of a pass is left out of it.
 */
export function batchSources(plan: OnlinePlan, batch: number, seed: number): number[] {
  const { sources, sourcesPerBatch, samplesPerSource, samples } = plan;
  const perPass = Math.floor(sources / sourcesPerBatch);
  const [pass, at] = [Math.floor((batch - 1) / perPass), (batch - 1) % perPass];
  const left = samples / samplesPerSource - (batch - 1) * sourcesPerBatch;
  const order = permutation(deriveKey(seed, pass), sources);
  const start = at * sourcesPerBatch;
  return Array.from(order.subarray(start, start + Math.min(sourcesPerBatch, left)));
}
