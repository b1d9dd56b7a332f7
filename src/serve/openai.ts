/** Outputs in the shapes that OpenAI's clients read (platform.openai.com/docs/api-reference: chat, completions, models). */

import { randomUUID } from "node:crypto";
import { version } from "../version.js";
import { ranked } from "./best.js";
import type { OpenAiOrder } from "./bodies.js";
import type { Answer, Output } from "./policies.js";

/** An output as one of several choices. */
interface Choice {
  index: number;
  text: string;
  finishReason: "stop" | "length";
  reward: number | null;
  logprobs: TokenLogProb[] | null;
}

interface TokenLogProb {
  token: string;
  logprob: number;
  /** Where it begins in the text, in UTF-16 units. */
  offset: number;
}

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** What is in the shapes of one route, whole or streamed in chunks. */
export interface Shapes {
  whole(choices: readonly Choice[], usage: Usage): object;
  /** At once, before anything is decoded; empty where a route has none. */
  opening(index: number): object[];
  chunks(choice: Choice): object[];
  usage(usage: Usage): object;
}

/** Choices of all texts: those of the first, then those of the second. */
export function choicesOf(answers: readonly Answer[], order: OpenAiOrder): Choice[] {
  return answers.flatMap((answer, text) => {
    const best = ranked(answer.outputs);
    // A greedy search finds one output: each choice is that one.
    return Array.from({ length: order.n }, (_, i) =>
      choice(answer, best[i] ?? best[0]!, text * order.n + i, order),
    );
  });
}

export function usageOf(answers: readonly Answer[], { n }: OpenAiOrder): Usage {
  const prompt = answers.reduce((sum, { sourceTokens }) => sum + sourceTokens, 0);
  const completion = answers.reduce(
    (sum, { outputs }) =>
      sum +
      ranked(outputs)
        .slice(0, n)
        .reduce((tokens, output) => tokens + output.tokens.length, 0),
    0,
  );
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

function choice(answer: Answer, output: Output, index: number, { stop, logprobs }: OpenAiOrder): Choice {
  const { text, logProbs, finished, reward } = output;
  const ends = stop.map((word) => text.indexOf(word)).filter((at) => at >= 0);
  const end = ends.length > 0 ? Math.min(...ends) : undefined;
  const shown = text.slice(0, end);
  return {
    index,
    text: shown,
    finishReason: finished || end !== undefined ? "stop" : "length",
    reward,
    logprobs: logprobs
      ? answer
          .pieces(output)
          .map(({ text: token, at: offset }, i) => ({ token, logprob: logProbs[i]!, offset }))
          .filter(({ offset }) => offset < shown.length)
      : null,
  };
}

/** The shapes of `/v1/chat/completions`. */
export function chatShapes(model: string): Shapes {
  const head = common("chatcmpl", model);
  const chunk = (choices: object[]) => ({ ...head, object: "chat.completion.chunk", choices, usage: null });
  return {
    whole: (choices, usage) => ({
      ...head,
      object: "chat.completion",
      choices: choices.map(({ index, text, finishReason, reward, logprobs }) => ({
        index,
        message: { role: "assistant", content: text, refusal: null },
        logprobs: chatLogProbs(logprobs),
        finish_reason: finishReason,
        reward,
      })),
      usage,
    }),
    opening: (index) => [
      chunk([
        {
          index,
          delta: { role: "assistant", content: "", refusal: null },
          logprobs: null,
          finish_reason: null,
        },
      ]),
    ],
    chunks: ({ index, text, finishReason, reward, logprobs }) => [
      chunk([{ index, delta: { content: text }, logprobs: chatLogProbs(logprobs), finish_reason: null }]),
      chunk([{ index, delta: {}, logprobs: null, finish_reason: finishReason, reward }]),
    ],
    usage: (usage) => ({ ...chunk([]), usage }),
  };
}

/** The shapes of `/v1/completions`. */
export function completionShapes(model: string): Shapes {
  const head = { ...common("cmpl", model), object: "text_completion" };
  const whole = ({ index, text, finishReason, reward, logprobs }: Choice) => ({
    index,
    text,
    logprobs: completionLogProbs(logprobs),
    finish_reason: finishReason,
    reward,
  });
  return {
    whole: (choices, usage) => ({ ...head, choices: choices.map(whole), usage }),
    opening: () => [],
    chunks: (choice) => [{ ...head, choices: [whole(choice)], usage: null }],
    usage: (usage) => ({ ...head, choices: [], usage }),
  };
}

/** An entry of `/v1/models`. */
export function modelOf({ name, trainedAt }: { name: string; trainedAt: Date }) {
  return { id: name, object: "model", created: seconds(trainedAt), owned_by: "coppice" };
}

function common(prefix: string, model: string) {
  return {
    id: `${prefix}-${randomUUID()}`,
    created: seconds(new Date()),
    model,
    system_fingerprint: `coppice-${version}`,
  };
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function chatLogProbs(logprobs: readonly TokenLogProb[] | null) {
  if (!logprobs) return null;
  const content = logprobs.map(({ token, logprob }) => ({
    token,
    logprob,
    // A part of a character has bytes that its text does not tell.
    bytes: token.includes("\ufffd") ? null : [...Buffer.from(token)],
    top_logprobs: [],
  }));
  return { content, refusal: null };
}

function completionLogProbs(logprobs: readonly TokenLogProb[] | null) {
  if (!logprobs) return null;
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: null,
    text_offset: logprobs.map(({ offset }) => offset),
  };
}
