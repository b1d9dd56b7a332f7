/** What a request may ask for: the bodies of every route, read into one form. */

import { z } from "zod";
import { pathText } from "../rest/config-words.js";
import { Refusal } from "./refusals.js";

/** Characters of a text. */
const LONGEST = 8000;
/** Texts of a request. */
const MOST_TEXTS = 256;
/** Candidates of a text. */
const MOST_CANDIDATES = 128;

/** What a request asks for; null where it leaves the choice to the server. */
export interface Order {
  /** A policy's name. */
  model: string | null;
  texts: string[];
  /** Outputs to answer with, a text. */
  n: number;
  /** Candidates to choose them from by reward. */
  bestOf: number | null;
  /** Width of a beam search, where one is asked for. */
  beam: number | null;
  temperature: number | null;
  topP: number | null;
  maxTokens: number | null;
  seed: number | null;
}

/** What an OpenAI client may ask for besides. */
export interface OpenAiOrder extends Order {
  /** Texts that end an output where they come, and are not part of it. */
  stop: string[];
  logprobs: boolean;
  stream: boolean;
  /** Stream the usage too, at the end. */
  includeUsage: boolean;
}

/** What a caller of `/translate` may ask for besides. */
export interface BatchOrder extends Order {
  /** Answer with all candidates too. */
  all: boolean;
}

/** Each key must be what its description says, to stand after "must be". */
const must = <T extends z.ZodType>(schema: T, words: string) => schema.nullish().describe(words);

const without = (what: string) => must(z.null(), `left out: ${what}`);
const text = z
  .string()
  .max(LONGEST)
  .refine((found) => found.trim() !== "");
const textWords = `a text of 1 to ${LONGEST} characters that is not blank`;
const atLeastOne = z.int().min(1);
const candidates = z.int().min(1).max(MOST_CANDIDATES);
const candidatesWords = `a whole number from 1 to ${MOST_CANDIDATES}`;
const noTools = must(z.tuple([]), "left out or empty: a translation calls no tools");
const noPenalty = must(z.literal(0), "0 or left out: tokens are drawn as the policy weighs them");
const anything = z.unknown().optional();

/** Keys that all OpenAI routes take. */
const shared = {
  model: must(z.string(), "the name of a policy; /v1/models lists them"),
  n: must(candidates, candidatesWords),
  best_of: must(candidates, candidatesWords),
  temperature: must(z.number().min(0).max(2), "a number from 0 (greedy) to 2"),
  top_p: must(z.number().gt(0).max(1), "a number above 0 and at most 1"),
  max_tokens: must(atLeastOne, "a whole number of 1 or more"),
  seed: must(z.int(), "a whole number"),
  stop: must(
    z.union([z.string().min(1), z.array(z.string().min(1)).max(4)]),
    "a text, or a list of up to 4 texts, none of them empty",
  ),
  stream: must(z.boolean(), "true or false"),
  stream_options: must(
    z.looseObject({ include_usage: z.boolean().nullish() }),
    "an object in which include_usage is true or false",
  ),
  frequency_penalty: noPenalty,
  presence_penalty: noPenalty,
  logit_bias: must(z.strictObject({}), "left out or empty: tokens are drawn as the policy weighs them"),
  // These change nothing in an answer.
  user: anything,
  metadata: anything,
  service_tier: anything,
  safety_identifier: anything,
  prompt_cache_key: anything,
  prompt_cache_options: anything,
  prompt_cache_retention: anything,
};

const chat = z.strictObject({
  ...shared,
  messages: z
    .array(z.looseObject({ role: z.string(), content: anything }))
    .min(1)
    .describe("a list of messages, each with role and content"),
  max_completion_tokens: shared.max_tokens,
  logprobs: must(z.boolean(), "true or false"),
  top_logprobs: must(z.literal(0), "0 or left out: only the tokens of an output have log-probabilities here"),
  response_format: must(z.looseObject({ type: z.literal("text") }), "of type text: an output is plain text"),
  tools: noTools,
  functions: noTools,
  tool_choice: must(z.enum(["none", "auto"]), "none or left out: a translation calls no tools"),
  function_call: must(z.enum(["none", "auto"]), "none or left out: a translation calls no functions"),
  parallel_tool_calls: anything,
  modalities: must(z.tuple([z.literal("text")]), 'left out or ["text"]'),
  store: must(z.literal(false), "false or left out: nothing is stored here"),
  audio: without("an output is text"),
  prediction: without("nothing can be predicted of a translation here"),
  reasoning_effort: without("a policy translates without reasoning"),
  verbosity: without("a policy has none"),
  moderation: without("nothing is moderated here"),
  web_search_options: without("nothing is searched here"),
});

const completion = z.strictObject({
  ...shared,
  prompt: z
    .union([text, z.array(text).min(1).max(MOST_TEXTS)])
    .describe(`${textWords}, or a list of 1 to ${MOST_TEXTS} of these; token ids are not taken`),
  logprobs: must(z.literal(0), "0 or left out: only the tokens of an output have log-probabilities here"),
  echo: must(z.literal(false), "false or left out: the source is no part of a translation"),
  suffix: must(z.literal(""), "left out: a translation has none"),
});

const batch = z.strictObject({
  sources: z
    .array(text)
    .min(1)
    .max(MOST_TEXTS)
    .describe(`a list of 1 to ${MOST_TEXTS} texts, each of 1 to ${LONGEST} characters and not blank`),
  policy: must(z.string(), "the name of a policy; /v1/models lists them"),
  bestOf: must(candidates, candidatesWords),
  beam: must(z.int().min(1).max(16), "a whole number from 1 to 16"),
  temperature: shared.temperature,
  topP: shared.top_p,
  maxTokens: shared.max_tokens,
  seed: shared.seed,
  all: must(z.boolean(), "true or false"),
});

/** Throws a Refusal, as the others do. */
export function chatOrder(body: unknown): OpenAiOrder {
  const given = read(chat, body);
  return {
    ...sampling(given),
    maxTokens: given.max_completion_tokens ?? given.max_tokens ?? null,
    texts: [lastUserText(given.messages)],
    logprobs: given.logprobs ?? false,
  };
}

export function completionOrder(body: unknown): OpenAiOrder {
  const given = read(completion, body);
  return {
    ...sampling(given),
    maxTokens: given.max_tokens ?? null,
    texts: [given.prompt].flat(),
    logprobs: given.logprobs === 0,
  };
}

export function batchOrder(body: unknown): BatchOrder {
  const given = read(batch, body);
  const { policy, bestOf = null, beam = null, temperature = null, topP = null } = given;
  if (beam !== null && (bestOf !== null || temperature !== null || topP !== null || given.seed != null))
    throw new Refusal(
      400,
      "beam searches, and bestOf, temperature, topP and seed are for sampling: give one or the other.",
      { param: "beam" },
    );
  return {
    model: policy ?? null,
    texts: given.sources,
    n: 1,
    bestOf,
    beam,
    temperature,
    topP,
    maxTokens: given.maxTokens ?? null,
    seed: given.seed ?? null,
    all: given.all ?? false,
  };
}

function sampling(given: z.infer<z.ZodObject<typeof shared>>) {
  const { n: choices, best_of: bestOf = null, stop } = given;
  const n = choices ?? 1;
  if (bestOf !== null && bestOf < n)
    throw new Refusal(400, `best_of must be n (${n}) or more: the outputs are chosen from so many.`, {
      param: "best_of",
    });
  return {
    model: given.model ?? null,
    n,
    bestOf,
    beam: null,
    temperature: given.temperature ?? null,
    topP: given.top_p ?? null,
    seed: given.seed ?? null,
    stop: [stop ?? []].flat(),
    stream: given.stream ?? false,
    includeUsage: given.stream_options?.include_usage ?? false,
  };
}

/** The source of a chat. What comes before it, instructions too, is nothing that a policy could read. */
function lastUserText(messages: readonly { role: string; content?: unknown }[]): string {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const at = `messages[${last}].content`;
  if (last < 0)
    throw new Refusal(400, "messages must hold one with the role user: its content is translated.", {
      param: "messages",
    });
  const { content } = messages[last]!;
  const parts = z.array(z.looseObject({ type: z.literal("text"), text: z.string() })).safeParse(content);
  const found = text.safeParse(parts.success ? parts.data.map((part) => part.text).join("") : content);
  if (found.success) return found.data;
  throw new Refusal(400, `${at} must be ${textWords}, or a list of parts of type text that make up one.`, {
    param: "messages",
  });
}

function read<Shape extends z.core.$ZodLooseShape>(schema: z.ZodObject<Shape>, body: unknown) {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    throw new Refusal(
      400,
      `${JSON.stringify(key.slice(0, 80))} is no key that is known here: leave it out.`,
      {
        param: key.slice(0, 80),
      },
    );
  }
  const [key] = issue.path;
  if (typeof key !== "string") throw new Refusal(400, "The body must be a JSON object.");
  const field: unknown = schema.shape[key];
  const words = field instanceof z.ZodType ? field.description : undefined;
  const path = pathText(issue.path.filter((part) => typeof part !== "symbol"));
  const which = path === key ? "" : `; ${path} is not`;
  throw new Refusal(400, `${key} must be ${words ?? "something else"}${which}.`, { param: path });
}
