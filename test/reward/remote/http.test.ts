import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { Interrupted, UserError } from "../../../src/errors.js";
import { retryAfter } from "../../../src/remote/client.js";
import { createReward, type RewardContext } from "../../../src/reward/create.js";
import type { HttpOptions } from "../../../src/reward/remote/http.js";
import { ScoreCache } from "../../../src/store/score-cache.js";
import { lengthReward, serve } from "./server.js";

const quick = {
  kind: "http",
  name: null,
  needsReference: false,
  headers: {},
  batchSize: 2,
  concurrency: 1,
  timeoutSeconds: 5,
  retries: 3,
  firstWaitSeconds: 0.01,
} as const;

function http(options: Partial<HttpOptions> & { url: string }, context: Partial<RewardContext> = {}) {
  return createReward({ ...quick, ...options }, { configFile: "coppice.yaml", ...context });
}

const inputs = ["a", "bb", "ccc", "dddd", "eeeee"].map((candidate) => ({ source: "s", candidate }));

async function complaint(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

const byLength = ({ inputs }: { inputs: { candidate: string }[] }) => ({
  rewards: inputs.map(({ candidate }) => lengthReward(candidate)),
});

describe("what is sent and what comes back", () => {
  it("batches in order, and a plain list is as good", async () => {
    const server = await serve(({ inputs }, _, nth) => {
      const { rewards } = byLength({ inputs });
      return nth === 2 ? rewards : { rewards };
    });
    const reward = await http({ url: server.url });
    expect(await reward.score(inputs)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(server.asked.map(({ body }) => body)).toEqual([
      { inputs: inputs.slice(0, 2) },
      { inputs: inputs.slice(2, 4) },
      { inputs: inputs.slice(4) },
    ]);
    expect(reward.name).toBe(`http ${server.url}`);
  });

  it("the reference goes along only where it is asked for, and is then needed", async () => {
    const server = await serve(byLength);
    const [input] = [{ source: "s", candidate: "a", reference: "r" }];
    await (await http({ url: server.url })).score([input]);
    const knowing = await http({ url: server.url, needsReference: true });
    await knowing.score([input]);
    expect(server.asked.map(({ body }) => body.inputs[0]!.reference)).toEqual([undefined, "r"]);
    expect(await complaint(knowing.score(inputs))).toContain('source "s" has none');
  });

  it("alike inputs are asked for once", async () => {
    const server = await serve(byLength);
    const reward = await http({ url: server.url });
    expect(await reward.score([inputs[0]!, inputs[1]!, inputs[0]!])).toEqual([0.1, 0.2, 0.1]);
    expect(server.asked.flatMap(({ body }) => body.inputs)).toHaveLength(2);
  });

  it("so many requests are under way at once, and no more", async () => {
    const server = await serve(async (body) => {
      await sleep(20);
      return byLength(body);
    });
    const reward = await http({ url: server.url, batchSize: 1, concurrency: 3 });
    const many = Array.from({ length: 12 }, (_, i) => ({ source: "s", candidate: "x".repeat(i) }));
    expect(await reward.score(many)).toEqual(many.map(({ candidate }) => lengthReward(candidate)));
    expect(server.most).toBe(3);
  });
});

describe("a server in trouble", () => {
  it.each([408, 425, 429, 500, 503])("%d is tried again", async (status) => {
    const server = await serve((body, response, nth) => {
      if (nth < 3) response.statusCode = status;
      return nth < 3 ? "busy" : byLength(body);
    });
    expect(await (await http({ url: server.url })).score(inputs.slice(0, 2))).toEqual([0.1, 0.2]);
    expect(server.asked).toHaveLength(3);
  });

  it("a lost connection is tried again", async () => {
    const server = await serve((body, response, nth) => {
      if (nth === 1) response.destroy();
      else return byLength(body);
    });
    expect(await (await http({ url: server.url })).score(inputs.slice(0, 1))).toEqual([0.1]);
  });

  it("waits grow, and Retry-After makes them longer", async () => {
    const server = await serve((body, response, nth) => {
      if (nth < 3) response.statusCode = 429;
      if (nth === 2) response.setHeader("retry-after", "1");
      return nth < 3 ? "busy" : byLength(body);
    });
    await (await http({ url: server.url })).score(inputs.slice(0, 1));
    const [first, second, third] = server.asked.map(({ at }) => at);
    expect(second! - first!).toBeLessThan(third! - second!);
    expect(third! - second!).toBeGreaterThanOrEqual(995);
  });

  it("a wait that is too long to sit out is an error at once", async () => {
    const server = await serve((_, response) => {
      response.statusCode = 429;
      response.setHeader("retry-after", "3600");
      return "quota";
    });
    expect(await complaint((await http({ url: server.url })).score(inputs))).toMatch(
      /answered 429: "quota", and asks to wait 3600 seconds; see to the server and run the same command again/,
    );
    expect(server.asked).toHaveLength(1);
  });

  it("attempts end, with what the server said last", async () => {
    const server = await serve((_, response) => {
      response.statusCode = 503;
      return "loading";
    });
    const said = await complaint((await http({ url: server.url, retries: 2 })).score(inputs.slice(0, 1)));
    expect(said).toContain(`${server.url} answered 503: "loading" (after 3 attempts); see to the server`);
    expect(server.asked).toHaveLength(3);
  });

  it("a server that is slow, or stops in the middle of its answer, is told from one that is not there", async () => {
    const slow = await serve((_, response, nth) => {
      if (nth % 2 === 0) response.write("{");
    });
    expect(
      await complaint((await http({ url: slow.url, timeoutSeconds: 0.1, retries: 1 })).score(inputs)),
    ).toContain("did not answer within 0.1 seconds (after 2 attempts)");
    await slow.close();
    // The first attempt may find a connection that was kept and is now closed.
    expect(await complaint((await http({ url: slow.url, retries: 1 })).score(inputs))).toMatch(
      /could not be reached: .*ECONNREFUSED/,
    );
  });

  it.each([
    [400, "bad model", "answered 400: bad model; correct the address"],
    [200, "<html>", "answered with what is not JSON: <html>; check that this is the right address"],
    [
      200,
      '{"rewards": [1, NaN]}',
      'answered with NaN: {"rewards": [1, NaN]}; JSON has no such number, so mend what gave it',
    ],
    [200, "[-Infinity, 1]", "answered with -Infinity: "],
    [200, '{"scores": [1]}', "answered with an object without rewards"],
    [200, "null", "answered with null without rewards"],
    [200, "[1, 1, 1]", "returned 3 numbers for 2 inputs"],
    [200, "[1]", "returned 1 number for 2 inputs"],
    [200, '[1, "0.5"]', 'returned the text "0.5" for source "s", candidate "bb"'],
    [200, "[1, null]", "returned null for"],
    [200, "[1, 7]", "returned 7 for source"],
  ])("%d %s: %s, without another try", async (status, text, expected) => {
    const server = await serve((_, response) => {
      response.statusCode = status;
      response.end(text);
    });
    expect(await complaint((await http({ url: server.url })).score(inputs.slice(0, 2)))).toContain(expected);
    expect(server.asked).toHaveLength(1);
  });

  it("an answer without end is cut off", async () => {
    const server = await serve(async (_, response) => {
      const block = "x".repeat(2 ** 20);
      const closed = once(response, "close");
      while (!response.closed) if (!response.write(block)) await Promise.race([closed, sleep(1)]);
    });
    expect(await complaint((await http({ url: server.url })).score(inputs))).toContain(
      "with more than 16 MiB",
    );
  });

  it("a redirect is not followed, so that no header goes to another host", async () => {
    const other = await serve(byLength);
    const server = await serve((_, response) => {
      response.writeHead(307, { location: other.url });
      response.end();
    });
    expect(await complaint((await http({ url: server.url })).score(inputs))).toContain(
      `answered 307 and sends on to ${other.url}; redirects are not followed`,
    );
    expect(other.asked).toHaveLength(0);
  });

  it("being stopped ends requests and waits at once", async () => {
    for (const status of [200, 503]) {
      const stop = new AbortController();
      const server = await serve((_, response) => {
        response.statusCode = status;
        setTimeout(() => stop.abort(), 20);
        return status === 200 ? undefined : "down";
      });
      const began = performance.now();
      const reward = await http({ url: server.url, firstWaitSeconds: 30 }, { signal: stop.signal });
      await expect(reward.score(inputs)).rejects.toThrow(Interrupted);
      expect(performance.now() - began).toBeLessThan(2000);
    }
  });
});

describe("what is paid for", () => {
  it("is never asked for again, also of a batch that failed", async () => {
    const cache = ScoreCache.inMemory();
    let broken = true;
    const server = await serve(({ inputs }, response) => {
      // The second batch has a wrong number, the third fails.
      if (broken && inputs[0]!.candidate === "ccc") return [0.3, 2];
      if (broken && inputs[0]!.candidate === "eeeee") response.statusCode = 400;
      return byLength({ inputs });
    });
    const reward = await http({ url: server.url, concurrency: 3 }, { cache });
    expect(await complaint(reward.score(inputs))).toMatch(/returned 2 for|answered 400/);
    broken = false;
    const before = server.asked.length;
    expect(before).toBe(3);
    expect(await reward.score(inputs)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(
      server.asked.slice(before).map(({ body }) => body.inputs.map(({ candidate }) => candidate)),
    ).toEqual([["dddd", "eeeee"]]);
    await reward.score(inputs);
    expect(server.asked).toHaveLength(before + 1);
  });

  it("a request under way when another fails is waited for and kept", async () => {
    const cache = ScoreCache.inMemory();
    const server = await serve(async ({ inputs }, response) => {
      if (inputs[0]!.candidate === "a") {
        response.statusCode = 400;
        return "no";
      }
      await sleep(50);
      return byLength({ inputs });
    });
    const reward = await http({ url: server.url, concurrency: 2 }, { cache });
    await complaint(reward.score(inputs));
    expect(server.asked).toHaveLength(2);
    expect(await reward.score(inputs.slice(2, 4))).toEqual([0.3, 0.4]);
    expect(server.asked).toHaveLength(2);
  });

  it("by another address is another reward's", async () => {
    const cache = ScoreCache.inMemory();
    const server = await serve(byLength);
    await (await http({ url: server.url }, { cache })).score(inputs.slice(0, 1));
    await (await http({ url: `${server.url}?other` }, { cache })).score(inputs.slice(0, 1));
    await (await http({ url: server.url, needsReference: true }, { cache })).score([
      { ...inputs[0]!, reference: "r" },
    ]);
    expect(server.asked).toHaveLength(3);
  });
});

describe("secrets", () => {
  const variables = (values: Record<string, string>) => {
    Object.assign(process.env, values);
    onTestFinished(() => {
      for (const name of Object.keys(values)) delete process.env[name];
    });
  };

  it("come from the environment and are in no message, whatever the server says", async () => {
    variables({ TEST_KEY: "sk-12345", TEST_QUERY: "query-secret" });
    const server = await serve((_, response, nth) => {
      response.statusCode = nth === 1 ? 401 : 302;
      response.setHeader("location", "http://else.where/?key=query-secret");
      return "key sk-12345 of query-secret is wrong";
    });
    const address = {
      headers: { Authorization: `Bearer \${TEST_KEY}` },
      url: `${server.url}?key=\${TEST_QUERY}`,
    };
    const reward = await http(address);
    for (const expected of ['401: "key ••• of ••• is wrong"', "sends on to http://else.where/?key=•••"]) {
      const said = await complaint(reward.score(inputs));
      expect(said).toContain(expected);
      expect(said + reward.name).not.toMatch(/12345|query-secret/);
    }
    expect(server.asked[0]!.headers.authorization).toBe("Bearer sk-12345");
    expect(server.asked[0]!.url).toBe("/score?key=query-secret");
  });

  it("a variable at the start of the address is where the server is", async () => {
    const server = await serve(byLength);
    variables({ TEST_SERVER: server.url });
    const reward = await http({ url: `\${TEST_SERVER}` });
    expect(await reward.score(inputs.slice(0, 1))).toEqual([0.1]);
    await server.close();
    expect(await complaint(reward.score(inputs))).toContain(server.url);
  });

  it.each([
    [`\${TEST_MISSING}`, {}, "reward.url wants the environment variable TEST_MISSING, which is not set"],
    ["http://h", { A: `\${TEST_MISSING}` }, "reward.headers.A wants the environment variable TEST_MISSING"],
    [`\${TEST_LINES}`, {}, `reward.url, "\${TEST_LINES}", is not an address that starts with http://`],
    ["ftp://h", {}, 'reward.url, "ftp://h", is not an address that starts with http://'],
    ["http://me:pass@h", {}, "reward.url holds a user name or a password"],
    ["http://h", { A: `\${TEST_LINES}` }, "reward.headers.A cannot be sent"],
    ["http://h", { "A b": "c" }, "reward.headers.A b cannot be sent"],
  ])("%s %j: %s", async (url, headers, expected) => {
    variables({ TEST_LINES: "first\nsecond" });
    const said = await complaint(http({ url, headers }));
    expect(said).toContain(`coppice.yaml: ${expected}`);
    expect(said).not.toMatch(/first|second|pass@/);
  });
});

it("Retry-After holds seconds or a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(retryAfter("120", now)).toBe(120);
  expect(retryAfter("Thu, 01 Jan 2026 00:00:30 GMT", now)).toBe(30);
  expect(retryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now)).toBe(0);
  expect(retryAfter("soon", now)).toBeUndefined();
  expect(retryAfter(null, now)).toBeUndefined();
});
