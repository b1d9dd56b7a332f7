/** A reader of a format that others write, as test/foreign-readers.test.ts tries it. */

import { cpSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const FIXTURES = fileURLToPath(new URL("fixtures/", import.meta.url));

export interface ForeignReader {
  /** What is read, as the test says it. */
  readonly name: string;
  /** Name under which a damaged copy stands, in a folder of its own. */
  readonly file: string;
  readonly seeds: readonly Uint8Array[];
  /** Texts are damaged word by word too. */
  readonly text: boolean;
  /** Puts into that folder what stands beside the file. */
  prepare?(folder: string): void;
  read(path: string, folder: string): Promise<unknown>;
  /** Damaged copies that a gate tries; all of 10,000 where it is asked for (see the test). */
  readonly gate: number;
}

/** A fixture's bytes. */
export const seed = (path: string): Uint8Array => readFileSync(FIXTURES + path);
/** Puts a folder of fixtures beside the damaged file. */
export const beside = (path: string) => (folder: string) =>
  cpSync(FIXTURES + path, folder, { recursive: true });
