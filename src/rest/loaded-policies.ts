/** Policies that are loaded, so that one that is asked for again need not be read again. */

interface Loaded<Policy> {
  readonly policy: Policy;
  /** Of the weights that were read; see `get`. */
  readonly stamp: string | undefined;
}

export class LoadedPolicies<Policy extends { release(): Promise<void> }> {
  readonly #load: (folder: string) => Promise<Policy>;
  readonly #most: number;
  /** By folder, the least recently used first. */
  readonly #loaded = new Map<string, Loaded<Policy>>();

  /** @param most policies kept, 1 or more; the least recently used leave first. */
  constructor(load: (folder: string) => Promise<Policy>, most: number) {
    this.#load = load;
    this.#most = most;
  }

  /**
   * The policy of a folder, loaded anew where `stamp` is another than before. It is released once `most` others have
   * been asked for: what it is to do must be done before that.
   */
  async get(folder: string, stamp: string | undefined): Promise<Policy> {
    const found = this.#loaded.get(folder);
    this.#loaded.delete(folder);
    const known = found?.stamp === stamp ? found?.policy : undefined;
    if (!known) await found?.policy.release();
    const policy = known ?? (await this.#load(folder));
    this.#loaded.set(folder, { policy, stamp });
    for (const [old, { policy: unused }] of this.#loaded) {
      if (this.#loaded.size <= this.#most) break;
      this.#loaded.delete(old);
      await unused.release();
    }
    return policy;
  }
}
