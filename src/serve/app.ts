/** The routes: translations as OpenAI's clients ask for them, and in batches; health, readiness, metrics. */

import { randomInt } from "node:crypto";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { type GuardOptions, guard } from "../http/guard.js";
import { ranked } from "./best.js";
import {
  type BatchOrder,
  batchOrder,
  chatOrder,
  completionOrder,
  type OpenAiOrder,
  type Order,
} from "./bodies.js";
import { METRICS_TYPE } from "./metrics.js";
import { chatShapes, choicesOf, completionShapes, modelOf, type Shapes, usageOf } from "./openai.js";
import type { Answer, RunPolicies } from "./policies.js";
import { type DecodingQueue, QueueFull, type Settings } from "./queue.js";
import { Refusal, refusalBody, refuse } from "./refusals.js";
import type { ServingMetrics } from "./serving-metrics.js";

export interface AppParts {
  policies: RunPolicies;
  queue: DecodingQueue;
  metrics: ServingMetrics;
  guard: Omit<GuardOptions, "refuse">;
  /** What a request gets that does not say otherwise. */
  defaults: {
    policy: string;
    /** Candidates to choose from by reward; 1: none are chosen from. */
    bestOf: number;
    /** Choose by the sum that evaluation tuned; absent: by the reward. */
    rerank?: boolean;
  };
  /** Aborted when the server is about to end: new work is refused. */
  stopping: AbortSignal;
  /** Told of what failed though nobody asked wrongly. */
  onError(error: unknown): void;
}

const EVENTS = "text/event-stream";
/** Seconds after which a client may try again: a batch has ended by then. */
const RETRY_AFTER = 1;

export function serveApp(parts: AppParts): Hono {
  const { policies, queue, metrics, defaults, stopping, onError } = parts;
  const app = new Hono();

  app.use(async (context, next) => {
    const begin = performance.now();
    await next();
    // A stream is counted at its end.
    if (context.res.headers.get("content-type") === EVENTS) return;
    metrics.answered(context.req.path, context.res.status, (performance.now() - begin) / 1000);
  });
  for (const middleware of guard({
    ...parts.guard,
    refuse: (context, status, sentence) => refuse(context, new Refusal(status, sentence)),
  }))
    app.use(middleware);
  app.use(async (context, next) => {
    if (context.req.method === "POST" && stopping.aborted)
      throw new Refusal(503, "The server is about to end.", { retryAfter: RETRY_AFTER });
    await next();
  });

  app.notFound((context) =>
    refuse(context, new Refusal(404, `There is no ${context.req.method} ${context.req.path} here.`)),
  );
  app.onError((error, context) => {
    // Nobody is there to read it: the status is for the metrics.
    if (context.req.raw.signal.aborted) return new Response(null, { status: 499 });
    const refusal = refusalOf(error);
    if (refusal.status === 500) onError(error);
    return refuse(context, refusal);
  });

  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", async (context) => {
    const known = (await policies.list()).some(({ name }) => name === defaults.policy);
    return !stopping.aborted && known ? context.text("ready\n") : context.text("not ready\n", 503);
  });
  app.get("/metrics", (context) => context.body(metrics.page(queue), 200, { "Content-Type": METRICS_TYPE }));

  app.get("/v1/models", async (context) => {
    const all = await policies.list();
    // Clients take the first for their default.
    all.sort((a, b) => Number(b.name === defaults.policy) - Number(a.name === defaults.policy));
    return context.json({ object: "list", data: all.map(modelOf) });
  });
  app.get("/v1/models/:model", async (context) => {
    const asked = context.req.param("model");
    const found = (await policies.list()).find(({ name }) => name === asked);
    if (!found) throw await noSuchPolicy(asked);
    return context.json(modelOf(found));
  });

  app.post("/v1/chat/completions", async (context) =>
    answer(context, chatOrder(await jsonOf(context)), chatShapes),
  );
  app.post("/v1/completions", async (context) =>
    answer(context, completionOrder(await jsonOf(context)), completionShapes),
  );
  app.post("/translate", async (context) => {
    const order = batchOrder(await jsonOf(context));
    const settings = await settingsOf(order);
    const answers = await ask(context, order, settings);
    return context.json({
      policy: settings.policy,
      translations: answers.map((one) => translationOf(one, order)),
    });
  });
  return app;

  async function answer(
    context: Context,
    order: OpenAiOrder,
    shapesOf: (model: string) => Shapes,
  ): Promise<Response> {
    const begin = performance.now();
    const settings = await settingsOf(order);
    const shapes = shapesOf(settings.policy);
    // Asked before the stream begins: a full queue is a status, and an event is not.
    const answers = ask(context, order, settings);
    if (!order.stream) {
      const found = await answers;
      return context.json(shapes.whole(choicesOf(found, order), usageOf(found, order)));
    }
    // Handled where the stream comes to it.
    answers.catch(() => {});
    return streamSSE(context, async (stream) => {
      let status = 200;
      const write = (value: object) => stream.writeSSE({ data: JSON.stringify(value) });
      try {
        for (let index = 0; index < order.texts.length * order.n; index++)
          for (const chunk of shapes.opening(index)) await write(chunk);
        const found = await answers;
        for (const choice of choicesOf(found, order))
          for (const chunk of shapes.chunks(choice)) await write(chunk);
        if (order.includeUsage) await write(shapes.usage(usageOf(found, order)));
        await stream.writeSSE({ data: "[DONE]" });
      } catch (error) {
        const refusal = refusalOf(error);
        status = context.req.raw.signal.aborted ? 499 : refusal.status;
        if (status === 500) onError(error);
        if (status !== 499) await write(refusalBody(refusal));
      } finally {
        metrics.answered(context.req.path, status, (performance.now() - begin) / 1000);
      }
    });
  }

  async function settingsOf(order: Order): Promise<Settings> {
    const policy = order.model ?? defaults.policy;
    const { grow } = await policies.config();
    if (!(await policies.list()).some(({ name }) => name === policy)) throw await noSuchPolicy(policy);
    const bestOf = order.beam === null ? (order.bestOf ?? defaults.bestOf) : 1;
    const candidates = Math.max(order.n, bestOf);
    const draws = candidates > 1 || order.topP !== null;
    const temperature = order.temperature ?? (draws ? grow.temperature : 0);
    // All greedy outputs are the same one.
    const n = temperature === 0 ? 1 : candidates;
    const score = n > 1 && bestOf > 1;
    // Asked for at the start where it is the default.
    if (score && defaults.bestOf === 1 && (await policies.whyUnscored()) !== undefined)
      throw new Refusal(
        400,
        "Nothing can be chosen by this run's reward: it is not trained yet, or compares with human translations.",
        { param: "best_of" },
      );
    const rerank = score && defaults.rerank === true;
    if (rerank && (await policies.whyUnranked(policy)) !== undefined)
      throw new Refusal(
        400,
        `No weights are tuned for ${policy}: name a policy that was evaluated with evaluate.rerank.`,
        {
          param: "model",
        },
      );
    return {
      policy,
      n,
      temperature,
      topP: temperature === 0 ? undefined : (order.topP ?? undefined),
      beams: order.beam ?? 1,
      maxTokens: Math.min(order.maxTokens ?? grow.maxTokens, grow.maxTokens),
      score,
      ...(rerank && { rerank }),
    };
  }

  /** Throws a Refusal at once where the queue is full. */
  function ask(context: Context, order: Order, settings: Settings): Promise<Answer[]> {
    const { signal } = context.req.raw;
    const seed = order.seed ?? randomInt(2 ** 47);
    try {
      return queue.ask({ settings, texts: order.texts, seed, signal }).then((answers) => {
        metrics.decoded(answers);
        refuseCut(answers, settings);
        return answers;
      });
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      const sentence =
        order.texts.length > queue.most
          ? `The queue holds ${queue.most} texts, and ${order.texts.length} are too many: send them in parts.`
          : "Too many texts wait already: try again soon.";
      throw new Refusal(429, sentence, { code: "queue_full", retryAfter: RETRY_AFTER });
    }
  }

  async function noSuchPolicy(asked: string): Promise<Refusal> {
    const names = (await policies.list()).map(({ name }) => name).join(", ");
    return new Refusal(404, `the run has no policy ${JSON.stringify(asked.slice(0, 80))}. It has ${names}.`, {
      param: "model",
      code: "model_not_found",
    });
  }
}

async function jsonOf(context: Context): Promise<unknown> {
  const body = await context.req.text();
  try {
    return JSON.parse(body);
  } catch {
    throw new Refusal(400, "The body is not JSON: send an object as JSON.");
  }
}

/** The policy has seen a part of it only, so what it wrote is no translation. */
function refuseCut(answers: readonly Answer[], { policy }: Settings): void {
  const cut = answers.findIndex(({ sourceCut }) => sourceCut);
  if (cut < 0) return;
  const { sourceTokens } = answers[cut]!;
  throw new Refusal(
    400,
    `Text ${cut + 1} has ${sourceTokens} tokens, which is more than ${policy} reads: send it in parts.`,
    { code: "context_length_exceeded" },
  );
}

function translationOf({ outputs }: Answer, { all }: BatchOrder) {
  const candidates = ranked(outputs).map(({ text, finished, reward, logProbs }) => ({
    translation: text,
    finished,
    reward,
    logProb: logProbs.reduce((sum, logProb) => sum + logProb, 0),
  }));
  return all ? { ...candidates[0]!, candidates } : candidates[0]!;
}

function refusalOf(error: unknown): Refusal {
  return error instanceof Refusal
    ? error
    : new Refusal(500, "This could not be answered: the server's log says why.");
}
