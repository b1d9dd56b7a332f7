/** Where a model is asked: a server that stands somewhere, or one that is started for each model in turn. */

import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Interrupted, type Place, UserError } from "../../errors.js";
import { makeFolder } from "../../make-folder.js";
import { type Address, type AddressOptions, addressOf } from "../../remote/address.js";
import { endedBy, killProcess, startProcess } from "../../remote/process.js";

/** A model as a server is asked for it. */
export interface ServedModel {
  /** A name that the server knows, or the absolute path of a folder. */
  model: string;
  /** Base address of the server that has it, where it is another than the configured one. */
  url?: string;
}

export interface Host {
  /** The address of the server that has this model. Throws a UserError where there is none. */
  address(model: ServedModel, signal?: AbortSignal): Promise<Address>;
  /** Ends what was started, so that its memory is free for a training; the next `address` starts it again. */
  close(): Promise<void>;
}

/** `http://host/v1` and `http://host/v1/chat/completions` are the same server. */
export function endpoint(url: string, path: string): string {
  const [, base, query] = /^([^?#]*)(.*)$/s.exec(url)!;
  const bare = base!.replace(/\/+$/, "");
  return (bare.endsWith(path) ? bare : bare + path) + query;
}

/** A server that somebody else keeps running. @param path Of the route below the base address: `/completions`. */
export function standingHost(options: AddressOptions, path: string, place: Place): Host {
  const addressAt = (url: string) => addressOf({ ...options, url: endpoint(url, path) }, "policy", place);
  // What is wrong with it is better known before anything is done.
  const standing = addressAt(options.url);
  return {
    address: async ({ url }) => (url === undefined ? standing : addressAt(url)),
    close: async () => undefined,
  };
}

export interface StartedHostOptions {
  /** `{model}` and `{port}` stand for the model's name or folder and for a free port. */
  command: readonly string[];
  /** Where it runs. */
  folder: string;
  headers: AddressOptions["headers"];
  /** Seconds that it may take until it answers. */
  readySeconds: number;
  /** Where what it says is kept. */
  log: string;
  place: Place;
}

/** Characters of what a server said that a message shows. */
const SAID = 300;
/** Milliseconds between two looks whether it answers. */
const LOOK = 200;
/** Milliseconds that it has to end by itself. */
const GRACE = 10_000;

interface Started {
  model: string;
  child: ChildProcessWithoutNullStreams;
  base: string;
  /** How it ended, as words. */
  ended?: string;
  said: string;
}

/** One server at a time, started for the model that is asked for: two would not fit on one accelerator. */
export class StartedHost implements Host {
  readonly #options: StartedHostOptions;
  readonly #path: string;
  #started: Started | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: StartedHostOptions, path: string) {
    this.#options = options;
    this.#path = path;
  }

  address({ model }: ServedModel, signal?: AbortSignal): Promise<Address> {
    // Requests come several at once, and one of them starts it.
    const turn = this.#turn.then(() => this.#ready(model, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    if (started === undefined || started.ended !== undefined) return;
    killProcess(started.child, "SIGTERM");
    const deadline = performance.now() + GRACE;
    while (started.ended === undefined && performance.now() < deadline) await sleep(20);
    if (started.ended === undefined) killProcess(started.child);
  }

  async #ready(model: string, signal?: AbortSignal): Promise<Address> {
    const running = this.#started;
    if (running?.model === model && running.ended === undefined) return this.#addressAt(running.base);
    await this.close();
    const started = await this.#start(model);
    this.#started = started;
    const deadline = performance.now() + this.#options.readySeconds * 1000;
    while (!(await answers(`${started.base}/models`))) {
      if (signal?.aborted) {
        await this.close();
        throw new Interrupted();
      }
      const late = performance.now() > deadline;
      const problem =
        started.ended ?? (late ? `did not answer within ${this.#options.readySeconds} seconds` : undefined);
      if (problem !== undefined) {
        await this.close();
        const said = started.said.replace(/\s+/g, " ").trim();
        throw new UserError(
          `policy.serve: ${this.#options.command.join(" ")} for the model ${model} ${problem}` +
            `${said === "" ? "" : `; it said last: ${said.slice(-SAID)}`}; correct the command or raise ` +
            `policy.serve.readySeconds. All that it said is in ${this.#options.log}`,
          this.#options.place,
        );
      }
      await sleep(LOOK);
    }
    return this.#addressAt(started.base);
  }

  async #start(model: string): Promise<Started> {
    const { command, folder, log } = this.#options;
    const port = await freePort();
    const filled = command.map((part) =>
      part.replaceAll("{model}", () => model).replaceAll("{port}", String(port)),
    );
    makeFolder(dirname(log));
    const file = createWriteStream(log, { flags: "a" });
    file.write(`$ ${filled.join(" ")}\n`);
    const child = startProcess({ command: filled, folder });
    const started: Started = { model, child, base: `http://127.0.0.1:${port}/v1`, said: "" };
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        started.said = (started.said + text).slice(-2 * SAID);
        file.write(text);
      });
    child.stdin.end();
    child.stdin.on("error", () => undefined);
    child.on("error", (error) => {
      started.ended ??= `did not start (${error.message})`;
    });
    child.on("exit", (code, signal) => {
      started.ended ??= endedBy(code, signal);
    });
    child.on("close", () => file.end());
    return started;
  }

  #addressAt(base: string): Address {
    const { headers, place } = this.#options;
    return addressOf({ url: base + this.#path, headers }, "policy", place);
  }
}

/** Whether a server answers at all: what it says to this address is not its business here. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null
          ? resolve(address.port)
          : reject(new Error("the system gave no port")),
      );
    });
  });
}
