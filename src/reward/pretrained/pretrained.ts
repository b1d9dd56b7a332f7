/** A pretrained checkpoint as a reward. */

import { Thread } from "../../tensor/thread.js";
import type { Reward } from "../reward.js";
import type { PretrainedOptions, PretrainedScorer } from "./family.js";
import { openPretrained } from "./open.js";

export interface PretrainedContext {
  /** Where forward passes run; absent: in a thread of its own, which ends when the reward is closed. */
  readonly thread?: Thread;
  /** Sees the scorer before it is used, and throws to refuse it. */
  readonly onOpen?: (scorer: PretrainedScorer) => Promise<void>;
  /** Ends scoring with `Interrupted`. */
  readonly signal?: AbortSignal;
}

/** The reward of the checkpoint in `folder`. @throws UserError as `openPretrained` does. */
export async function pretrainedReward(
  folder: string,
  options: PretrainedOptions,
  { thread, onOpen, signal }: PretrainedContext = {},
): Promise<Reward> {
  const own = thread ? undefined : new Thread();
  try {
    const scorer = await openPretrained(thread ?? own!, folder, options);
    await onOpen?.(scorer);
    return {
      name: scorer.name,
      needsReference: scorer.needsReference,
      score: async (batch) =>
        (await scorer.score(batch, signal ? { signal } : {})).map(({ reward }) => reward),
      close: async () => {
        await scorer.close();
        await own?.close();
      },
    };
  } catch (error) {
    await own?.close();
    throw error;
  }
}
