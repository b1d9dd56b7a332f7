/** One writing process a run folder, even after a kill and with two processes arriving at once. */

import { randomUUID } from "node:crypto";
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import { asideOf, writeFailure } from "./atomic.js";

const Owner = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** ISO 8601, for the reader. */
  since: z.string(),
  /** Boot and clock tick at which the process began, so that a reused pid is not mistaken; "" where unknown. */
  birth: z.string(),
  /** Different for every lock ever taken. */
  nonce: z.string(),
});
type Owner = z.infer<typeof Owner>;

export interface RunLock {
  /** Lets the next process in. Calling it twice does nothing. */
  unlock(): void;
}

/** Folder of the locks of workers, in a run folder. */
const WORKERS = "workers";

/** Nonces that this process holds: tells our own lock from that of a dead process with our pid. */
const held = new Set<string>();

/** An unreadable lock this young may be one that is just being written. */
const SETTLE_MS = 10_000;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * When process `pid` began, as boot id and clock tick (`/proc/PID/stat`, field 22), or undefined when it is
 * gone or a zombie. "" where the system has no /proc.
 */
function birthOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = read(`/proc/${pid}/stat`);
    if (stat === undefined) return undefined;
    // The name in parentheses may hold spaces and parentheses itself; state is the field after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${(read("/proc/sys/kernel/random/boot_id") ?? "").trim()}:${fields[19]}`;
  }
  try {
    process.kill(pid, 0);
    return "";
  } catch (error) {
    // EPERM: it runs, as another user.
    return error instanceof Error && "code" in error && error.code === "EPERM" ? "" : undefined;
  }
}

function isAlive(owner: Owner): boolean {
  if (held.has(owner.nonce)) return true;
  // A process on another machine cannot be seen from here: never take its lock.
  if (owner.host !== hostname()) return true;
  const birth = birthOf(owner.pid);
  if (birth === undefined) return false;
  if (birth === "" || owner.birth === "") return owner.pid !== process.pid;
  return birth === owner.birth;
}

function parse(text: string): Owner | undefined {
  try {
    return Owner.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Creates `path` with `text` unless it exists; true when created. */
function create(path: string, text: string): boolean {
  const aside = asideOf(path);
  try {
    writeFileSync(aside, text);
    try {
      // A link appears with its content, so nobody reads half a lock.
      linkSync(aside, path);
      return true;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EEXIST") return false;
      // The aside file was swept up by a process that has just taken the folder: look again.
      if (code === "ENOENT") return false;
      // Some file systems have no links.
      if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS" && code !== "EOPNOTSUPP") throw error;
      try {
        writeFileSync(path, text, { flag: "wx" });
        return true;
      } catch (second) {
        if (second instanceof Error && "code" in second && second.code === "EEXIST") return false;
        throw second;
      }
    }
  } finally {
    rmSync(aside, { force: true });
  }
}

function refusal(path: string, owner: Owner | undefined): UserError {
  const folder = dirname(path);
  if (owner === undefined)
    return new UserError(
      `another process is just taking this folder. Try again in ${SETTLE_MS / 1000} seconds.`,
      {
        file: folder,
      },
    );
  const who = `process ${owner.pid} on ${owner.host}, started ${owner.since}, is working in this folder. `;
  return owner.host === hostname()
    ? new UserError(`${who}Wait until it ends, or stop it with: kill ${owner.pid}`, { file: folder })
    : new UserError(
        `${who}If that machine no longer runs it, delete ${path} and run the same command again.`,
        { file: folder },
      );
}

/**
 * Takes the lock file at `path`. A lock of a dead process is replaced under a second lock named after it, so
 * of two takers the later sees that the dead lock is no longer there and does not replace the winner's.
 */
function acquire(path: string): string {
  const nonce = randomUUID();
  const own: Owner = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    birth: birthOf(process.pid) ?? "",
    nonce,
  };
  const text = `${JSON.stringify(own)}\n`;
  // Each turn of this loop means that another process moved in between; so many cannot.
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (create(path, text)) {
      held.add(nonce);
      return nonce;
    }
    const found = read(path);
    if (found === undefined) continue;
    const owner = parse(found);
    if (owner === undefined) {
      if (Date.now() - statSync(path).mtimeMs < SETTLE_MS) throw refusal(path, undefined);
    } else if (isAlive(owner)) throw refusal(path, owner);

    // Named as a leftover: if we are killed in here, whoever owns the folder next sweeps it away.
    const guard = join(dirname(path), `.${basename(path)}.tmp-0-${owner?.nonce ?? "unreadable"}`);
    const guardNonce = acquire(guard);
    try {
      if (read(path) !== found) continue;
      const aside = asideOf(path);
      writeFileSync(aside, text);
      renameSync(aside, path);
      held.add(nonce);
      return nonce;
    } finally {
      release(guard, guardNonce);
    }
  }
  throw refusal(path, undefined);
}

function release(path: string, nonce: string): void {
  if (!held.delete(nonce)) return;
  if (parse(read(path) ?? "")?.nonce === nonce) rmSync(path, { force: true });
}

/** The process that works in `folder` now, as its lock says; undefined where none does. */
export function lockOwner(folder: string): { pid: number; host: string; since: string } | undefined {
  const owner = parse(read(join(folder, "run.lock")) ?? "");
  if (owner === undefined || !isAlive(owner)) return undefined;
  const { pid, host, since } = owner;
  return { pid, host, since };
}

/**
 * Makes this process the only one that writes into `folder` (created if missing) by its file `run.lock`.
 * Throws a UserError naming the process that is there already; the lock of a process that has gone is taken over.
 *
 * @example
 * const lock = lockRun("runs/demo");
 * try { await work(); } finally { lock.unlock(); }
 */
export function lockRun(folder: string): RunLock {
  makeLockable(folder);
  return lockFile(join(folder, "run.lock"));
}

/**
 * Takes the lock of one worker of several beside each other: `workers/NAME.lock`. Throws a UserError naming the process that
 * has it already, or that works in the whole folder: whoever wants that asks `workersIn` after taking `run.lock`.
 */
export function lockWorker(folder: string, name: string): RunLock {
  makeLockable(join(folder, WORKERS));
  const lock = lockFile(join(folder, WORKERS, `${name}.lock`));
  // In this order one of two that arrive at once sees the other.
  const owner = parse(read(join(folder, "run.lock")) ?? "");
  if (owner === undefined || !isAlive(owner)) return lock;
  lock.unlock();
  throw refusal(join(folder, "run.lock"), owner);
}

/** Workers that run in `folder` now, by the names of their locks. */
export function workersIn(folder: string): { name: string; path: string; pid: number; host: string }[] {
  let files: string[];
  try {
    files = readdirSync(join(folder, WORKERS));
  } catch {
    return [];
  }
  return files.sort().flatMap((file) => {
    const path = join(folder, WORKERS, file);
    const owner = file.endsWith(".lock") ? parse(read(path) ?? "") : undefined;
    if (owner === undefined || !isAlive(owner)) return [];
    return [{ name: file.slice(0, -".lock".length), path, pid: owner.pid, host: owner.host }];
  });
}

function makeLockable(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    throw writeFailure(error, folder);
  }
}

function lockFile(path: string): RunLock {
  try {
    const nonce = acquire(path);
    return { unlock: () => release(path, nonce) };
  } catch (error) {
    throw writeFailure(error, path);
  }
}
