/** Where processes that share no folder leave the part files of a Grow step for each other: an object store, or a folder. */

import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { UserError } from "../errors.js";
import { writeAside, writeFailure } from "./atomic.js";
import { checkFiles, copyStatement, metadataOf, ORIGIN_KEY, PART, RUN_KEY } from "./candidates.js";
import { type Engine, fileList, openEngine, quote } from "./duckdb.js";
import { connectS3, s3Failure } from "./s3.js";
import { isS3 } from "./store-address.js";

/** Key of a stored part's metadata, beside those of the run and the origin. */
const SHARD_KEY = "coppice_shard";

/** What a part file in a store says of itself. */
export interface Stamp {
  /** The run that it belongs to. */
  run: string;
  /** Stands for all that the candidates follow from. */
  origin: string;
  /** The share it was written for, as `3/8`; "" where it was none. */
  shard: string;
}

export interface PartStore {
  /** The address of a part, as messages name it. */
  address(grow: number, name: string): string;
  /** Names of the part files of a Grow step that are there whole, sorted. */
  list(grow: number): Promise<string[]>;
  /** What each of these parts says of itself, in their order; of one that is not Coppice's, undefined is all it says. */
  stamps(grow: number, names: readonly string[]): Promise<Partial<Stamp>[]>;
  /**
   * Writes the rows of a part file there under its name, whole or not at all; what was there is replaced. Throws a UserError
   * for a file of another run.
   */
  put(grow: number, file: string, stamp: Stamp): Promise<void>;
  /** Fetches a part to `file`, the same bytes as those of the file that was put, if that said its origin. */
  get(grow: number, file: string, stamp: Pick<Stamp, "run" | "origin">): Promise<void>;
  /** What a part file in a run folder says of itself. Throws a UserError for one of another run, or that is damaged. */
  own(file: string, run: string): Promise<Partial<Stamp>>;
  close(): void;
}

/**
 * Opens the store at `location`: `s3://bucket/prefix`, or a folder, which starts from `base`.
 *
 * @param spill What does not fit into memory goes beside this path.
 * @throws UserError where S3 cannot be spoken here; here and in all that the store does, also for a store that does not answer,
 * has no such bucket, refuses the credentials, or holds a file that is damaged.
 */
export async function openPartStore(
  location: string,
  { base, spill, env = process.env }: { base: string; spill: string; env?: NodeJS.ProcessEnv },
): Promise<PartStore> {
  const engine = await openEngine(spill, { threads: 1 });
  try {
    const connection = await engine.instance.connect();
    if (!isS3(location)) return new DuckDbStore(engine, connection, folderPlace(resolve(base, location)));
    await connectS3(connection, env);
    return new DuckDbStore(engine, connection, s3Place(location.replace(/\/$/, ""), connection, env));
  } catch (error) {
    engine.close();
    throw error;
  }
}

/** What is different between kinds of store. */
interface Place {
  join(folder: string, name: string): string;
  /** Names in a folder; none where it is not there. */
  names(folder: string): Promise<string[]>;
  /** Lets `write` write a file so that it appears whole or not at all. */
  whole(path: string, write: (path: string) => Promise<void>): Promise<void>;
  failure(error: unknown, path: string): unknown;
}

function folderPlace(root: string): Place {
  return {
    join: (folder, name) => join(root, folder, name),
    names: (folder) =>
      readdir(join(root, folder)).catch((error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
        throw error;
      }),
    whole: writeAside,
    failure: writeFailure,
  };
}

function s3Place(root: string, connection: DuckDBConnection, env: NodeJS.ProcessEnv): Place {
  const path = (folder: string, name: string) => `${root}/${folder}/${name}`;
  return {
    join: path,
    names: async (folder) => {
      const found = await connection.runAndReadAll(`SELECT file FROM glob(${quote(path(folder, "*"))})`);
      return found.getRowsJS().map(([file]) => String(file).slice(path(folder, "").length));
    },
    // An object is there when its upload is finished, and not before.
    whole: (target, write) => write(target),
    failure: (error, target) => s3Failure(error, target, env),
  };
}

class DuckDbStore implements PartStore {
  constructor(
    private readonly engine: Engine,
    private readonly connection: DuckDBConnection,
    private readonly place: Place,
  ) {}

  address(grow: number, name: string): string {
    return this.place.join(`grow-${grow}`, name);
  }

  async list(grow: number): Promise<string[]> {
    const names = await this.#ask(this.address(grow, ""), () => this.place.names(`grow-${grow}`));
    return names.filter((name) => PART.test(name)).sort();
  }

  async stamps(grow: number, names: readonly string[]): Promise<Partial<Stamp>[]> {
    if (names.length === 0) return [];
    const files = names.map((name) => this.address(grow, name));
    return this.#ask(this.address(grow, names[0]!), () => this.#stampsIn(files));
  }

  async own(file: string, run: string): Promise<Partial<Stamp>> {
    await checkFiles([file], run);
    const [stamp] = await this.#stampsIn([file]);
    return stamp!;
  }

  async #stampsIn(files: readonly string[]): Promise<Partial<Stamp>[]> {
    const sql = `SELECT file_name, decode(key), decode(value) FROM parquet_kv_metadata(${fileList(files)})`;
    const rows = (await this.connection.runAndReadAll(sql)).getRowsJS();
    const stamps = new Map<string, Partial<Stamp>>();
    for (const [file, key, value] of rows) {
      const stamp = stamps.get(String(file)) ?? {};
      if (key === RUN_KEY) stamp.run = String(value);
      if (key === ORIGIN_KEY) stamp.origin = String(value);
      if (key === SHARD_KEY) stamp.shard = String(value);
      stamps.set(String(file), stamp);
    }
    return files.map((file) => stamps.get(file) ?? {});
  }

  async put(grow: number, file: string, { run, origin, shard }: Stamp): Promise<void> {
    const target = this.address(grow, basename(file));
    await checkFiles([file], run);
    const stamp = { ...metadataOf({ run, origin }), [SHARD_KEY]: shard };
    await this.#ask(target, () => this.place.whole(target, (path) => this.#copy(file, path, stamp)));
  }

  async get(grow: number, file: string, stamp: Pick<Stamp, "run" | "origin">): Promise<void> {
    const from = this.address(grow, basename(file));
    await this.#ask(from, () => writeAside(file, (aside) => this.#copy(from, aside, metadataOf(stamp))));
  }

  close(): void {
    this.connection.closeSync();
    this.engine.close();
  }

  async #copy(from: string, to: string, metadata: Readonly<Record<string, string>>): Promise<void> {
    await this.connection.run(copyStatement(`SELECT * FROM read_parquet(${quote(from)})`, to, metadata));
  }

  async #ask<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (
        error instanceof Error &&
        /no magic bytes|too small to be a Parquet|not a Parquet file/i.test(error.message)
      ) {
        const [, file = path] = /file '([^']+)'/.exec(error.message) ?? [];
        throw new UserError(
          "this is not a whole Parquet file. Remove it and run the same command again to make it anew.",
          { file },
          { cause: error },
        );
      }
      throw this.place.failure(error, path);
    }
  }
}
