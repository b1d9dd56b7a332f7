/**
 * The worker thread that does long arithmetic, so that the main thread stays free for progress and signals.
 *
 * ONNX Runtime aborts the process when a thread ends inside `run`, so the worker is only ever stopped by message: it
 * finishes the step it is in, releases what it holds and leaves.
 */

import "./telemetry.js";
import { createRequire } from "node:module";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { Interrupted, type Place, UserError } from "../errors.js";

export interface CallOptions {
  /** What the method reports while it works. */
  onProgress?: (data: unknown) => void;
  /** Asks the method to stop at its next safe point; how the call then ends is up to the method. */
  signal?: AbortSignal;
}

/** Messages to the worker. `cancel` is one shared number: 1 asks for the stop of this call. */
export type Request =
  | { kind: "open"; id: number; module: string; args: unknown }
  | { kind: "call"; id: number; object: number; method: string; args: unknown; cancel: Int32Array }
  | { kind: "release"; id: number; object: number }
  | { kind: "close"; id: number };

export type Response =
  | { kind: "result"; id: number; value: unknown }
  | { kind: "progress"; id: number; data: unknown }
  | { kind: "error"; id: number; error: RemoteError };

export interface RemoteError {
  name: string;
  message: string;
  stack: string | undefined;
  place: Place | undefined;
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  onProgress: ((data: unknown) => void) | undefined;
}

/** An object that lives in the worker. Calls run one after the other, in the order they were made. */
export interface Remote {
  call(method: string, args: unknown, options?: CallOptions): Promise<unknown>;
  /** Frees the object. */
  release(): Promise<void>;
}

export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #next = 0;
  #closing = false;
  /** Why the worker is gone; a call made later must fail, not wait for ever. */
  #failure: Error | undefined;

  constructor() {
    this.#worker = startWorker();
    this.#worker.on("message", (response: Response) => this.#receive(response));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        this.#fail(new Error("the worker thread has ended"));
        resolve();
      });
    });
    // An idle worker must not keep a finished program alive; waiting calls hold it.
    this.#worker.unref();
  }

  /** Makes an object from the default export of `module` (a file URL), a function `(args) => Promise<RemoteObject>`. */
  async open(module: URL, args: unknown): Promise<Remote> {
    const object = Number(await this.#request({ kind: "open", id: 0, module: module.href, args }));
    return {
      call: async (method, callArgs, options = {}) => {
        const cancel = new Int32Array(new SharedArrayBuffer(4));
        const stop = () => Atomics.store(cancel, 0, 1);
        if (options.signal?.aborted) stop();
        options.signal?.addEventListener("abort", stop);
        try {
          return await this.#request(
            { kind: "call", id: 0, object, method, args: callArgs, cancel },
            options.onProgress,
          );
        } finally {
          options.signal?.removeEventListener("abort", stop);
        }
      },
      release: async () => {
        await this.#request({ kind: "release", id: 0, object });
      },
    };
  }

  /** Waits for the running call, then ends the worker. */
  async close(): Promise<void> {
    const id = this.#next++;
    // From here on the program must not end before the worker has.
    this.#closing = true;
    this.#worker.ref();
    this.#worker.postMessage({ kind: "close", id } satisfies Request);
    await this.#exited;
  }

  #request(request: Request, onProgress?: (data: unknown) => void): Promise<unknown> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      this.#waiting.set(id, { resolve, reject, onProgress });
      this.#worker.ref();
      this.#worker.postMessage({ ...request, id });
    });
  }

  #receive(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    if (!waiting) return;
    if (response.kind === "progress") {
      waiting.onProgress?.(response.data);
      return;
    }
    this.#waiting.delete(response.id);
    if (this.#waiting.size === 0 && !this.#closing) this.#worker.unref();
    if (response.kind === "result") waiting.resolve(response.value);
    else waiting.reject(revive(response.error));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function startWorker(): Worker {
  const extension = extname(import.meta.url);
  const url = new URL(`./thread-worker${extension}`, import.meta.url);
  if (extension === ".js") return new Worker(url);
  // From sources (tests, benches) the worker is TypeScript too, and a new thread does not inherit the loader.
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx/esm/api")).href.replace(
    /cjs$/,
    "mjs",
  );
  const start = `import("${loader}").then(({ register }) => { register(); return import("${url.href}"); })`;
  return new Worker(start, { eval: true });
}

/** An error of the worker as the class it was there. */
function revive(remote: RemoteError): Error {
  const error =
    remote.name === "UserError"
      ? // The message has its place in front already.
        Object.assign(new UserError(remote.message), { place: remote.place ?? {} })
      : remote.name === "Interrupted"
        ? new Interrupted(remote.message)
        : new Error(remote.message);
  if (remote.stack) error.stack = remote.stack;
  return error;
}
