/** Files beside a corpus that its licence asks to go along with the text. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "./exists.js";

/** As `coppice data get` names them. */
export const NOTICES = ["ATTRIBUTION.md", "COPYRIGHT.txt", "AUTHORS.txt"] as const;

/** The texts of the files of this name, of those folders that have one. */
export async function textsOf(folders: readonly string[], name: string): Promise<string[]> {
  const texts: string[] = [];
  for (const folder of folders) {
    const file = join(folder, name);
    if (await exists(file)) texts.push(await readFile(file, "utf8"));
  }
  return texts;
}
