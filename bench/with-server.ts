/** A server in a process of its own, for as long as something asks it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Starts `program` of this folder, which prints its address once it listens, and ends it when `work` is done. */
export async function withServer<T>(
  program: string,
  argument: string,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file, argument], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  try {
    const url = await Promise.race([
      once(child.stdout, "data").then(([bytes]) => String(bytes).trim()),
      ended.then(([code]) => {
        throw new Error(`the server ended with ${code}`);
      }),
    ]);
    return await work(url);
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}
