/** The package as npm would install it: compiled into a folder of its own, away from the sources. */

import { execFile, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../", import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** For standard input. */
  input?: string | Uint8Array;
  /** Further arguments of Node itself. */
  node?: readonly string[];
  env?: Record<string, string>;
}

export interface BuiltPackage {
  dir: string;
  /** Starts `coppice` from the package; `ended` waits for it. */
  start(args: readonly string[], options?: CommandOptions): ReturnType<typeof spawn>;
  /** Runs `coppice` to its end. */
  coppice(args: readonly string[], options?: CommandOptions): Promise<Ended>;
  remove(): void;
}

export async function buildPackage(): Promise<BuiltPackage> {
  const dir = mkdtempSync(join(tmpdir(), "coppice-built-"));
  const compile = ["-p", "tsconfig.build.json", "--outDir", join(dir, "dist")];
  // Types are the business of `npm run check`: the compiler writes its output in spite of them.
  await promisify(execFile)(join(root, "node_modules/.bin/tsc"), compile, { cwd: root }).catch(
    () => undefined,
  );
  for (const name of ["package.json", "examples", "presets"])
    cpSync(join(root, name), join(dir, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
  const start: BuiltPackage["start"] = (args, { input, node = [], env = {} } = {}) => {
    const child = spawn(process.execPath, [...node, join(dir, "dist/cli/main.js"), ...args], {
      cwd: dir,
      env: { ...process.env, ...env },
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
    return child;
  };
  return {
    dir,
    start,
    coppice: (args, options) => ended(start(args, options)),
    remove: () => rmSync(dir, { recursive: true }),
  };
}

export function ended(child: ReturnType<typeof spawn>): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (bytes) => {
    stdout += bytes;
  });
  child.stderr?.on("data", (bytes) => {
    stderr += bytes;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
