/** The official client, unchanged, against a listening server. */

import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunPolicies } from "../../src/serve/policies.js";
import { type Serving, serve } from "../../src/serve/server.js";
import { finishedRun, post, removeRun } from "./served.js";

let dir: string;
let server: Serving;
let client: OpenAI;
/** The same folder, asked without HTTP. */
let policies: RunPolicies;
const errors: unknown[] = [];

const user = (content: string) => [{ role: "user" as const, content }];
const seed = 11;
const draws = { seed, sourceId: 0 };

beforeAll(async () => {
  dir = await finishedRun();
  policies = await RunPolicies.open({ dir });
  server = await serve({
    dir,
    bestOf: 4,
    host: "127.0.0.1",
    port: 0,
    queue: 64,
    onError: (error) => errors.push(error),
  });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await server.close(2000);
  await policies.close();
  removeRun(dir);
  expect(errors).toEqual([]);
});

async function refused(work: PromiseLike<unknown>) {
  const error = await Promise.resolve(work).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof OpenAI.APIError)) throw new Error("this was not refused");
  return error;
}

describe("models", () => {
  test("are the policies of the run, the one that answers by default in front", async () => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toEqual(["G1I2", "G0I0", "G1I1"]);
    expect(server.policy).toBe("G1I2");
    expect(await client.models.retrieve("G1I1")).toMatchObject({ id: "G1I1", object: "model" });
  });

  test("that are not there are refused with the names that are", async () => {
    const error = await refused(client.chat.completions.create({ model: "gpt-4o", messages: user("1 2") }));
    expect(error.status).toBe(404);
    expect(error.code).toBe("model_not_found");
    expect(error.message).toBe('404 the run has no policy "gpt-4o". It has G0I0, G1I1, G1I2.');
    expect((await refused(client.models.retrieve("../../etc"))).status).toBe(404);
  });
});

describe("chat", () => {
  test("answers with the best of four samples by reward", async () => {
    const { choices, usage, model } = await client.chat.completions.create({
      model: "G1I1",
      messages: [{ role: "system", content: "Be brief." }, ...user("3 1 4")],
      seed,
    });
    const [own] = await policies.sample([{ sourceId: 9, text: "3 1 4", draws }], {
      policy: "G1I1",
      n: 4,
      score: true,
    });
    const rewards = own!.outputs.map(({ reward }) => reward!);
    const best = own!.outputs[rewards.indexOf(Math.max(...rewards))]!;
    expect(choices).toEqual([
      {
        index: 0,
        message: { role: "assistant", content: best.text, refusal: null },
        logprobs: null,
        finish_reason: best.finished ? "stop" : "length",
        reward: best.reward,
      },
    ]);
    expect(usage).toEqual({
      prompt_tokens: own!.sourceTokens,
      completion_tokens: best.tokens.length,
      total_tokens: own!.sourceTokens + best.tokens.length,
    });
    expect(model).toBe("G1I1");
  });

  test("gives n outputs, the best first, and the same ones for the same seed", async () => {
    const ask = (over: object) =>
      client.chat.completions.create({ model: "G1I2", messages: user("3 1 4"), n: 4, seed, ...over });
    const texts = ({ choices }: OpenAI.ChatCompletion) => choices.map(({ message }) => message.content);
    const one = await ask({});
    expect(one.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    const rewards = one.choices.map((choice) => Number(Reflect.get(choice, "reward")));
    expect(rewards).toEqual([...rewards].sort((a, b) => b - a));
    expect(texts(await ask({}))).toEqual(texts(one));
    expect(texts(await ask({ seed: seed + 1 }))).not.toEqual(texts(one));
    // Without a seed each request draws anew.
    const unseeded = await Promise.all([ask({ seed: null }), ask({ seed: null })]);
    expect(texts(unseeded[0])).not.toEqual(texts(unseeded[1]));
  });

  test("is greedy at temperature 0, once for all outputs", async () => {
    const [own] = await policies.translate([{ sourceId: 0, text: "3 1 4" }]);
    const { choices } = await client.chat.completions.create({
      model: "G1I2",
      messages: user("3 1 4"),
      temperature: 0,
      n: 2,
    });
    expect(choices.map(({ message }) => message.content)).toEqual(Array(2).fill(own!.outputs[0]!.text));
  });

  test("top_p so small that one token is left is greedy too", async () => {
    const [own] = await policies.translate([{ sourceId: 0, text: "3 1 4" }]);
    const { choices } = await client.chat.completions.create({
      model: "G1I2",
      messages: user("3 1 4"),
      top_p: 1e-9,
      temperature: 1,
    });
    expect(choices[0]!.message.content).toBe(own!.outputs[0]!.text);
  });

  test("ends at max_tokens with length, and counts them", async () => {
    for (const limit of [{ max_tokens: 2 }, { max_completion_tokens: 2 }]) {
      const { choices, usage } = await client.chat.completions.create({
        model: "G1I2",
        messages: user("3 1 4"),
        temperature: 0,
        ...limit,
      });
      expect(choices[0]!.finish_reason).toBe("length");
      expect(usage!.completion_tokens).toBe(2);
    }
  });

  test("cuts the output before a stop text", async () => {
    const ask = (stop?: string | string[]) =>
      client.chat.completions.create({
        model: "G1I2",
        messages: user("3 1 4"),
        temperature: 0,
        logprobs: true,
        ...(stop === undefined ? {} : { stop }),
      });
    const whole = (await ask()).choices[0]!;
    const text = whole.message.content!;
    const word = text.slice(4, 6);
    const cut = (await ask(["never there", word])).choices[0]!;
    expect(cut.message.content).toBe(text.slice(0, text.indexOf(word)));
    expect(cut.finish_reason).toBe("stop");
    const tokens = cut.logprobs!.content!.map(({ token }) => token).join("");
    expect(tokens.startsWith(cut.message.content!)).toBe(true);
    expect(cut.logprobs!.content!.length).toBeLessThan(whole.logprobs!.content!.length);
    expect((await ask("never there")).choices[0]).toEqual(whole);
  });

  test("logprobs are those of the policy, with tokens that make up the text", async () => {
    const [own] = await policies.translate([{ sourceId: 0, text: "3 1 4" }]);
    const { choices } = await client.chat.completions.create({
      model: "G1I2",
      messages: user("3 1 4"),
      temperature: 0,
      logprobs: true,
    });
    const { tokens, logProbs, finished, text } = own!.outputs[0]!;
    const content = choices[0]!.logprobs!.content!;
    expect(content.map(({ logprob }) => logprob)).toEqual(logProbs.slice(0, finished ? -1 : undefined));
    expect(content.length).toBe(tokens.length - (finished ? 1 : 0));
    expect(content.map(({ token }) => token).join("")).toBe(text);
    expect(content.flatMap(({ bytes }) => bytes)).toEqual([...Buffer.from(text)]);
  });

  test("takes text in parts and reads the last user message", async () => {
    const { choices } = await client.chat.completions.create({
      model: "G1I2",
      temperature: 0,
      messages: [
        ...user("7 7"),
        { role: "assistant", content: "7 7" },
        {
          role: "user",
          content: [
            { type: "text", text: "3 1" },
            { type: "text", text: " 4" },
          ],
        },
      ],
    });
    const [own] = await policies.translate([{ sourceId: 0, text: "3 1 4" }]);
    expect(choices[0]!.message.content).toBe(own!.outputs[0]!.text);
  });
});

describe("streaming", () => {
  test("brings the same text as the whole answer, a role first, the usage last", async () => {
    const body = { model: "G1I2", messages: user("3 1 4"), n: 2, seed };
    const whole = await client.chat.completions.create(body);
    const stream = await client.chat.completions.create({
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = ["", ""];
    const ends: (string | null)[] = [null, null];
    const roles: (string | undefined)[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      usage = chunk.usage;
      for (const { index, delta, finish_reason } of chunk.choices) {
        if (delta.role) roles[index] = delta.role;
        texts[index] += delta.content ?? "";
        ends[index] = finish_reason ?? ends[index]!;
      }
    }
    expect(texts).toEqual(whole.choices.map(({ message }) => message.content));
    expect(ends).toEqual(whole.choices.map(({ finish_reason }) => finish_reason));
    expect(roles).toEqual(["assistant", "assistant"]);
    expect(usage).toEqual(whole.usage);
  });

  test("works with the client's helper that gathers a stream", async () => {
    const runner = client.chat.completions.stream({ model: "G1I2", messages: user("3 1 4"), seed });
    const whole = await client.chat.completions.create({ model: "G1I2", messages: user("3 1 4"), seed });
    expect(await runner.finalContent()).toBe(whole.choices[0]!.message.content);
  });

  test("ends with [DONE]", async () => {
    const response = await fetch(`${server.url}/v1/completions`, {
      method: "POST",
      body: JSON.stringify({ prompt: "1 2", stream: true }),
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect((await response.text()).split("\n\n").at(-2)).toBe("data: [DONE]");
  });
});

describe("completions", () => {
  test("answer a list of prompts, each with n outputs, as one by one", async () => {
    const ask = (prompt: string | string[]) =>
      client.completions.create({ model: "G1I2", prompt, n: 2, seed, logprobs: 0, temperature: 0.7 });
    const { choices, usage } = await ask(["3 1 4", "1 5"]);
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    const first = await ask("3 1 4");
    expect(choices.slice(0, 2)).toEqual(first.choices);
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens);
    for (const { text, logprobs } of choices) {
      expect(logprobs!.tokens!.join("")).toBe(text);
      logprobs!.tokens!.forEach((token, i) => {
        expect(text.startsWith(token, logprobs!.text_offset![i])).toBe(true);
      });
    }
  });

  test("choose n of best_of", async () => {
    const { choices } = await client.completions.create({
      model: "G1I2",
      prompt: "3 1 4",
      n: 2,
      best_of: 16,
      seed,
    });
    const [own] = await policies.sample([{ sourceId: 0, text: "3 1 4", draws }], { n: 16, score: true });
    const rewards = own!.outputs.map(({ reward }) => reward!).sort((a, b) => b - a);
    expect(choices.map((choice) => Reflect.get(choice, "reward"))).toEqual(rewards.slice(0, 2));
  });
});

describe("what would mean something else here is refused with one sentence", () => {
  const messages = user("1 2");
  test.each<[string, object, string, string]>([
    [
      "chat",
      { tools: [{ type: "function", function: { name: "f" } }] },
      "tools",
      "tools must be left out or empty: a translation calls no tools.",
    ],
    [
      "chat",
      { response_format: { type: "json_object" } },
      "response_format.type",
      "response_format must be of type text: an output is plain text; response_format.type is not.",
    ],
    ["chat", { temperature: 3 }, "temperature", "temperature must be a number from 0 (greedy) to 2."],
    ["chat", { n: 0 }, "n", "n must be a whole number from 1 to 128."],
    ["chat", { n: 129 }, "n", "n must be a whole number from 1 to 128."],
    ["chat", { top_p: 0 }, "top_p", "top_p must be a number above 0 and at most 1."],
    [
      "chat",
      { top_logprobs: 3, logprobs: true },
      "top_logprobs",
      "top_logprobs must be 0 or left out: only the tokens of an output have log-probabilities here.",
    ],
    [
      "chat",
      { frequency_penalty: 1 },
      "frequency_penalty",
      "frequency_penalty must be 0 or left out: tokens are drawn as the policy weighs them.",
    ],
    [
      "chat",
      { stop: ["", "a"] },
      "stop[0]",
      "stop must be a text, or a list of up to 4 texts, none of them empty; stop[0] is not.",
    ],
    ["chat", { top_k: 5 }, "top_k", '"top_k" is no key that is known here: leave it out.'],
    [
      "chat",
      { n: 4, best_of: 2 },
      "best_of",
      "best_of must be n (4) or more: the outputs are chosen from so many.",
    ],
    [
      "chat",
      { messages: [] },
      "messages",
      "messages must be a list of messages, each with role and content.",
    ],
    [
      "chat",
      { messages: [{ role: "system", content: "1" }] },
      "messages",
      "messages must hold one with the role user: its content is translated.",
    ],
    [
      "chat",
      { messages: user("  ") },
      "messages",
      "messages[0].content must be a text of 1 to 8000 characters that is not blank, or a list of parts of type text that make up one.",
    ],
    [
      "chat",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      "messages",
      "messages[0].content must be a text of 1 to 8000 characters that is not blank, or a list of parts of type text that make up one.",
    ],
    [
      "completions",
      { prompt: [1, 2, 3] },
      "prompt",
      "prompt must be a text of 1 to 8000 characters that is not blank, or a list of 1 to 256 of these; token ids are not taken.",
    ],
    [
      "completions",
      { prompt: "1", echo: true },
      "echo",
      "echo must be false or left out: the source is no part of a translation.",
    ],
  ])("%s %j", async (route, over, param, sentence) => {
    const path = route === "chat" ? "/v1/chat/completions" : "/v1/completions";
    const { status, body } = await post(`${server.url}${path}`, {
      model: "G1I2",
      ...(route === "chat" ? { messages } : {}),
      ...over,
    });
    expect(body).toEqual({
      error: { message: sentence, type: "invalid_request_error", param, code: null },
    });
    expect(status).toBe(400);
  });

  test("a text that is too long", async () => {
    const { status, body } = await post(`${server.url}/v1/completions`, { prompt: "1".repeat(8001) });
    expect([status, body]).toMatchObject([400, { error: { param: "prompt" } }]);
  });

  test("a body that is no JSON, or no object", async () => {
    const url = `${server.url}/v1/chat/completions`;
    const sentence = async (body: string) => (await post(url, body)).body;
    expect(await sentence("{")).toMatchObject({
      error: { message: "The body is not JSON: send an object as JSON." },
    });
    expect(await sentence("[]")).toMatchObject({ error: { message: "The body must be a JSON object." } });
  });

  test("a source that is longer than the policy can read", async () => {
    const error = await refused(
      client.chat.completions.create({ model: "G1I2", messages: user("1 ".repeat(3000)) }),
    );
    expect([error.status, error.code]).toEqual([400, "context_length_exceeded"]);
    expect(error.message).toMatch(
      /^400 Text 1 has \d+ tokens, which is more than G1I2 reads: send it in parts\.$/,
    );
  });

  test("neutral values of the same keys are taken", async () => {
    const { choices } = await client.chat.completions.create({
      model: "G1I2",
      messages,
      frequency_penalty: 0,
      presence_penalty: null,
      logit_bias: {},
      tools: [],
      tool_choice: "none",
      response_format: { type: "text" },
      user: "someone",
      metadata: { a: "b" },
      store: false,
      stop: null,
    });
    expect(choices.length).toBe(1);
  });
});
