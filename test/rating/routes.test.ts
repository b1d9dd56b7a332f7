/** Rating over HTTP: a sitting, what is never told, and attacks. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLog } from "../../src/rating/log.js";
import { ratingsFolder, storeRound } from "../../src/rating/round.js";
import { createRatingServer } from "../../src/web/rating-server.js";
import { createDashboard } from "../../src/web/server.js";
import { temporaryFolder, testRound } from "./rounds.js";

const HOST = { host: "127.0.0.1:4246" };

async function openServer(options: Parameters<typeof testRound>[0] = { items: 3, checks: 1 }) {
  const dir = temporaryFolder();
  const { createdAt: _, ...plan } = testRound(options);
  const round = await storeRound(dir, plan);
  const page = temporaryFolder();
  writeFileSync(join(page, "rate.html"), "<!doctype html><title>rate</title>");
  const app = createRatingServer({ place: { dir, round: round.id }, address: "127.0.0.1", page });
  const get = (path: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers: { ...HOST, ...headers } });
  const post = (path: string, content: unknown, headers: Record<string, string> = {}) => {
    const body = typeof content === "string" ? content : JSON.stringify(content);
    // As every client over a socket sends it: the guard goes by it.
    const length = { "content-length": String(Buffer.byteLength(body)) };
    return app.request(path, {
      method: "POST",
      headers: { ...HOST, "content-type": "application/json", ...length, ...headers },
      body,
    });
  };
  const log = () => readLog(ratingsFolder(dir).log).lines;
  return { dir, round, app, get, post, log };
}

test("a sitting: next, rate, skip, undo, to the end", async () => {
  const { round, get, post, log } = await openServer({ items: 2 });
  const at = await (await get("/api/ratings/next?rater=anna")).json();
  expect(at).toMatchObject({
    round: round.id,
    rater: "anna",
    next: { item: 0 },
    progress: { rated: 0, total: 2 },
  });
  const body = { round: round.id, rater: "anna" };
  const rated = await (
    await post("/api/ratings/rate", { ...body, item: 0, scores: [4, 2], comment: "hm" })
  ).json();
  expect(rated).toMatchObject({ next: { item: 1 }, progress: { rated: 1 } });
  const skipped = await (await post("/api/ratings/skip", { ...body, item: 1 })).json();
  expect(skipped).toMatchObject({ next: null, progress: { rated: 1, skipped: 1 } });
  expect(await (await post("/api/ratings/undo", body)).json()).toMatchObject({ next: { item: 1 } });
  expect(await (await get("/api/ratings/progress")).json()).toEqual({
    round: round.id,
    total: 2,
    raters: [{ name: "anna", progress: { rated: 1, skipped: 0, total: 2 } }],
  });
  expect(log().map(({ action }) => action)).toEqual(["rate", "skip", "undo"]);
});

test("the raters' server tells no policy, no reward and no results", async () => {
  const { round, get, post } = await openServer({ items: 6, checks: 3, repeats: 2 });
  const told: string[] = [];
  for (let item = 0; item < round.items.length; item++) {
    told.push(await (await get("/api/ratings/next?rater=anna")).text());
    told.push(await (await post("/api/ratings/skip", { round: round.id, rater: "anna", item })).text());
  }
  told.push(await (await get("/api/ratings/progress")).text());
  expect(told.join()).not.toMatch(/G0I0|G1I2|human|damaged|repeat|check|reward|writers/);
  for (const path of ["/api/ratings/results", "/api/runs", "/api/ratings", `/api/ratings/../${round.id}`])
    expect((await get(path)).status).toBe(404);
});

test("the dashboard gives the results of a run", async () => {
  const { dir, round, post } = await openServer({ items: 4 });
  await post("/api/ratings/rate", { round: round.id, rater: "anna", item: 0, scores: [1, 5] });
  mkdirSync(join(dir, "data"), { recursive: true });
  writeFileSync(join(dir, "manifest.json"), "{}");
  const { app, close } = createDashboard({ dir, address: "127.0.0.1" });
  const answer = await app.request("/api/ratings/results", { headers: HOST });
  const { scales, unreadable } = (await answer.json()) as {
    scales: { systems: { name: string }[] }[];
    unreadable: number;
  };
  expect(unreadable).toBe(0);
  expect(scales[0]!.systems.map(({ name }) => name).sort()).toEqual(["G0I0", "G1I2"]);
  await close();
});

test("bodies that are not what the page sends are refused with a sentence, and nothing is kept", async () => {
  const { round, post, log } = await openServer();
  const good = { round: round.id, rater: "anna", item: 0, scores: [1, 2] };
  const bad: unknown[] = [
    "",
    "{",
    "null",
    "[]",
    '"text"',
    {},
    { ...good, scores: "12" },
    { ...good, scores: [1] },
    { ...good, scores: [1, 2, 3] },
    { ...good, scores: [1, 9] },
    { ...good, scores: [1, null] },
    { ...good, scores: Array.from({ length: 101 }, () => 1) },
    { ...good, scores: { length: 2, 0: 1, 1: 2 } },
    { ...good, item: 400 },
    { ...good, item: -1 },
    { ...good, item: "0" },
    { ...good, item: "__proto__" },
    { ...good, rater: "" },
    { ...good, rater: " \u202e" },
    { ...good, rater: "x".repeat(300) },
    { ...good, rater: { name: "anna" } },
    { ...good, comment: "x".repeat(5000) },
    { ...good, comment: "x".repeat(2001) },
    { ...good, action: "undo" },
    '{"round":"x","__proto__":{"rater":"anna"},"item":0,"scores":[1,2]}',
  ];
  for (const body of bad) {
    const answer = await post("/api/ratings/rate", body);
    expect([body, answer.status]).toEqual([body, 400]);
    expect((await answer.json()) as object).toEqual({ error: expect.stringMatching(/\w+.*\.$/s) });
  }
  for (const path of ["skip", "undo"])
    expect((await post(`/api/ratings/${path}`, { rater: "anna" })).status).toBe(400);
  expect((await post("/api/ratings/rate", `{"comment":"${"x".repeat(70_000)}"}`)).status).toBe(413);
  expect(log()).toEqual([]);
});

test("a name may be anything that can be printed, and stays what it is", async () => {
  const { round, get, post, dir } = await openServer({ items: 1 });
  const rater = `"><img src=x onerror=alert(1)>'; ../../x\\`;
  await post("/api/ratings/rate", {
    round: round.id,
    rater,
    item: 0,
    scores: [1, 2],
    comment: "</script>\n{",
  });
  const [line] = readLog(ratingsFolder(dir).log).lines;
  expect(line).toMatchObject({ rater, comment: "</script>\n{" });
  expect(readFileSync(ratingsFolder(dir).log, "utf8").split("\n")).toHaveLength(2);
  const { rater: back } = (await (
    await get(`/api/ratings/next?rater=${encodeURIComponent(rater)}`)
  ).json()) as {
    rater: string;
  };
  expect(back).toBe(rater);
  expect((await get("/api/ratings/next")).status).toBe(400);
});

test("a page made for another round is told so, and what it sends is not kept", async () => {
  const { post, log } = await openServer();
  const answer = await post("/api/ratings/rate", {
    round: "0123456789ab",
    rater: "anna",
    item: 0,
    scores: [1, 2],
  });
  expect(answer.status).toBe(409);
  expect(log()).toEqual([]);
});

test("other sites, other names of this server and readers without the token are refused", async () => {
  const { dir, round, get, post, log } = await openServer();
  const body = { round: round.id, rater: "anna", item: 0, scores: [1, 2] };
  expect((await post("/api/ratings/rate", body, { origin: "http://evil.example" })).status).toBe(403);
  expect((await post("/api/ratings/rate", body, { host: "evil.example" })).status).toBe(403);
  expect((await get("/api/ratings/next?rater=anna", { "sec-fetch-site": "cross-site" })).status).toBe(403);
  expect(log()).toEqual([]);
  const guarded = createRatingServer({
    place: { dir, round: round.id },
    address: "127.0.0.1",
    token: "secret",
  });
  expect((await guarded.request("/api/ratings/next?rater=anna", { headers: HOST })).status).toBe(401);
});

test("answers may run nothing and are not stored by the browser", async () => {
  const { get } = await openServer();
  const page = await get("/");
  expect(await page.text()).toContain("<title>rate</title>");
  const policy = page.headers.get("content-security-policy")!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("unsafe");
  expect((await get("/api/ratings/progress")).headers.get("cache-control")).toBe("no-store");
});
