/** Answers that come line by line, each a JSON value. */

import type { ApiError } from "../protocol.js";
import { AskFailed } from "./api.js";

/**
 * Posts `body` and hands over every line as it comes; resolves at the end of the answer. Throws AskFailed for a refusal,
 * and what `fetch` throws when `signal` is aborted.
 */
export async function postForLines<T>(
  path: string,
  { body, signal, onLine }: { body: unknown; signal: AbortSignal; onLine: (line: T) => void },
): Promise<void> {
  const response = await fetch(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
    signal,
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new AskFailed("The server does not answer. Is coppice ui still running?", 0);
  });
  if (!response.ok || !response.body) {
    const answer = (await response.json().catch(() => undefined)) as ApiError | undefined;
    throw new AskFailed(answer?.error ?? `The server answered ${response.status}.`, response.status);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : (lines.pop() ?? "");
    for (const line of lines) if (line !== "") onLine(JSON.parse(line) as T);
    if (done) return;
  }
}
