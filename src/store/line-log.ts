/** A file of lines that is only ever added to, so that a killed process leaves all that it had by then. */

import { open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../make-folder.js";
import { syncFolder, writeFailure } from "./atomic.js";

/** One process at a time may add to a file; others may read it meanwhile. */
export class LineLog {
  readonly #file: string;
  #waiting: string[] = [];
  #written: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Hands each whole line to `each`, with its number from 1; none where there is no such file. With `mend` a last line
   * that a killed process left half written is dropped from the file too.
   */
  static async read(
    file: string,
    { mend }: { mend: boolean },
    each: (line: string, number: number) => void,
  ): Promise<void> {
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return Buffer.alloc(0);
      throw error;
    });
    let end = 0;
    for (let number = 1, next = bytes.indexOf(10); next >= 0; number++, next = bytes.indexOf(10, end)) {
      each(bytes.toString("utf8", end, next), number);
      end = next + 1;
    }
    if (mend && end < bytes.length) await cut(file, end);
  }

  /**
   * Adds lines, given without their ends; once it resolves they are on disk. Throws a UserError for a full disk or a
   * read-only folder; the file then ends as it did.
   */
  add(lines: readonly string[]): Promise<void> {
    for (const line of lines) this.#waiting.push(`${line}\n`);
    // One write at a time: what comes while the disk is busy goes with the next one.
    const turn = this.#written.then(() => this.#write());
    this.#written = turn.catch(() => undefined);
    return turn;
  }

  async #write(): Promise<void> {
    if (this.#waiting.length === 0) return;
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
