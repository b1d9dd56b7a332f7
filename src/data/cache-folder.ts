/** Where fetched packages are kept, to be used again. */

import { homedir } from "node:os";
import { join } from "node:path";

/** As the XDG base directory specification has it. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base ? base : join(homedir(), ".cache"), "coppice");
}
