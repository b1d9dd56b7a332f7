/** Reads what a method of the worker reports while it works. */

import { Interrupted } from "../errors.js";
import type { Remote } from "../tensor/thread.js";

/** What a worker method reports, as a stream; stopping to read it stops the method. */
export async function* remoteStream(
  remote: Remote,
  method: string,
  args: unknown,
  signal?: AbortSignal,
): AsyncGenerator<unknown> {
  const waiting: unknown[] = [];
  let wake: () => void = () => {};
  let ended = false;
  let failure: unknown;
  const stop = new AbortController();
  const forward = () => stop.abort();
  if (signal?.aborted) forward();
  signal?.addEventListener("abort", forward);
  const call = remote
    .call(method, args, {
      signal: stop.signal,
      onProgress: (data) => {
        waiting.push(data);
        wake();
      },
    })
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      ended = true;
      wake();
    });
  try {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift();
      if (ended) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure) throw failure;
    if (signal?.aborted) throw new Interrupted();
  } finally {
    signal?.removeEventListener("abort", forward);
    if (!ended) {
      stop.abort();
      await call;
    }
  }
}
