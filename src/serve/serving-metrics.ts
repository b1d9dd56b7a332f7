/** What `/metrics` tells: requests, the queue, batches, tokens. */

import { Counter, Gauge, Histogram, metricsPage } from "./metrics.js";
import type { Answer } from "./policies.js";
import type { DecodingQueue } from "./queue.js";

/** Paths that are told apart; all others are one, so that no caller can fill the memory with names. */
const ROUTES = new Set([
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/models",
  "/translate",
  "/healthz",
  "/readyz",
  "/metrics",
]);

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const POWERS_OF_TWO = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export class ServingMetrics {
  readonly #requests = new Counter("coppice_requests_total", "Answers, by route and status.");
  readonly #seconds = new Histogram(
    "coppice_request_seconds",
    "Seconds from a request to the end of its answer, by route.",
    SECONDS,
  );
  readonly #batches = new Histogram(
    "coppice_batch_requests",
    "Requests that were decoded together, batch by batch.",
    POWERS_OF_TWO,
  );
  readonly #rows = new Histogram(
    "coppice_batch_rows",
    "Candidates that were decoded together, batch by batch.",
    POWERS_OF_TWO,
  );
  readonly #tokens = new Counter("coppice_tokens_total", "Tokens read and written, all candidates counted.");
  readonly #candidates = new Counter("coppice_candidates_total", "Candidates written.");

  /** @param status 499: the client left. */
  answered(path: string, status: number, seconds: number): void {
    const route = ROUTES.has(path) ? path : path.startsWith("/v1/models/") ? "/v1/models" : "other";
    this.#requests.add(1, { route, status: String(status) });
    this.#seconds.observe(seconds, { route });
  }

  batch({ requests, rows }: { requests: number; rows: number }): void {
    this.#batches.observe(requests);
    this.#rows.observe(rows);
  }

  decoded(answers: readonly Answer[]): void {
    for (const { sourceTokens, outputs } of answers) {
      this.#tokens.add(sourceTokens, { kind: "source" });
      this.#candidates.add(outputs.length);
      for (const { tokens } of outputs) this.#tokens.add(tokens.length, { kind: "candidate" });
    }
  }

  page(queue: DecodingQueue): string {
    return metricsPage([
      this.#requests,
      this.#seconds,
      new Gauge("coppice_queue_sources", "Sources that wait.", queue.length),
      new Gauge("coppice_queue_limit", "Sources that may wait.", queue.most),
      new Gauge("coppice_rows", "Candidates being decoded.", queue.rows),
      this.#batches,
      this.#rows,
      this.#tokens,
      this.#candidates,
    ]);
  }
}
