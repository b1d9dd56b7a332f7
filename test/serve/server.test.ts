/** A listening server under load: batches, refusals, connections that close, the end. */

import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { RunPolicies } from "../../src/serve/policies.js";
import { serve } from "../../src/serve/server.js";
import { finishedRun, post, removeRun, withGate, withServer } from "./served.js";

let dir: string;
let policies: RunPolicies;

beforeAll(async () => {
  dir = await finishedRun();
  policies = await RunPolicies.open({ dir });
});
afterAll(async () => {
  await policies.close();
  removeRun(dir);
});

/** Resolves when it holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(5);
}

/** The value of a line of /metrics; 0 where it is not there. */
async function metric(url: string, line: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(
    page
      .split("\n")
      .find((one) => one.startsWith(`${line} `))
      ?.slice(line.length + 1) ?? 0,
  );
}

describe("requests that come while a batch is decoded", () => {
  test("are decoded in one batch, each as it would be alone", async () => {
    const bodies = [
      { sources: ["1 2 3"], bestOf: 1, temperature: 1, seed: 3, all: true },
      { sources: ["9 8", "7 6 5"], bestOf: 1, temperature: 1, seed: 4, all: true },
      { sources: ["1 2 3"], bestOf: 1, temperature: 1, seed: 4, all: true },
    ];
    const alone = await withServer({ dir }, async ({ url }) => {
      const answers = [];
      for (const body of bodies) answers.push(await post(`${url}/translate`, body));
      return answers.map(({ body }) => body);
    });
    expect(alone[0]).not.toEqual(alone[2]);
    await withGate(policies, { most: 64 }, async ({ url, begun, release, queue }) => {
      const first = post(`${url}/translate`, { sources: ["4"] });
      await begun();
      const answers = bodies.map((body) => post(`${url}/translate`, body));
      await until(() => queue.length === 4);
      await release();
      expect((await begun()).length).toBe(4);
      await release();
      // Log-probabilities too: the same bits.
      expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(alone);
      await first;
      expect(await metric(url, "coppice_batch_requests_sum")).toBe(4);
      expect(await metric(url, "coppice_batch_requests_count")).toBe(2);
    });
  });
});

describe("a full queue", () => {
  test("is 429 with Retry-After, on a stream too, and takes requests again when it is not", async () => {
    await withGate(policies, { most: 1 }, async ({ url, begun, release, queue }) => {
      const first = post(`${url}/translate`, { sources: ["1"] });
      await begun();
      const second = post(`${url}/translate`, { sources: ["2"] });
      await until(() => queue.length === 1);
      for (const [route, body] of [
        ["/translate", { sources: ["3"] }],
        ["/v1/completions", { prompt: "3", stream: true }],
      ] as const) {
        const refused = await post(`${url}${route}`, body);
        expect(refused.status).toBe(429);
        expect(refused.headers.get("retry-after")).toBe("1");
        expect(refused.body).toEqual({
          error: {
            message: "Too many texts wait already: try again soon.",
            type: "rate_limit_error",
            param: null,
            code: "queue_full",
          },
        });
      }
      expect(await metric(url, "coppice_queue_sources")).toBe(1);
      await release();
      await release();
      expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
      const third = post(`${url}/translate`, { sources: ["3"] });
      await release();
      expect((await third).status).toBe(200);
      expect(await metric(url, 'coppice_requests_total{route="/translate",status="429"}')).toBe(1);
    });
  });
});

describe("a connection that closes", () => {
  test.each([false, true])(
    "frees its rows, where it waits and where it is decoded (stream: %s)",
    async (stream) => {
      await withGate(policies, { most: 8 }, async ({ url, begun, release, queue }) => {
        const ask = (prompt: string) => {
          const leaves = new AbortController();
          const body = JSON.stringify({ prompt, stream, temperature: 1 });
          const answer = fetch(`${url}/v1/completions`, { method: "POST", body, signal: leaves.signal });
          // A stream's headers are there before its text.
          return {
            leaves,
            answer: answer.then((response) => response.text()).catch((error: Error) => error.name),
          };
        };
        const decoded = ask("1 2 3");
        const [source] = await begun();
        const [waits, stays] = [ask("4 5"), ask("6")];
        await until(() => queue.length === 2);
        waits.leaves.abort();
        await until(() => queue.length === 1);
        decoded.leaves.abort();
        await until(() => source!.signal!.aborted);
        const [given] = await release();
        expect(given!.outputs).toEqual([]);
        expect((await begun()).map(({ text }) => text)).toEqual(["6"]);
        await release();
        expect(await stays.answer).toContain('"text"');
        expect([await waits.answer, await decoded.answer]).toEqual(["AbortError", "AbortError"]);
        expect(await metric(url, 'coppice_requests_total{route="/v1/completions",status="499"}')).toBe(2);
      });
    },
  );
});

describe("the end", () => {
  test("lets what is under way finish, then takes no more", async () => {
    const server = await serve({
      dir,
      bestOf: 1,
      host: "127.0.0.1",
      port: 0,
      queue: 256,
      onError: (error) => {
        throw error;
      },
    });
    const sources = Array.from({ length: 200 }, (_, i) => `${i % 10} ${i % 7}`);
    const long = post(`${server.url}/translate`, { sources, bestOf: 64, temperature: 1, seed: 1 });
    while ((await metric(server.url, "coppice_rows")) === 0) await wait(5);
    const end = server.close();
    const { status, body } = await long;
    expect(status).toBe(200);
    expect(body).toMatchObject({ policy: "G1I2" });
    // The connection is kept alive for 5 seconds where nobody closes it.
    const answered = performance.now();
    await end;
    expect(performance.now() - answered).toBeLessThan(4000);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });

  test("is told by readiness, and new work is refused until it has come", async () => {
    await withGate(policies, { most: 8 }, async ({ url, stop }) => {
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      stop.abort();
      expect((await fetch(`${url}/readyz`)).status).toBe(503);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      const refused = await post(`${url}/translate`, { sources: ["1"] });
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    });
  });

  test("cuts what takes longer than its patience", async () => {
    await withServer({ dir, queue: 256 }, async (server) => {
      const sources = Array.from({ length: 256 }, (_, i) => `${i % 10} ${i % 7}`);
      const cut = post(`${server.url}/translate`, { sources, bestOf: 128, temperature: 1 }).catch(
        () => "cut",
      );
      while ((await metric(server.url, "coppice_rows")) === 0) await wait(5);
      await server.close(1);
      expect(await cut).toBe("cut");
    });
  });
});

test("a failure of our own is 500 without its words, which go to the log", async () => {
  await withGate(policies, { most: 8, fail: new Error("/secret/path") }, async ({ url, release }) => {
    const answer = post(`${url}/translate`, { sources: ["1"] });
    await release();
    expect(await answer).toMatchObject({
      status: 500,
      body: {
        error: { message: "This could not be answered: the server's log says why.", type: "server_error" },
      },
    });
  });
});

test("an idle connection does not hold the end", async () => {
  const server = await serve({
    dir,
    bestOf: 1,
    host: "127.0.0.1",
    port: 0,
    queue: 8,
    onError: () => {},
  });
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(socket, "data");
  const begin = performance.now();
  await server.close();
  expect(performance.now() - begin).toBeLessThan(3000);
  socket.destroy();
});

test("/translate gives the best first and all candidates when asked, or searches", async () => {
  await withServer({ dir, bestOf: 4 }, async ({ url }) => {
    const { body } = await post(`${url}/translate`, { sources: ["3 1 4", "2"], seed: 2, all: true });
    const answers = await policies.sample(
      ["3 1 4", "2"].map((text, sourceId) => ({ sourceId, text })),
      { n: 4, seed: 2, score: true },
    );
    const translations = answers.map(({ outputs }) => {
      const candidates = outputs
        .map(({ text, finished, reward, logProbs }) => ({
          translation: text,
          finished,
          reward: reward!,
          logProb: logProbs.reduce((sum, one) => sum + one, 0),
        }))
        .sort((a, b) => b.reward - a.reward);
      return { ...candidates[0]!, candidates };
    });
    expect(body).toEqual({ policy: "G1I2", translations });
    const searched = await post(`${url}/translate`, { sources: ["3 1 4"], beam: 3, policy: "G0I0" });
    const [own] = await policies.translate([{ sourceId: 0, text: "3 1 4" }], { beams: 3, policy: "G0I0" });
    expect(searched.body).toMatchObject({
      policy: "G0I0",
      translations: [{ translation: own!.outputs[0]!.text, reward: null }],
    });
    const mixed = await post(`${url}/translate`, { sources: ["1"], beam: 3, bestOf: 2 });
    expect(mixed).toMatchObject({
      status: 400,
      body: {
        error: {
          param: "beam",
          message:
            "beam searches, and bestOf, temperature, topP and seed are for sampling: give one or the other.",
        },
      },
    });
  });
});

test("a policy that is not there is refused before the server listens", async () => {
  await expect(withServer({ dir, policy: "G7I1" }, async () => {})).rejects.toThrow(UserError);
});
