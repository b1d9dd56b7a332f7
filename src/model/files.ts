/** Files of a model folder: each appears whole or not at all, and what the system refuses is told in one sentence. */

import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { UserError } from "../errors.js";

/** One read or write takes less than 2 GiB. */
const MOST_BYTES = 1 << 30;

/** Writes `chunks`, one after another, as the file `path`. @throws UserError if it cannot be written. */
export async function writeWhole(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const aside = `${path}.${process.pid}.partial`;
  try {
    const handle = await open(aside, "w");
    try {
      for (const chunk of chunks) await writeFully(handle, chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw fileError(error, "be written", path);
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(MOST_BYTES, bytes.length - done));
    done += bytesWritten;
  }
}

/** Opens the file `path`. @throws UserError if it cannot be opened. */
export async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw fileError(error, "be opened", path);
  }
}

/** Fills `bytes` from `position` of the file on. @throws UserError if the file has fewer. */
export async function readFully(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(MOST_BYTES, bytes.length - done);
    let bytesRead: number;
    try {
      ({ bytesRead } = await handle.read(bytes, done, length, position + done));
    } catch (error) {
      throw fileError(error, "be read", path);
    }
    if (bytesRead === 0)
      throw new UserError("became shorter while it was read. Read it again", { file: path });
    done += bytesRead;
  }
}

/** The text of the file `path`, or undefined where there is none. @throws UserError if it cannot be read. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileError(error, "be read", path);
  }
}

/** What the operating system refused (ENOENT, ENOSPC …: a system call failed) is the user's to mend; anything else is a bug. */
export function fileError(error: unknown, what: string, path: string): unknown {
  if (!(error instanceof Error && "syscall" in error)) return error;
  return new UserError(`cannot ${what} (${error.message})`, { file: path }, { cause: error });
}
