/** Files and folders that appear whole or not at all, whenever the process is killed. */

import { open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.js";
import { makeFolder } from "../make-folder.js";

/** What an unfinished file or folder is called: `.NAME.tmp-PID-COUNT`. */
const LEFTOVER = /^\..+\.tmp-\d+/;

let count = 0;

/** The hidden name beside `path` under which it is written before it takes its place. */
export function asideOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${count++}`);
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  // DuckDB gives the system's words, not its codes.
  if (/no space left on device/i.test(error.message)) return "ENOSPC";
  if (/read-only file system/i.test(error.message)) return "EROFS";
  if (/permission denied/i.test(error.message)) return "EACCES";
  return undefined;
}

/** What a writer below has put in its own words names the hidden file that it wrote, which nobody finds afterwards. */
function fullDisk(error: UserError): string | undefined {
  const code = codeOf(error.cause);
  return code === "ENOSPC" || code === "EDQUOT" ? code : undefined;
}

/**
 * The error to throw when writing `path` failed: a UserError where the user can mend the cause (full disk,
 * read-only folder), otherwise the error itself.
 */
export function writeFailure(error: unknown, path: string): unknown {
  const options = { cause: error };
  const code = error instanceof UserError ? fullDisk(error) : codeOf(error);
  if (error instanceof UserError && code === undefined) return error;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return new UserError(
        "the disk is full, so this could not be written; nothing finished is lost. " +
          "Free some space and run the same command again.",
        { file: path },
        options,
      );
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return new UserError(
        "this could not be written because its folder is read-only for this user. " +
          "Change its permissions (chmod u+w) or choose another folder.",
        { file: path },
        options,
      );
    case "ENOTDIR":
    case "EEXIST":
      return new UserError(
        "a part of this path is a file where a folder is needed. Move that file away or choose another folder.",
        { file: path },
        options,
      );
    default:
      return error;
  }
}

/** Asks the disk to keep a folder's list of names. Windows has no such call and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncFile(path);
  }
  await syncFolder(folder);
}

/**
 * Lets `write` fill a file under another name, then puts it at `path` in one move, on disk. Missing folders
 * are made. Throws a UserError for a full disk or a read-only folder; then `path` is as it was.
 *
 * @example await writeAside("run/candidates.parquet", (aside) => copyTo(aside))
 */
export async function writeAside(path: string, write: (aside: string) => Promise<void>): Promise<void> {
  const aside = asideOf(path);
  try {
    makeFolder(dirname(path));
    await write(aside);
    await syncFile(aside);
    await rename(aside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw writeFailure(error, path);
  }
}

/** Writes text or bytes whole; see `writeAside`. */
export function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  return writeAside(path, (aside) => writeFile(aside, data));
}

/** Writes a value as indented JSON, whole; keys stay in the order given. */
export function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  return writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Lets `fill` write files into a new folder, then puts it at `path` in one move, on disk. A folder already
 * there is replaced; a kill between its two renames leaves no folder, so replace only what no finished step needs.
 *
 * @example await writeFolderAtomic("run/policies/G0I0", (aside) => policy.save(aside))
 */
export async function writeFolderAtomic(path: string, fill: (aside: string) => Promise<void>): Promise<void> {
  const aside = asideOf(path);
  const old = `${aside}-old`;
  try {
    makeFolder(aside);
    await fill(aside);
    await syncTree(aside);
    // A folder with something in it is not replaced by rename, on any system.
    await rename(path, old).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
    });
    await rename(aside, path);
    await syncFolder(dirname(path));
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
    throw writeFailure(error, path);
  }
}

/**
 * Removes what killed processes left half written anywhere under `folder`, and returns the removed paths.
 * Call it while holding the folder's lock only: it cannot tell a leftover from a file being written. Folders named
 * `except` are not entered: they have locks of their own.
 */
export async function removeLeftovers(folder: string, except?: string): Promise<string[]> {
  const removed: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (LEFTOVER.test(entry.name)) {
      await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
        throw writeFailure(error, path);
      });
      removed.push(path);
    } else if (entry.isDirectory() && entry.name !== except) {
      removed.push(...(await removeLeftovers(path, except)));
    }
  }
  return removed;
}
