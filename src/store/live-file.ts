/** `live.json`: what the process that works in a run folder does at this moment. It is gone when that process has ended well. */

import { readFile } from "node:fs/promises";
import { z } from "zod";

const Live = z.strictObject({
  /** The process, as the lock names it. */
  pid: z.int().positive(),
  /** The step that runs, as the manifest will name it; null between steps. */
  step: z.string().nullable(),
  /** The stretch of work that is measured now; null where none is. */
  progress: z
    .strictObject({
      /** `Grow 1` */
      label: z.string(),
      done: z.number().nonnegative(),
      total: z.number().nonnegative(),
      /** Of what, in the plural: `candidates`. */
      unit: z.string(),
      /** A few words such as `loss 2.31`; empty where there are none. */
      detail: z.string(),
      perSecond: z.number().nonnegative(),
      /** Seconds left of this stretch at that rate; null while there is none. */
      secondsLeft: z.number().nonnegative().nullable(),
    })
    .nullable(),
  /** The last sentence that the run said; null before the first. */
  said: z.string().nullable(),
  /** ISO 8601. */
  updated: z.string(),
});

export type LiveState = z.infer<typeof Live>;

/** The file's content; undefined where there is none, or none that can be read: it is a help to look at, nothing more. */
export async function readLiveFile(path: string): Promise<LiveState | undefined> {
  try {
    return Live.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}
