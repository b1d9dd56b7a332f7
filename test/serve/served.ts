/** A finished tiny run, and servers over it. */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runAll } from "../../src/rest/run.js";
import { type ServeOptions, type Serving, serve } from "../../src/serve/server.js";
import { tinyRun } from "../rest/tiny-run.js";

/** How much of the list is reversed, without looking at a reference. */
const rewardModule = `
  export default (batch) =>
    batch.map(({ source, candidate }) => {
      const wanted = source.split(" ").reverse();
      const given = candidate.split(" ");
      return wanted.filter((word, i) => word === given[i]).length / Math.max(wanted.length, given.length);
    });`;

/** Trained once for a test file; it has G0I0, G1I1 and G1I2. */
export async function finishedRun(): Promise<string> {
  const dir = tinyRun({ reward: { kind: "module", path: "reversed.mjs" }, improve: { control: false } });
  writeFileSync(join(dir, "reversed.mjs"), rewardModule);
  await runAll({ dir });
  return dir;
}

export function removeRun(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

/** Does `work` with a server on a free port of loopback, which is ended whatever happens. */
export async function withServer<T>(
  options: Partial<ServeOptions> & { dir: string },
  work: (server: Serving) => Promise<T>,
): Promise<T> {
  const errors: unknown[] = [];
  const server = await serve({
    bestOf: 1,
    host: "127.0.0.1",
    port: 0,
    queue: 64,
    onError: (error) => errors.push(error),
    ...options,
  });
  try {
    return await work(server);
  } finally {
    await server.close(2000);
    // What a test provokes on purpose is given another `onError`.
    for (const error of errors) throw error;
  }
}

/** Sends JSON and reads JSON. */
export async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
