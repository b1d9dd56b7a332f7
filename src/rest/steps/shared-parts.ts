/** The parts of a Grow step that processes without a common folder share through a store (`grow.store`). */

import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { UserError } from "../../errors.js";
import { openPartStore, type PartStore, type Stamp } from "../../store/part-store.js";
import type { RunContext } from "../context.js";
import { stepNames } from "../names.js";

/** A share of a Grow step's sources: number `number`, from 1, of `of`. */
export interface Shard {
  number: number;
  of: number;
}

/** Whether the part at that place, from 0, belongs to a share: they are dealt in turn. */
export function isIn({ number, of }: Shard, at: number): boolean {
  return at % of === number - 1;
}

export interface SharedOptions {
  /** `grow.store`. */
  location: string;
  grow: number;
  /** The policy that the candidates are drawn from. */
  policy: string;
  /** Path of every part of this Grow step in the run folder, in order. */
  paths: readonly string[];
  /** The share that this process takes; absent: all that is missing. */
  shard?: Shard;
}

/**
 * Parts in a store, held against this run: one that was sampled by another run, or from another policy, data or keys of
 * `grow`, is refused before anything is sampled, fetched or written over.
 */
export class SharedParts {
  /** Names of the parts there, and what they say of themselves. */
  readonly #there = new Map<string, Partial<Stamp>>();
  /** Names of parts that other shares bring, which whoever puts them together checks: a look at each costs two requests. */
  readonly #others: ReadonlySet<string>;

  private constructor(
    private readonly store: PartStore,
    private readonly options: SharedOptions,
    private readonly stamp: Stamp,
    private readonly root: string,
  ) {
    const { paths, shard } = options;
    const others = shard ? paths.filter((_, at) => !isIn(shard, at)) : [];
    this.#others = new Set(others.map((path) => basename(path)));
  }

  /** Opens the store and checks what is there. @throws UserError as `openPartStore` does, and for a stranger's part. */
  static async open(run: RunContext, options: SharedOptions): Promise<SharedParts> {
    const { location, shard, grow } = options;
    const spill = `${run.folder.grow(grow)}-store`;
    const store = await openPartStore(location, { base: dirname(run.folder.config), spill });
    const stamp: Stamp = {
      run: run.manifest.runId,
      origin: originOf(run, options),
      shard: shard ? `${shard.number}/${shard.of}` : "",
    };
    const parts = new SharedParts(store, options, stamp, run.folder.root);
    try {
      await parts.refresh();
      return parts;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  /** Looks what has come since the last time, and checks what of it this process would take for its own. */
  async refresh(): Promise<void> {
    const { store, stamp } = this;
    const { grow } = this.options;
    const fresh = (await store.list(grow)).filter((name) => !this.#there.has(name));
    for (const name of fresh) if (this.#others.has(name)) this.#there.set(name, {});
    const own = fresh.filter((name) => !this.#others.has(name));
    const stamps = await store.stamps(grow, own);
    own.forEach((name, i) => {
      const { run, origin } = stamps[i]!;
      const way = "Give this run a grow.store of its own, or remove what lies there.";
      const place = { file: store.address(grow, name) };
      if (run !== stamp.run)
        throw new UserError(
          `these candidates belong to ${run === undefined ? "no run" : `run ${run}`}, but ${this.root} is run ${stamp.run}. ${way}`,
          place,
        );
      if (origin !== stamp.origin)
        throw new UserError(
          `these candidates were sampled from another policy, other data or other keys of grow than ${this.root} has. ${way}`,
          place,
        );
      this.#there.set(name, stamps[i]!);
    });
  }

  /** Whether the store had it when it was last looked into. */
  has(path: string): boolean {
    return this.#there.has(basename(path));
  }

  /** What a part that is sampled for the store says it follows from. */
  get origin(): string {
    return this.stamp.origin;
  }

  /**
   * Puts a finished part there, unless one is by now: it would be the same. Throws a UserError for one that lies in the run
   * folder from before a change: where the folder was brought anew over an older copy, nobody has removed it.
   */
  async give(path: string): Promise<void> {
    const { origin = this.origin } = await this.store.own(path, this.stamp.run);
    if (origin !== this.origin)
      throw new UserError(
        "these candidates were sampled from another policy, other data or other keys of grow than the run has now. " +
          "Delete the file and run the same command again to sample it anew.",
        { file: path },
      );
    if (!this.has(path)) await this.refresh();
    if (this.has(path)) return;
    await this.store.put(this.options.grow, path, this.stamp);
    this.#there.set(basename(path), this.stamp);
  }

  /** Fetches a part that is there into the run folder. */
  async take(path: string): Promise<void> {
    await this.store.get(this.options.grow, path, this.stamp);
  }

  /** What is missing, by the shares that are to bring it where those that came before tell into how many it was cut. */
  missing(): { parts: number; shards: string[] } {
    const { paths } = this.options;
    const counts = new Set([...this.#there.values()].map(({ shard }) => shard?.split("/")[1]));
    counts.delete(undefined);
    const [of] = counts.size === 1 ? [Number([...counts][0])] : [];
    const missing = paths.flatMap((path, at) => (this.has(path) ? [] : [at]));
    const shards =
      of === undefined ? [] : [...new Set(missing.map((at) => (at % of) + 1))].sort((a, b) => a - b);
    return { parts: missing.length, shards: shards.map((number) => `${number}/${of}`) };
  }

  close(): void {
    this.store.close();
  }
}

/** Stands for all that the candidates of a Grow step follow from, by content where the run's own id goes by names. */
function originOf(run: RunContext, { grow, policy, paths }: SharedOptions): string {
  const files = (step: string) =>
    run.manifest.step(step)?.outputs.map(({ path, sha256 }) => `${path} ${sha256}`) ?? [];
  const { samples, temperature, topK, topP, maxSources, maxTokens } = run.config.grow;
  const facts = {
    grow,
    policy,
    seed: run.config.seed,
    keys: { samples, temperature, topK, topP, maxSources, maxTokens },
    files: [...files(stepNames.prepare), ...files(policy)],
    parts: [paths.length, ...[paths[0], paths.at(-1)].map((path) => path && basename(path))],
  };
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 32);
}
