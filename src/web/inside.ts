/** The last door before a file is read: nothing outside the run's folder, whatever the path or the links on it say. */

import { realpath } from "node:fs/promises";
import { relative, sep } from "node:path";
import { missing } from "./missing.js";

const REFUSAL =
  "This is not there, or it lies outside the run's folder: the dashboard follows no link out of it.";

/**
 * `path` with links resolved. Throws 404 where nothing is there or where it lies outside `root`: for whoever asks there
 * is no difference.
 */
export async function insideFolder(root: string, path: string): Promise<string> {
  const [realRoot, real] = await Promise.all(
    [root, path].map((each) => realpath(each).catch(() => undefined)),
  );
  if (realRoot === undefined || real === undefined) throw missing(REFUSAL);
  const way = relative(realRoot, real);
  if (way === ".." || way.startsWith(`..${sep}`)) throw missing(REFUSAL);
  return real;
}
