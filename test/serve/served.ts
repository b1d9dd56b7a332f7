/** A finished tiny run, and servers over it. */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";
import { listen } from "../../src/http/listen.js";
import type { Source } from "../../src/policy/policy.js";
import { runAll } from "../../src/rest/run.js";
import { serveApp } from "../../src/serve/app.js";
import type { Answer, RunPolicies } from "../../src/serve/policies.js";
import { DecodingQueue } from "../../src/serve/queue.js";
import { type ServeOptions, type Serving, serve } from "../../src/serve/server.js";
import { ServingMetrics } from "../../src/serve/serving-metrics.js";
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

/** Does `work` with a server on a free port of loopback, which is ended whatever happens; nothing in it may fail. */
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
  const result = await work(server).finally(() => server.close(2000));
  for (const error of errors) throw error;
  return result;
}

/** A server whose batches wait until they are let go. */
export interface Gated {
  url: string;
  queue: DecodingQueue;
  /** Resolves when a batch has begun and waits. */
  begun(): Promise<readonly Source[]>;
  /** Lets the batch that waits go, and gives what was decoded. */
  release(): Promise<Answer[]>;
  stop: AbortController;
}

/** Does `work` with a server over `policies` that decodes when it is told to. */
export async function withGate(
  policies: RunPolicies,
  { most, fail }: { most: number; fail?: Error },
  work: (gated: Gated) => Promise<void>,
): Promise<void> {
  const waiting: { sources: readonly Source[]; go: () => Promise<Answer[]> }[] = [];
  const metrics = new ServingMetrics();
  const errors: unknown[] = [];
  const queue = new DecodingQueue({
    most,
    onBatch: (batch) => metrics.batch(batch),
    decode: (sources, { beams: _, ...settings }) =>
      new Promise((resolve, reject) => {
        const go = async () => {
          if (fail) {
            reject(fail);
            return [];
          }
          const answers = await policies.sample(sources, settings);
          resolve(answers);
          return answers;
        };
        waiting.push({ sources, go });
      }),
  });
  const stop = new AbortController();
  const app = serveApp({
    policies,
    queue,
    metrics,
    guard: { address: "127.0.0.1" },
    defaults: { policy: await policies.name(), bestOf: 1 },
    stopping: stop.signal,
    onError: (error) => errors.push(error),
  });
  const listening = await listen(app, { address: "127.0.0.1", port: 0 });
  const first = async () => {
    while (waiting.length === 0) await wait(5);
    return waiting[0]!;
  };
  try {
    await work({
      url: listening.url,
      queue,
      begun: async () => (await first()).sources,
      release: async () => {
        const { go } = await first();
        waiting.shift();
        return go();
      },
      stop,
    });
  } finally {
    await listening.close(100);
  }
  expect(errors).toEqual(fail ? [fail] : []);
}

/** Sends JSON and reads JSON. */
export async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as unknown };
}
