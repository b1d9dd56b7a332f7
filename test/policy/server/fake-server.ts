/** A server that speaks as much of OpenAI's completions as is asked for here, and counts what it is asked. */

import { createServer, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";

export interface Asked {
  path: string;
  model: string;
  prompt?: string;
  messages?: { role: string; content: string }[];
  n?: number;
  seed?: number;
  temperature: number;
  max_tokens: number;
  [key: string]: unknown;
}

export interface FakeServer {
  /** Base address. */
  url: string;
  asked: Asked[];
  close(): Promise<void>;
}

/** What a model says to a prompt: one text a choice. */
export type Says = (asked: Asked, response: ServerResponse, nth: number) => unknown;

/** Texts as a server answers them, with 10 tokens read and 2 written a choice. */
export function choices(path: string, texts: readonly string[], finish = "stop"): unknown {
  return {
    choices: texts.map((text, index) =>
      path.endsWith("/chat/completions")
        ? { index, message: { role: "assistant", content: text }, finish_reason: finish }
        : { index, text, finish_reason: finish },
    ),
    usage: { prompt_tokens: 10, completion_tokens: 2 * texts.length },
  };
}

/** Closed when the test ends. A handler that answers by itself returns nothing. */
export async function fakeServer(says: Says): Promise<FakeServer> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body: Asked = { ...JSON.parse(Buffer.concat(chunks).toString()), path: request.url ?? "" };
    const nth = asked.push(body);
    const answer = await says(body, response, nth);
    if (answer !== undefined) response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  onTestFinished(close);
  return { url: `http://127.0.0.1:${address.port}/v1`, asked, close };
}

export function promptOf({ prompt, messages }: Asked): string {
  return prompt ?? messages?.at(-1)?.content ?? "";
}

/**
 * The toy's answer (the numbers in reverse), each place wrong by a chance of the seed that falls with the model's number:
 * `toy-0` says 3 places of 4 right, `toy-1` 7 of 8, and so on. Without a seed it is as right as it can be.
 */
export function toyAnswers(asked: Asked): string[] {
  const [, skill = "0"] = /toy-(\d+)/.exec(asked.model) ?? [];
  const right = promptOf(asked).trim().split(" ").reverse();
  return Array.from({ length: asked.n ?? 1 }, (_, choice) =>
    right
      .map((word, place) => {
        const draw =
          asked.seed === undefined ? 1 : hash(`${asked.seed}/${choice}/${place}`) % (4 << Number(skill));
        return draw === 0 ? "99" : word;
      })
      .join(" "),
  );
}

function hash(text: string): number {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16777619) >>> 0;
  return (value ^ (value >>> 15)) >>> 0;
}
