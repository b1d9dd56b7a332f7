/** A server on this machine that answers as a test says, and remembers what it was asked. */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";

interface Asked {
  url: string;
  headers: IncomingHttpHeaders;
  body: Body;
  /** Milliseconds since the server began. */
  at: number;
}

/** What either protocol sends, as far as tests look. */
export interface Body {
  inputs: { source: string; candidate: string; reference?: string }[];
  seed: number;
  messages: { role: string; content: string }[];
  [key: string]: unknown;
}

export interface TestServer {
  url: string;
  asked: Asked[];
  /** Most requests that were under way at once. */
  most: number;
  close(): Promise<void>;
}

/** What is returned is sent as JSON; a handler that answers by itself returns nothing. */
type Handler = (body: Body, response: ServerResponse, nth: number) => unknown;

/** Closed when the test ends. */
export async function serve(handler: Handler, port = 0): Promise<TestServer> {
  const began = performance.now();
  let open = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body: Body = JSON.parse(Buffer.concat(chunks).toString());
    served.most = Math.max(served.most, ++open);
    response.on("close", () => open--);
    const nth = served.asked.push({
      url: request.url ?? "",
      headers: request.headers,
      body,
      at: performance.now() - began,
    });
    const answer = await handler(body, response, nth);
    if (answer !== undefined) response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const served: TestServer = {
    url: `http://127.0.0.1:${address.port}/score`,
    asked: [],
    most: 0,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  onTestFinished(() => served.close());
  return served;
}

/** A reward that differs from text to text, in [0, 1). */
export function lengthReward(candidate: string): number {
  return (candidate.length % 10) / 10;
}
