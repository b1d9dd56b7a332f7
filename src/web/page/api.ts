/** Asks the server: once, or for as long as a page is open. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../protocol.js";

/** A refusal or failure, in a sentence for the reader. */
export class AskFailed extends Error {
  override readonly name = "AskFailed";
  constructor(
    sentence: string,
    /** HTTP status; 0 where no answer came. */
    readonly status: number,
  ) {
    super(sentence);
  }
}

const NO_ANSWER = "The server does not answer. Is coppice ui still running? The page tries again by itself.";

/**
 * The JSON at `path`, as the server's types have it; with `body` it is posted. Throws AskFailed.
 *
 * @example const { runs } = await ask<RunList>("/api/runs")
 */
export async function ask<T>(
  path: string,
  options: { body?: unknown; method?: "GET" | "POST" | "PUT" | "DELETE"; signal?: AbortSignal } = {},
): Promise<T> {
  const { body, method = body === undefined ? "GET" : "POST", signal } = options;
  const response = await fetch(path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new AskFailed(NO_ANSWER, 0);
  });
  if (response.ok) return (await response.json()) as T;
  const answer = (await response.json().catch(() => undefined)) as ApiError | undefined;
  throw new AskFailed(answer?.error ?? `The server answered ${response.status}.`, response.status);
}

export type Answer<T> =
  | { state: "loading"; data?: T }
  | { state: "ready"; data: T }
  | {
      state: "failed";
      error: string;
      /** What was asked for is not there, or not yet. */
      missing: boolean;
      again(): void;
    };

/** Milliseconds after which a question that found no server is asked again. */
export const PATIENCE = 3000;

/**
 * The JSON at `path`, asked again when the path changes; nothing is asked while it is undefined. While another answer is
 * awaited the one before stays as `data`.
 */
export function useAnswer<T>(path: string | undefined): Answer<T> & { reload(): void } {
  const [turn, setTurn] = useState(0);
  const [answer, setAnswer] = useState<Answer<T>>({ state: "loading" });
  const again = () => setTurn((before) => before + 1);
  // A new turn asks the same question again.
  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setAnswer((before) => ({ state: "loading", ...("data" in before ? { data: before.data as T } : {}) }));
    ask<T>(path, { signal: stop.signal }).then(
      (data) => setAnswer({ state: "ready", data }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const failed = error instanceof AskFailed ? error : new AskFailed(String(error), 0);
        setAnswer({ state: "failed", error: failed.message, missing: failed.status === 404, again });
        if (failed.status === 0) timer = setTimeout(again, PATIENCE);
      },
    );
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, turn]);
  return { ...answer, reload: again };
}

/** Milliseconds before the first and the last try to reach a server again. */
const [FIRST_WAIT, LONGEST_WAIT] = [500, 5000];

/**
 * Listens to the server-sent events at `path`, each a JSON value handed to `onData`. A browser gives up on a server that
 * answers with an error while it starts; this does not.
 *
 * @returns whether the server is heard now.
 */
export function useEvents<T>(path: string | undefined, onData: (data: T) => void): boolean {
  const [heard, setHeard] = useState(false);
  const latest = useRef(onData);
  latest.current = onData;
  useEffect(() => {
    if (path === undefined) return;
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wait = FIRST_WAIT;
    const open = () => {
      source = new EventSource(path);
      source.onopen = () => {
        wait = FIRST_WAIT;
        setHeard(true);
      };
      source.onmessage = (event: MessageEvent<string>) => latest.current(JSON.parse(event.data) as T);
      source.onerror = () => {
        source?.close();
        setHeard(false);
        timer = setTimeout(open, wait);
        wait = Math.min(LONGEST_WAIT, wait * 2);
      };
    };
    open();
    return () => {
      source?.close();
      clearTimeout(timer);
    };
  }, [path]);
  return heard;
}
