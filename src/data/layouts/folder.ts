/** The files of a folder that somebody has: which are there, and the two sides of line-aligned text among them. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import type { Refusal } from "../check.js";
import { pairsFromPlain } from "../formats/plain.js";
import { explainReadError } from "../lines.js";
import type { Pair } from "../pair.js";

/** Source and target as two- or three-letter codes (ISO 639). */
export type Languages = readonly [source: string, target: string];

/** One file of the corpus to be written. */
export interface Part {
  /** Its name without the ending: `train`, `newstest2020`. */
  name: string;
  /** The pairs as the source has them; `refused` is told of rows that are no pair. */
  pairs: (refused: Refusal) => AsyncIterable<Pair> | Iterable<Pair>;
}

/** Names of the files in a folder, in alphabetical order. Throws a UserError where it is no folder. */
export async function filesOf(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR")
      throw new UserError("this is a file, expected a folder.", { file: folder }, { cause: error });
    throw explainReadError(error, folder);
  }
}

/** The error for a folder that has another layout than the recipe's. */
export function noSuchLayout(folder: string, expected: string): UserError {
  return new UserError(`no files of this corpus are here, expected ${expected}.`, { file: folder });
}

/** `NAME.de` beside `NAME.en`, each with or without `.gz`: their lines stand beside each other. */
export async function alignedParts(folder: string, [source, target]: Languages): Promise<Part[]> {
  const files = await filesOf(folder);
  const fileOf = (name: string, language: string) =>
    [`${name}.${language}`, `${name}.${language}.gz`].find((file) => files.includes(file));
  const ending = new RegExp(`^(.+)\\.${source}(?:\\.gz)?$`);
  const names = new Set(files.flatMap((file) => ending.exec(file)?.[1] ?? []));
  return [...names].flatMap((name) => {
    const [left, right] = [fileOf(name, source), fileOf(name, target)];
    if (left === undefined || right === undefined) return [];
    return [{ name, pairs: (refused) => pairsFromPlain(join(folder, left), join(folder, right), refused) }];
  });
}
