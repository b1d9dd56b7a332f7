/** Other programs that recipes need: npm, tar, decompressors. Nothing that was fetched is ever run. */

import { spawn } from "node:child_process";

export interface Finished {
  code: number;
  errors: string;
}

/**
 * Runs a command to its end, or until `signal` stops it (then its reason is thrown); "missing" where there is no such command.
 * The arguments are fixed words, names and versions, so that Windows' shell, which npm needs there, is safe.
 */
export async function runCommand(
  command: string,
  args: string[],
  cwd: string,
  signal?: AbortSignal,
): Promise<Finished | "missing"> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const shell = command === "npm" && process.platform === "win32";
    const child = spawn(command, args, {
      cwd,
      shell,
      stdio: ["ignore", "ignore", "pipe"],
      windowsHide: true,
    });
    const stop = () => child.kill();
    signal?.addEventListener("abort", stop);
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") resolve("missing");
      else reject(error);
    });
    // Not before it has ended: until then it may write into folders that are removed next.
    child.on("close", (code) => {
      signal?.removeEventListener("abort", stop);
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code: code ?? 1, errors });
    });
  });
}

/** The line that says what went wrong; npm's first error line is only a code. */
export function reasonIn(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const useful = lines.filter(
    (line) => line !== "" && !/^npm error code|complete log of this run/i.test(line),
  );
  return useful.find((line) => /error/i.test(line)) ?? useful.at(-1) ?? "it gave no reason";
}
