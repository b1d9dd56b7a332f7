/** Ctrl-C and SIGTERM on work that stops at safe points. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Work that says when it has begun and goes on until it is asked to stop, or for ever. */
function work(stops: boolean) {
  const source = `
    import { stopSignal } from "./src/cli/signals.js";
    import { failureOf } from "./src/cli/failure.js";
    const signal = stopSignal();
    const timer = setInterval(() => {
      if (!signal.aborted || !${stops}) return;
      clearInterval(timer);
      process.exitCode = failureOf(signal.reason).exitCode;
    }, 5);
    console.log("begun");`;
  return spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], { cwd: root });
}

function ending(child: ReturnType<typeof work>): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "the first %s asks the work to stop, and it ends with 130",
  async (signal) => {
    const child = work(true);
    let said = "";
    child.stderr.on("data", (bytes) => {
      said += bytes;
    });
    child.stdout.once("data", () => child.kill(signal));
    expect(await ending(child)).toEqual({ code: 130, signal: null });
    expect(said).toBe(
      "\nStopping at the next safe point… (Ctrl-C again to kill; what is finished is kept either way)\n",
    );
  },
);

test("the second kills work that does not stop", async () => {
  const child = work(false);
  child.stdout.once("data", () => child.kill("SIGINT"));
  child.stderr.once("data", () => child.kill("SIGINT"));
  expect(await ending(child)).toEqual({ code: null, signal: "SIGKILL" });
});

test.skipIf(process.platform === "win32")(
  "Ctrl-C while demo fetches says so, ends npm, and leaves nothing half fetched",
  async () => {
    const home = mkdtempSync(join(tmpdir(), "coppice-fetch-"));
    const [bin, cache, pid] = [join(home, "bin"), join(home, "cache"), join(home, "pid")];
    mkdirSync(bin);
    // Stands in for an npm that waits for its registry.
    writeFileSync(join(bin, "npm"), `#!/bin/sh\necho $$ > "${pid}"\nexec sleep 600\n`);
    chmodSync(join(bin, "npm"), 0o755);
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "src/cli/main.ts", "demo", join(home, "run"), "--quiet"],
      { cwd: root, env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, XDG_CACHE_HOME: cache } },
    );
    let said = "";
    child.stderr.on("data", (bytes) => {
      said += bytes;
    });
    const end = ending(child);
    const npm = () => Number(existsSync(pid) ? readFileSync(pid, "utf8") : "");
    while (npm() === 0) await wait(20);
    child.kill("SIGINT");
    expect(await end).toEqual({ code: 130, signal: null });
    expect(said).toMatch(/\nStopped\. What is finished is kept; go on with: coppice demo \S+\/run\n$/);
    expect(() => process.kill(npm(), 0)).toThrow(/ESRCH/);
    expect(readdirSync(join(cache, "coppice/downloads"))).toEqual([]);
    expect(readdirSync(home).sort()).toEqual(["bin", "cache", "pid"]);
    rmSync(home, { recursive: true });
  },
);
