/** Attacks on every route: another site's name, another site's page, a long body, no token. */

import { type IncomingHttpHeaders, request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Serving, serve } from "../../src/serve/server.js";
import { finishedRun, removeRun } from "./served.js";

let dir: string;
let open: Serving;
let guarded: Serving;
const TOKEN = "correct horse";

const chat = JSON.stringify({ messages: [{ role: "user", content: "1 2" }] });
const routes: [method: string, path: string, body?: string][] = [
  ["GET", "/v1/models"],
  ["GET", "/v1/models/G1I2"],
  ["POST", "/v1/chat/completions", chat],
  ["POST", "/v1/chat/completions", chat.replace("{", '{"stream":true,')],
  ["POST", "/v1/completions", '{"prompt":"1 2"}'],
  ["POST", "/translate", '{"sources":["1 2"]}'],
  ["GET", "/healthz"],
  ["GET", "/readyz"],
  ["GET", "/metrics"],
  ["GET", "/nowhere"],
];

beforeAll(async () => {
  dir = await finishedRun();
  const settings = {
    dir,
    bestOf: 1,
    port: 0,
    queue: 8,
    onError: (error: unknown) => {
      throw error;
    },
  };
  open = await serve({ ...settings, host: "127.0.0.1", maxBody: 2000 });
  // Listens on loopback too, but what it is told of its address is what it guards by.
  guarded = await serve({ ...settings, host: "0.0.0.0", token: TOKEN });
});
afterAll(async () => {
  await open.close(1000);
  await guarded.close(1000);
  removeRun(dir);
});

/** As a browser or a program would not: any header may be set. */
function send(
  server: Serving,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { method, headers }, (response) => {
      let text = "";
      response.on("data", (bytes) => {
        text += bytes;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const OWN = { Authorization: `Bearer ${TOKEN}` };

describe.each(routes)("%s %s", (method, path, body) => {
  test("answers whom it should", async () => {
    const { status, headers } = await send(open, method, path, {}, body);
    expect(status).toBe(path === "/nowhere" ? 404 : 200);
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("refuses a name that was pointed here, as DNS rebinding does", async () => {
    for (const host of [
      "evil.example",
      "evil.example:80",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
    ]) {
      const { status, body: said } = await send(open, method, path, { Host: host }, body);
      expect([host, status]).toEqual([host, 403]);
      expect(JSON.parse(said).error.type).toBe("permission_error");
    }
  });

  test("refuses a page of another site, another port of this machine included", async () => {
    const other = new URL(open.url);
    other.port = String(Number(other.port) + 1);
    for (const headers of [
      { Origin: "https://evil.example" },
      { Origin: "null" },
      { Origin: other.origin },
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
    ])
      expect([headers, (await send(open, method, path, headers, body)).status]).toEqual([headers, 403]);
  });

  test("asks for the token where others reach it, and takes no wrong one", async () => {
    for (const headers of [{}, { Authorization: "Bearer wrong" }, { Authorization: TOKEN }]) {
      const { status, body: said } = await send(guarded, method, path, headers, body);
      expect([headers, status]).toEqual([headers, 401]);
      expect(JSON.parse(said).error.type).toBe("authentication_error");
      expect(said).not.toContain(TOKEN);
    }
    expect((await send(guarded, method, path, OWN, body)).status).toBe(path === "/nowhere" ? 404 : 200);
  });
});

test.each(routes.filter(([method]) => method === "POST"))(
  "%s %s refuses a body that is too long, said or not",
  async (method, path) => {
    const long = JSON.stringify({ prompt: "1".repeat(3000) });
    const answers = [
      {
        headers: { "Content-Length": String(long.length) },
        refused: [413, "The body is longer than 2000 bytes: send it in parts."],
      },
      {
        headers: { "Transfer-Encoding": "chunked" },
        refused: [411, "Send the body in one piece, with its Content-Length."],
      },
    ];
    for (const { headers, refused } of answers) {
      const { status, body } = await send(open, method, path, headers, long);
      expect([status, JSON.parse(body).error.message]).toEqual(refused);
    }
  },
);

test("the metrics name no path that a caller made up", async () => {
  await send(open, "GET", "/made-up-by-a-caller", {});
  const { body } = await send(open, "GET", "/metrics", {});
  expect(body).toContain('route="other",status="404"');
  expect(body).not.toContain("made-up");
});

test.each(["../../etc/passwd", "G1I2/../../..", "..%2f..%2fetc", "G1I2\u0000", "constructor"])(
  "a policy named %j leads nowhere",
  async (name) => {
    const { status, body } = await send(
      open,
      "POST",
      "/v1/completions",
      {},
      JSON.stringify({ prompt: "1", model: name }),
    );
    expect(status).toBe(404);
    expect(JSON.parse(body).error.code).toBe("model_not_found");
  },
);
