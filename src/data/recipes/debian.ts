/** Fetches pinned files of Debian without apt, so that any system can, and unpacks packages. Nothing in them is run. */

import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../../errors.js";
import { explainReadError } from "../lines.js";
import { writeWhole } from "../write.js";
import { reasonIn, runCommand } from "./command.js";
import { temporaryFolder } from "./npm.js";
import type { BuildOptions } from "./recipe.js";

/** A file of Debian's archive as it was in one release. */
export interface PinnedFile {
  /** Below the mirror. */
  path: string;
  /** How apt names it: `trans-de-en=1.9-6`. */
  name: string;
  bytes: number;
  sha256: string;
}

/** The usual mirror, and the archive of all that Debian ever published, as of the release that the files are pinned from. */
const MIRRORS = [
  "https://deb.debian.org/debian",
  "https://snapshot.debian.org/archive/debian/20260712T000000Z",
];
const TIMEOUT = 120_000;

export type FetchOptions = Pick<BuildOptions, "cache" | "from" | "mirror" | "note" | "signal">;

/**
 * Where the file lies: in the user's folder, under whatever name, or in the cache, fetched where it is not there yet.
 *
 * @throws UserError where it is in neither place and no mirror gives it as it was pinned.
 */
export async function fetchPinned(file: PinnedFile, options: FetchOptions): Promise<string> {
  const { from, cache, mirror, note, signal } = options;
  if (from !== undefined) {
    const found = await findIn(from, file);
    if (found !== undefined) return found;
    throw new UserError(
      `${file.name} is not here as it was pinned (${file.bytes} bytes, SHA-256 ${file.sha256}), expected it under any name; ` +
        `get it with apt-get download ${file.name}, or leave --from out.`,
      { file: from },
    );
  }
  const place = join(cache, "downloads", basename(decodeURIComponent(file.path)));
  if (await isPinned(place, file)) return place;
  note(`Fetching ${file.name} (${(file.bytes / 1e6).toFixed(1)} MB)`);
  const reasons: string[] = [];
  for (const base of mirror === undefined ? MIRRORS : [mirror.replace(/\/+$/, "")]) {
    const address = `${base}/${file.path}`;
    const content = await download(address, signal);
    if (typeof content === "string") reasons.push(`${new URL(address).host}: ${content}`);
    else if (content.length !== file.bytes || sha256Of(content) !== file.sha256)
      reasons.push(`${new URL(address).host}: another content than the pinned one, not used`);
    else {
      await writeWhole(place, content);
      return place;
    }
  }
  throw new UserError(
    `${file.name} could not be fetched from a Debian mirror (${reasons.join("; ")}); connect to the network, name another ` +
      `with --mirror, or get it elsewhere with apt-get download ${file.name} and give its folder with --from.`,
  );
}

/** The content, or in words why there is none. */
async function download(address: string, signal: AbortSignal | undefined): Promise<Uint8Array | string> {
  const stop = AbortSignal.any([AbortSignal.timeout(TIMEOUT), ...(signal ? [signal] : [])]);
  try {
    const response = await fetch(address, { signal: stop });
    if (!response.ok) return `${response.status} ${response.statusText}`.trim();
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Error && error.name === "TimeoutError")
      return `no answer within ${TIMEOUT / 1000} seconds`;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error && "code" in cause ? String(cause.code) : "not reached";
  }
}

async function findIn(folder: string, file: PinnedFile): Promise<string | undefined> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw explainReadError(error, folder);
  });
  for (const name of names.sort()) if (await isPinned(join(folder, name), file)) return join(folder, name);
  return undefined;
}

async function isPinned(path: string, { bytes, sha256 }: PinnedFile): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size !== bytes) return false;
  return sha256Of(await readFile(path)) === sha256;
}

function sha256Of(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Unpacks `members` (paths without the leading slash) of packages into one new folder, which the caller removes. */
export async function unpackDebs(
  debs: readonly string[],
  members: readonly string[],
  cache: string,
  signal?: AbortSignal,
): Promise<string> {
  const folder = await temporaryFolder(cache);
  try {
    for (const deb of debs) {
      const content = arMembers(await readFile(deb), deb);
      const [name, data] = [...content].find(([member]) => member.startsWith("data.tar")) ?? [];
      if (name === undefined || data === undefined)
        throw new UserError("there is no data.tar in this file, expected a Debian package; fetch it again.", {
          file: deb,
        });
      await writeWhole(join(folder, name), data);
      // The content is the pinned one, so that no member can lie outside the folder.
      await run("tar", ["-xf", name, ...members.map((member) => `./${member}`)], folder, deb, signal);
      await rm(join(folder, name));
    }
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The file without its `.xz` or `.bz2`, in a new folder, which the caller removes. */
export async function decompressed(
  file: string,
  cache: string,
  signal?: AbortSignal,
): Promise<{ folder: string; path: string }> {
  const folder = await temporaryFolder(cache);
  try {
    const name = basename(file);
    await writeWhole(join(folder, name), await readFile(file));
    await run(name.endsWith(".xz") ? "xz" : "bzip2", ["-d", name], folder, file, signal);
    return { folder, path: join(folder, name.replace(/\.(xz|bz2)$/, "")) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Node.js decompresses neither xz nor bzip2, so that programs of the system have to. */
async function run(
  command: string,
  args: string[],
  folder: string,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const result = await runCommand(command, args, folder, signal);
  if (result !== "missing" && result.code === 0) return;
  const needed = command === "tar" ? "tar and xz" : command;
  if (result === "missing" || /xz.*(cannot exec|not found|no such file)|cannot run xz/is.test(result.errors))
    throw new UserError(
      `${needed} is needed to unpack this; install it (apt install xz-utils bzip2, brew install xz, or any other way).`,
      { file },
    );
  throw new UserError(`${command} could not unpack this: ${reasonIn(result.errors)}.`, { file });
}

const AR_START = "!<arch>\n";
const AR_HEADER = 60;

/** Members of a Unix ar archive (deb(5)): a header of 60 characters each, its name in the first 16, its size at 48. */
export function arMembers(content: Buffer, file: string): Map<string, Uint8Array> {
  const damaged = () =>
    new UserError("this is not a Debian package, or it is cut short; fetch it again.", { file });
  if (content.toString("latin1", 0, AR_START.length) !== AR_START) throw damaged();
  const members = new Map<string, Uint8Array>();
  for (let at = AR_START.length; at < content.length; ) {
    const header = content.toString("latin1", at, at + AR_HEADER);
    const size = Number(header.slice(48, 58));
    const start = at + AR_HEADER;
    if (
      header.length < AR_HEADER ||
      !header.endsWith("`\n") ||
      !Number.isSafeInteger(size) ||
      size < 0 ||
      start + size > content.length
    )
      throw damaged();
    members.set(header.slice(0, 16).trimEnd().replace(/\/$/, ""), content.subarray(start, start + size));
    // Members begin at even places.
    at = start + size + (size % 2);
  }
  return members;
}
