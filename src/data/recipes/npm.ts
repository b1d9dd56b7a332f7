/** Fetches pinned packages with the user's own npm, checks and unpacks them. Nothing inside is run. */

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { UserError } from "../../errors.js";
import { makeFolder } from "../../make-folder.js";
import { explainWriteError } from "../write.js";
import { reasonIn, runCommand } from "./command.js";
import type { PinnedPackage } from "./packages.js";

/**
 * The tarball of a package, from the folder if it is there with the right content, else from npm.
 *
 * @throws UserError when npm is missing, can't reach its registry or gives another content than pinned; the reason of
 * `signal` when that stops it.
 */
export async function fetchPackage(
  pinned: PinnedPackage,
  downloads: string,
  signal?: AbortSignal,
): Promise<string> {
  const tarball = join(downloads, tarballName(pinned));
  if ((await integrityOf(tarball)) === pinned.integrity) return tarball;
  const aside = await temporaryFolder(downloads);
  try {
    await npmPack(pinned, aside, signal);
    const fetched = join(aside, tarballName(pinned));
    const integrity = await integrityOf(fetched);
    if (integrity !== pinned.integrity) {
      throw new UserError(
        `npm gave a ${pinned.name}@${pinned.version} with ${integrity ?? "no content"}, expected ${pinned.integrity}; it was not used. Check which registry your npm is set to.`,
      );
    }
    await rename(fetched, tarball);
    return tarball;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Unpacks the package's members; the caller removes the folder that it gets (the package's root lies in it). */
export async function unpackPackage(pinned: PinnedPackage, tarball: string, parent: string): Promise<string> {
  const folder = await temporaryFolder(parent);
  // Relative: a tar made for Unix takes the colon of C:\ for a host name. The content is the pinned one, so that
  // no member can lie outside the folder.
  const archive = relative(folder, tarball).replaceAll("\\", "/");
  const result = await runCommand("tar", ["-xzf", archive, ...pinned.members], folder);
  if (result !== "missing" && result.code === 0) return folder;
  await rm(folder, { recursive: true, force: true });
  if (result === "missing") {
    throw new UserError(
      "the command tar was not found; install it (Windows 10 and later, macOS and Linux have it).",
    );
  }
  throw new UserError(`tar could not unpack ${basename(tarball)}: ${reasonIn(result.errors)}.`);
}

export async function temporaryFolder(parent: string): Promise<string> {
  try {
    makeFolder(parent);
    return await mkdtemp(join(parent, "tmp-"));
  } catch (error) {
    throw explainWriteError(error, parent);
  }
}

function tarballName({ name, version }: PinnedPackage): string {
  return `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
}

async function integrityOf(file: string): Promise<string | undefined> {
  const content = await readFile(file).catch(() => undefined);
  return content && `sha512-${createHash("sha512").update(content).digest("base64")}`;
}

async function npmPack(
  { name, version }: PinnedPackage,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const wanted = `${name}@${version}`;
  // npm's own waits between attempts add up to a minute; a machine without network should learn it sooner.
  const patience = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"];
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  const result = await runCommand(
    "npm",
    ["pack", wanted, "--pack-destination", ".", "--prefer-offline", ...quiet, ...patience],
    folder,
    signal,
  );
  if (result === "missing") {
    throw new UserError(
      "the command npm was not found, and the demo corpus is fetched with it; install Node with npm.",
    );
  }
  if (result.code === 0) return;
  if (
    /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|network/i.test(result.errors)
  ) {
    throw new UserError(
      `npm could not reach its registry for ${wanted}; connect to the network (or set npm's proxy or registry) and run again, or use your own text pairs.`,
    );
  }
  if (/E404|ETARGET|ENOVERSIONS/.test(result.errors)) {
    throw new UserError(
      `your npm registry has no ${wanted}; set npm to a registry that has it, or use your own text pairs.`,
    );
  }
  throw new UserError(`npm pack ${wanted} failed: ${reasonIn(result.errors)}.`);
}
