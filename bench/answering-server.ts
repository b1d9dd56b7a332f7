/** A server of OpenAI's chat completions that says the same to everything, after so many milliseconds: its argument. */

import { createServer } from "node:http";

const latency = Number(process.argv[2]);
const ANSWER =
  "She has 3 boxes of 12 pencils, which are 36 pencils. She gives 8 away, so that 36 - 8 = 28 are left. The answer is 28.";
/** By number of choices: nothing is worked out while a client is measured. */
const answers = new Map<number, Buffer>();

function answer(n: number): Buffer {
  const known = answers.get(n);
  if (known) return known;
  const made = Buffer.from(
    JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 0,
      model: "emulated",
      choices: Array.from({ length: n }, (_, index) => ({
        index,
        message: { role: "assistant", content: ANSWER },
        finish_reason: "stop",
      })),
      usage: { prompt_tokens: 50, completion_tokens: 40 * n, total_tokens: 50 + 40 * n },
    }),
  );
  answers.set(n, made);
  return made;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const [, n = "1"] = /"n": ?(\d+)/.exec(Buffer.concat(chunks).toString("latin1")) ?? [];
    const body = answer(Number(n));
    const send = () => {
      response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
      response.end(body);
    };
    if (latency > 0) setTimeout(send, latency);
    else send();
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the system gave no port");
  console.log(`http://127.0.0.1:${address.port}/v1`);
});
process.on("SIGTERM", () => process.exit(0));
