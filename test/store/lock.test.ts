import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { lockRun } from "../../src/store/lock.js";
import { enterRunFolder } from "../../src/store/run-folder.js";

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-lock-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(folder, { recursive: true });
});

const module = new URL("../../src/store/lock.ts", import.meta.url).href;

/** A process that waits for the file `go`, tries the lock once, tells how that went and stays. */
function contender(): ChildProcess {
  const child = spawn(
    process.execPath,
    [
      "--import",
      "tsx",
      "--input-type=module",
      "-e",
      `import { existsSync } from "node:fs";
       import { lockRun } from "${module}";
       console.log("ready");
       while (!existsSync(${JSON.stringify(join(folder, "go"))}));
       try { lockRun(${JSON.stringify(folder)}); console.log("taken"); } catch (error) { console.log("refused " + error.message); }
       setInterval(() => {}, 1000);`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(child);
  return child;
}

async function says(child: ChildProcess): Promise<string> {
  const [data] = (await once(child.stdout!, "data")) as [Buffer];
  return data.toString().trim();
}

/** The lock of a process that is gone. */
function staleLock(owner: Record<string, unknown> = {}): void {
  writeFileSync(
    join(folder, "run.lock"),
    JSON.stringify({
      pid: process.pid,
      host: hostname(),
      since: "2024-01-01T00:00:00.000Z",
      birth: "other-boot:1",
      nonce: "dead",
      ...owner,
    }),
  );
}

it("the second in one process is refused until the first unlocks", () => {
  const lock = lockRun(folder);
  expect(() => lockRun(folder)).toThrow(UserError);
  lock.unlock();
  expect(readdirSync(folder)).toEqual([]);
  const second = lockRun(folder);
  // A late second unlock of the first must not free the second's lock.
  lock.unlock();
  expect(existsSync(join(folder, "run.lock"))).toBe(true);
  second.unlock();
});

it("a folder that cannot be made is a sentence, not a stack trace", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  for (const path of [file, join(file, "run")])
    expect(() => lockRun(path)).toThrow(
      new UserError(
        "a part of this path is a file where a folder is needed. Move that file away or choose another folder.",
        {
          file: path,
        },
      ),
    );
});

it("another process is refused with the first's process, and takes over once that is killed", async () => {
  const first = contender();
  expect(await says(first)).toBe("ready");
  writeFileSync(join(folder, "go"), "");
  expect(await says(first)).toBe("taken");
  expect(() => lockRun(folder)).toThrow(`process ${first.pid} on ${hostname()}`);
  expect(() => lockRun(folder)).toThrow(`kill ${first.pid}`);
  first.kill("SIGKILL");
  await once(first, "exit");
  const lock = lockRun(folder);
  expect(JSON.parse(readFileSync(join(folder, "run.lock"), "utf8"))).toMatchObject({ pid: process.pid });
  lock.unlock();
  expect(readdirSync(folder)).toEqual(["go"]);
});

it("of three processes that find a dead one's lock, exactly one takes it", async () => {
  staleLock();
  const contenders = [contender(), contender(), contender()];
  await Promise.all(contenders.map(says));
  const answers = Promise.all(contenders.map(says));
  writeFileSync(join(folder, "go"), "");
  const heard = await answers;
  expect(heard.filter((answer) => answer === "taken")).toHaveLength(1);
  expect(heard.filter((answer) => answer.startsWith("refused"))).toHaveLength(2);
});

it.runIf(process.platform === "linux")(
  "a reused process id is not mistaken for the process that locked",
  () => {
    staleLock({ pid: process.ppid });
    lockRun(folder).unlock();
    expect(readdirSync(folder)).toEqual([]);
  },
);

it("a lock from another machine is not taken, and the message names the file to delete", () => {
  staleLock({ host: "elsewhere" });
  expect(() => lockRun(folder)).toThrow(`delete ${join(folder, "run.lock")}`);
});

it("an unreadable lock that was just written is left alone", () => {
  writeFileSync(join(folder, "run.lock"), "");
  expect(() => lockRun(folder)).toThrow(UserError);
});

it("a taker killed while it replaced a dead lock does not block the next", () => {
  staleLock();
  // The second lock under which it worked, left by a process that is gone as well.
  writeFileSync(
    join(folder, ".run.lock.tmp-0-dead"),
    JSON.stringify({ pid: process.pid, host: hostname(), since: "", birth: "other-boot:2", nonce: "dead2" }),
  );
  lockRun(folder).unlock();
  expect(readdirSync(folder)).toEqual([]);
});

it("entering a run folder clears what a killed process left, but only under the lock", async () => {
  mkdirSync(join(folder, "policies"));
  const leftover = join(folder, "policies", ".G0I0.tmp-1-0");
  writeFileSync(leftover, "half");
  const other = lockRun(folder);
  await expect(enterRunFolder(folder)).rejects.toThrow(UserError);
  expect(existsSync(leftover)).toBe(true);
  other.unlock();
  const run = await enterRunFolder(folder);
  expect(existsSync(leftover)).toBe(false);
  expect(existsSync(join(folder, "run.lock"))).toBe(true);
  run.unlock();
  expect(existsSync(join(folder, "run.lock"))).toBe(false);
});
