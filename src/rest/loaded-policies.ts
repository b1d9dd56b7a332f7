/** Policies that are loaded, so that one that is asked for again need not be read again. */

import { NativePolicy } from "../policy/native.js";
import type { Thread } from "../tensor/thread.js";

interface Loaded {
  readonly policy: NativePolicy;
  /** Of the weights that were read; see `get`. */
  readonly stamp: string | undefined;
}

export class LoadedPolicies {
  readonly #thread: Thread;
  readonly #most: number;
  /** By folder, the least recently used first. */
  readonly #loaded = new Map<string, Loaded>();

  /** @param most policies kept, 1 or more; the least recently used leave first. */
  constructor(thread: Thread, most: number) {
    this.#thread = thread;
    this.#most = most;
  }

  /**
   * The policy of a folder, loaded anew where `stamp` is another than before. It is released once `most` others have
   * been asked for: what it is to do must be done before that.
   */
  async get(folder: string, stamp: string | undefined): Promise<NativePolicy> {
    const found = this.#loaded.get(folder);
    this.#loaded.delete(folder);
    const known = found?.stamp === stamp ? found?.policy : undefined;
    if (!known) await found?.policy.release();
    const policy = known ?? (await NativePolicy.load(this.#thread, folder));
    this.#loaded.set(folder, { policy, stamp });
    for (const [old, { policy: unused }] of this.#loaded) {
      if (this.#loaded.size <= this.#most) break;
      this.#loaded.delete(old);
      await unused.release();
    }
    return policy;
  }
}
