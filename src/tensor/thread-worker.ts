/** The other side of thread.ts: opens objects, runs their methods one at a time, reports progress. */

import { parentPort } from "node:worker_threads";
import type { Request, Response } from "./thread.js";

/** What a method may use while it works. */
export interface CallContext {
  progress(data: unknown): void;
  cancelled(): boolean;
}

/** An object's methods; `release` frees what it holds. */
export interface RemoteObject {
  readonly methods: Readonly<Record<string, (args: never, context: CallContext) => unknown>>;
  release(): Promise<void>;
}

const port = parentPort;
if (!port) throw new Error("thread-worker must be started as a worker thread");

const objects = new Map<number, RemoteObject>();
let nextObject = 0;
// Calls are chained: the next begins when the last has ended, whatever its end.
let last: Promise<void> = Promise.resolve();

port.on("message", (request: Request) => {
  last = last.then(() => answer(request));
});

async function answer(request: Request): Promise<void> {
  const { id } = request;
  try {
    const value = await perform(request);
    send({ kind: "result", id, value });
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const place = "place" in error ? (error.place as never) : undefined;
    send({
      kind: "error",
      id,
      error: { name: error.name, message: error.message, stack: error.stack, place },
    });
  }
  if (request.kind === "close") port!.close();
}

async function perform(request: Request): Promise<unknown> {
  switch (request.kind) {
    case "open": {
      const module = (await import(request.module)) as { default: (args: unknown) => Promise<RemoteObject> };
      objects.set(nextObject, await module.default(request.args));
      return nextObject++;
    }
    case "call": {
      const method = objects.get(request.object)?.methods[request.method];
      if (!method) throw new Error(`object ${request.object} has no method ${request.method}`);
      return method(request.args as never, {
        progress: (data) => send({ kind: "progress", id: request.id, data }),
        cancelled: () => Atomics.load(request.cancel, 0) === 1,
      });
    }
    case "release":
      await objects.get(request.object)?.release();
      objects.delete(request.object);
      return undefined;
    case "close":
      for (const object of objects.values()) await object.release();
      objects.clear();
      return undefined;
  }
}

function send(response: Response): void {
  port!.postMessage(response);
}
