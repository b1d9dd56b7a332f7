/** Makes a folder and those above it. */

import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "./errors.js";

/**
 * As `mkdir` with `recursive`, which never returns (seen with Node.js 20) where a folder is there and takes no new one, as
 * /proc does. Throws a UserError there, and the system's own error otherwise.
 */
export function makeFolder(path: string): void {
  if (tryToMake(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  if (!tryToMake(path))
    throw new UserError("no folder can be made in this one; choose another place.", { file: above });
}

/** Whether the folder is there now; false where the one above it seems to be missing. */
function tryToMake(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    // Of a folder that is there some systems say first that nothing may be written.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return true;
    throw error;
  }
}
