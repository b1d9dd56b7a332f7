/** A run behind HTTP: opened, listened to, and ended without cutting answers short. */

import { UserError } from "../errors.js";
import { listen } from "../http/listen.js";
import { serveApp } from "./app.js";
import { RunPolicies } from "./policies.js";
import { DecodingQueue } from "./queue.js";
import { ServingMetrics } from "./serving-metrics.js";

export interface ServeOptions {
  /** The run folder. */
  dir: string;
  /** What answers where a request names none; absent: the last policy of the main line. */
  policy?: string | undefined;
  /** Candidates of which the one with the highest reward is the answer; 1: greedy. */
  bestOf: number;
  /** Choose by the sum whose weights the policy's evaluation has tuned, not by the reward alone. */
  rerank?: boolean | undefined;
  /** Address to listen on. */
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** Asked of every request where given. */
  token?: string | undefined;
  /** Texts that may wait. */
  queue: number;
  /** Candidates decoded at once; 1: texts are decoded one by one, in the order in which they come. Absent: 256. */
  rows?: number | undefined;
  /** Bytes that a body may have; absent: as `guard` has it. */
  maxBody?: number | undefined;
  /** Told of what failed though nobody asked wrongly. */
  onError(error: unknown): void;
}

export interface Serving {
  /** `http://127.0.0.1:4242`. */
  url: string;
  /** The policy that answers where a request names none. */
  policy: string;
  /** Refuses new work, waits for what is under way, cuts it after `patience` milliseconds (default 30,000). */
  close(patience?: number): Promise<void>;
}

const PATIENCE = 30_000;

/** Throws a UserError where the run has no such policy, its reward cannot choose, or the address cannot be had. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const policies = await RunPolicies.open(options);
  try {
    const policy = await policies.name(options.policy);
    const why = options.bestOf > 1 ? await policies.whyUnscored() : undefined;
    if (why !== undefined) throw new UserError(why);
    const unranked = options.rerank ? await policies.whyUnranked(policy) : undefined;
    if (unranked !== undefined) throw new UserError(unranked);
    // Its programs are compiled before anyone waits for them.
    const any = [{ sourceId: 0, text: "." }];
    await policies.translate(any, { policy, maxTokens: 1 });
    await policies.sample(any, { policy, n: 1, temperature: 1, maxTokens: 1 });
    const metrics = new ServingMetrics();
    const queue = new DecodingQueue({
      most: options.queue,
      ...(options.rows === undefined ? {} : { rows: options.rows }),
      onBatch: (batch) => metrics.batch(batch),
      decode: (sources, { beams, ...settings }) =>
        beams > 1 ? policies.translate(sources, { beams, ...settings }) : policies.sample(sources, settings),
    });
    const stopping = new AbortController();
    const app = serveApp({
      policies,
      queue,
      metrics,
      guard: {
        address: options.host,
        ...(options.token === undefined ? {} : { token: options.token }),
        ...(options.maxBody === undefined ? {} : { maxBody: options.maxBody }),
      },
      defaults: { policy, bestOf: options.bestOf, rerank: options.rerank ?? false },
      stopping: stopping.signal,
      onError: options.onError,
    });
    const listening = await listen(app, { address: options.host, port: options.port });
    return {
      url: listening.url,
      policy,
      close: async (patience = PATIENCE) => {
        stopping.abort();
        // Cut connections abort what they wait for.
        await listening.close(patience);
        await policies.close();
      },
    };
  } catch (error) {
    await policies.close();
    throw error;
  }
}
