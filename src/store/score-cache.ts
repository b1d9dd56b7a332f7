/** Scores that were paid for, by a key of what was scored: one JSON object a line, only ever added to. */

import { open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import { syncFolder, writeFailure } from "./atomic.js";

const Line = z.strictObject({ key: z.string(), reward: z.number() });

/**
 * A map from keys to numbers that outlives the process. All of it is held in memory, about 150 bytes a score. One process
 * at a time may open a file for writing; others may read it meanwhile.
 */
export class ScoreCache {
  readonly #scores: Map<string, number>;
  /** Where new scores go; absent where they are kept in memory alone. */
  readonly #file: string | undefined;
  #waiting: string[] = [];
  #written: Promise<void> = Promise.resolve();

  private constructor(scores: Map<string, number>, file?: string) {
    this.#scores = scores;
    this.#file = file;
  }

  /** Forgotten with the process. */
  static inMemory(): ScoreCache {
    return new ScoreCache(new Map());
  }

  /**
   * The scores in `file`, none where there is no such file. A last line that a killed process left half written is dropped.
   * With `write: false` the file stays as it is, and what is added is kept in memory alone.
   * Throws a UserError naming a whole line that is not a score.
   */
  static async open(file: string, { write }: { write: boolean }): Promise<ScoreCache> {
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return Buffer.alloc(0);
      throw error;
    });
    const scores = new Map<string, number>();
    let end = 0;
    for (let line = 1, next = bytes.indexOf(10); next >= 0; line++, next = bytes.indexOf(10, end)) {
      const { key, reward } = parsed(bytes.toString("utf8", end, next), { file, line });
      scores.set(key, reward);
      end = next + 1;
    }
    if (write && end < bytes.length) await cut(file, end);
    return write ? new ScoreCache(scores, file) : new ScoreCache(scores);
  }

  get(key: string): number | undefined {
    return this.#scores.get(key);
  }

  /**
   * Keeps scores; once it resolves they are on disk. Throws a UserError for a full disk or a read-only folder; the file
   * then ends as it did.
   */
  add(entries: readonly (readonly [key: string, reward: number])[]): Promise<void> {
    for (const [key, reward] of entries) {
      this.#scores.set(key, reward);
      if (this.#file !== undefined) this.#waiting.push(`${JSON.stringify({ key, reward })}\n`);
    }
    // One write at a time: what comes while the disk is busy goes with the next one.
    const turn = this.#written.then(() => this.#write());
    this.#written = turn.catch(() => undefined);
    return turn;
  }

  async #write(): Promise<void> {
    if (this.#file === undefined || this.#waiting.length === 0) return;
    const lines = this.#waiting;
    this.#waiting = [];
    try {
      makeFolder(dirname(this.#file));
      const handle = await open(this.#file, "a");
      try {
        const { size } = await handle.stat();
        await handle.appendFile(lines.join("")).catch(async (error: unknown) => {
          await handle.truncate(size);
          throw error;
        });
        await handle.datasync();
        if (size === 0) await syncFolder(dirname(this.#file));
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw writeFailure(error, this.#file);
    }
  }
}

function parsed(text: string, place: { file: string; line: number }): z.output<typeof Line> {
  try {
    return Line.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      'this line is not a score; {"key": …, "reward": …} was expected. Delete the line: its score is then asked for again.',
      place,
    );
  }
}

async function cut(file: string, length: number): Promise<void> {
  try {
    const handle = await open(file, "r+");
    try {
      await handle.truncate(length);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw writeFailure(error, file);
  }
}
