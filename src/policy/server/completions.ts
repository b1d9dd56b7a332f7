/** One request to a server that speaks OpenAI's completions, and what comes back. */

import type { Address } from "../../remote/address.js";
import { type Asking, type ClientOptions, postJson, refusal } from "../../remote/client.js";
import { type PromptOptions, promptMessages, promptText } from "./prompt.js";

export interface CompletionRequest {
  /** As the server knows it. */
  model: string;
  source: string;
  /** Choices asked for, 1 or more. */
  n: number;
  temperature: number;
  topP?: number;
  /** Not a part of OpenAI's protocol; vLLM, SGLang and llama.cpp take it. */
  topK?: number;
  maxTokens: number;
  seed?: number;
}

export interface Completion {
  /** As many as the server gave, at most as many as were asked for. */
  choices: { text: string; finished: boolean }[];
  /** As the server counts them; 0 where it does not. */
  tokensIn: number;
  tokensOut: number;
}

export interface CompletionOptions extends PromptOptions, ClientOptions {
  /** Texts at which the model stops; they are not a part of the answer. */
  stop: readonly string[];
}

/**
 * Throws a UserError where the server cannot be asked, answers with something else than completions, or with none; see
 * `postJson`.
 */
export async function complete(
  who: string,
  address: Address,
  request: CompletionRequest,
  options: CompletionOptions,
  asking: Asking,
): Promise<Completion> {
  const { source, n, model, temperature, topP, topK, maxTokens, seed } = request;
  const prompt =
    options.api === "chat"
      ? { messages: promptMessages(options, source) }
      : { prompt: promptText(options, source) };
  const answer = await postJson(
    who,
    address,
    {
      model,
      ...prompt,
      ...(n > 1 && { n }),
      temperature,
      ...(topP !== undefined && { top_p: topP }),
      ...(topK !== undefined && { top_k: topK }),
      max_tokens: maxTokens,
      ...(seed !== undefined && { seed }),
      ...(options.stop.length > 0 && { stop: options.stop }),
    },
    // llama.cpp's server takes no more choices than it has slots, and says so.
    n === 1
      ? options
      : {
          ...options,
          refused:
            "correct the address, the headers or the model, or lower policy.choices where so many in one request are too many",
        },
    asking,
  );
  const choices = choicesOf(answer, options.api);
  if (choices === undefined || choices.length === 0)
    throw refusal(
      who,
      address,
      `answered ${JSON.stringify(answer)}`,
      options.api === "chat"
        ? "choices[0].message.content was expected: is this a server of OpenAI's chat completions? If not, set policy.api"
        : "choices[0].text was expected: is this a server of OpenAI's completions? If not, set policy.api",
    );
  const usage = property(answer, "usage");
  return {
    choices: choices.slice(0, n),
    tokensIn: countIn(usage, "prompt_tokens"),
    tokensOut: countIn(usage, "completion_tokens"),
  };
}

function choicesOf(answer: unknown, api: "chat" | "completions"): Completion["choices"] | undefined {
  const choices = property(answer, "choices");
  if (!Array.isArray(choices)) return undefined;
  const read: Completion["choices"] = [];
  for (const choice of choices) {
    const message = api === "chat" ? property(choice, "message") : choice;
    // A model that says nothing has a null for its content.
    const text =
      property(message, api === "chat" ? "content" : "text") ?? (message === undefined ? undefined : "");
    if (typeof text !== "string") return undefined;
    read.push({ text, finished: property(choice, "finish_reason") !== "length" });
  }
  return read;
}

function countIn(usage: unknown, key: string): number {
  const count = property(usage, key);
  return typeof count === "number" && Number.isFinite(count) ? count : 0;
}

function property(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
