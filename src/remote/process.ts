/** Programs of the user's: found, started without a shell, and ended with all that they have started themselves. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

export interface Command {
  /** The program and its arguments; no shell reads them. */
  command: readonly string[];
  /** Where it runs, and where its path starts. */
  folder: string;
  /** Added to this process's environment. */
  environment?: Readonly<Record<string, string>>;
}

const WINDOWS = process.platform === "win32";

/** In a process group of its own, where the terminal's Ctrl-C does not reach it: whoever starts it ends it in order. */
export function startProcess({ command, folder, environment }: Command): ChildProcessWithoutNullStreams {
  const [name, ...args] = command;
  const inFolder = resolve(folder, name!);
  return spawn(/[/\\]/.test(name!) || existsSync(inFolder) ? inFolder : name!, args, {
    cwd: folder,
    // Python holds its output back until it has a few thousand characters, unless told otherwise.
    env: { PYTHONUNBUFFERED: "1", ...process.env, ...environment },
    detached: !WINDOWS,
    stdio: "pipe",
  });
}

/** Ends a process and what it has started itself; SIGTERM lets it clear up. */
export function killProcess(
  child: ChildProcessWithoutNullStreams,
  signal: "SIGKILL" | "SIGTERM" = "SIGKILL",
): void {
  const { pid } = child;
  try {
    if (pid !== undefined && !WINDOWS) process.kill(-pid, signal);
    else child.kill(signal);
  } catch {
    // It has just ended.
  }
}

/** How a process ended, as words that follow its name. */
export function endedBy(code: number | null, signal: string | null): string {
  return signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
}

/** Whether there is a program of that name in the folder or on the PATH. */
export function canRun(program: string, folder: string): boolean {
  if (existsSync(resolve(folder, program))) return true;
  // Windows adds endings of its own; there it shows at the start.
  if (WINDOWS) return true;
  if (program.includes("/")) return false;
  return (process.env.PATH ?? "").split(delimiter).some((place) => {
    try {
      accessSync(join(place, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
