/** What scorers of every family do on the main thread: ask their worker, and bring what it says into [0, 1]. */

import type { Remote } from "../../tensor/thread.js";
import type { ScoreOptions } from "./family.js";

/** The worker's method `score`: raw numbers, one an input. Progress is in what the worker counts. */
export async function askScores(
  remote: Remote,
  request: object,
  { onProgress, signal }: ScoreOptions,
): Promise<Float32Array | Float64Array> {
  // What the workers' `score` gives.
  return (await remote.call("score", request, {
    onProgress: (done) => onProgress?.(Number(done)),
    ...(signal && { signal }),
  })) as Float32Array | Float64Array;
}

/** A raw score of a scale that is about 0 to 1 already, but has no bounds. */
export function withinUnit(raw: number): number {
  return Math.min(Math.max(raw, 0), 1);
}
