/** Serves a run until it is told to stop. */
import { once } from "node:events";
import { tokenFor } from "../http/listen.js";
import { serve } from "../serve/server.js";
import type { FolderOptions } from "./command.js";
import { onFolder } from "./folder-work.js";

export interface ServeCommandOptions extends FolderOptions {
  /** What answers where a request names none; the last policy of the main line when absent. */
  policy?: string;
  /** Samples of which the best by reward is the answer; 1: greedy. */
  bestOf: number;
  /** Choose them by the sum that evaluation has tuned. */
  rerank?: boolean;
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** Texts that may wait. */
  queue: number;
}

export async function serveCommand(options: ServeCommandOptions): Promise<void> {
  await onFolder(options, undefined, async ({ signal }, terminal) => {
    const token = tokenFor(options.host);
    const server = await serve({
      ...options,
      token,
      onError: (error) =>
        terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    const { url, policy } = server;
    terminal.note(`Translating with ${policy} of ${options.dir}. Ctrl-C ends it.`);
    // The user's own is known to the user, and need not stand in a log.
    const made = token === process.env.COPPICE_TOKEN ? undefined : token;
    terminal.result({ url, policy, ...(made === undefined ? {} : { token: made }) }, () =>
      made === undefined ? url : `${url}  token: ${made}`,
    );
    if (!signal.aborted) await once(signal, "abort");
    await server.close();
  });
}
