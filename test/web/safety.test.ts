import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SourcePage } from "../../src/store/browse.js";
import { Manifest } from "../../src/store/manifest.js";
import type { RunState } from "../../src/web/protocol.js";
import { type OpenDashboard, openDashboard } from "./asking.js";
import { finishedRun, newFolder, writeCandidates } from "./run-folders.js";

const SECRET = "the-secret-outside";

/** Texts that act where they are not taken as text. */
const HOSTILE = [
  "<img src=x onerror=alert(1)>",
  "</script><script>alert(1)</script>",
  "\u202eevil\u2066 \u0000\u001b[31m",
  "javascript:alert(1)",
  '=HYPERLINK("http://evil")',
  "'; DROP TABLE candidates; --",
];

let outer: string;
let run: string;
let dashboard: OpenDashboard;
const paths = [
  "/",
  "/api/runs",
  "/api/run",
  "/api/run/figures",
  "/api/candidates/grows",
  "/api/candidates/kept?grow=1",
  "/api/candidates/list?grow=1",
  "/api/candidates/list?grow=1&search=a",
  "/api/candidates/source?grow=1&source=1",
];

beforeAll(async () => {
  run = await finishedRun();
  outer = newFolder();
  writeFileSync(join(outer, "secret.txt"), SECRET);
  dashboard = await openDashboard(run);
});
afterAll(async () => {
  await dashboard.close();
  for (const folder of [run, outer]) rmSync(folder, { recursive: true });
});

describe("who may ask", () => {
  it("answers a person's own browser", async () => {
    for (const path of paths.slice(1)) {
      const { status, text } = await dashboard.ask(path, {
        headers: { origin: `http://127.0.0.1:${dashboard.port}`, "sec-fetch-site": "same-origin" },
      });
      expect({ path, status, text: status === 200 ? "" : text }).toEqual({ path, status: 200, text: "" });
    }
  });

  it("refuses a name that another site may have pointed here, on every route and on streams", async () => {
    for (const path of [...paths, "/api/run/events", "/assets/x.js", "/nothing"])
      for (const host of ["evil.example", `evil.example:${dashboard.port}`, "127.0.0.1.evil.example"]) {
        const { status, text } = await dashboard.ask(path, { headers: { host } });
        expect({ path, host, status }).toEqual({ path, host, status: 403 });
        expect(text).not.toContain("coppice");
      }
  });

  it("refuses what another site asks, on every route and on streams", async () => {
    for (const path of [...paths, "/api/run/events"])
      for (const headers of [
        { origin: "http://evil.example" },
        { origin: "null" },
        { origin: `https://127.0.0.1:${dashboard.port}` },
        { origin: "http://127.0.0.1:1" },
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
        { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
      ])
        expect(
          (await dashboard.ask(path, { headers: { ...headers } as Record<string, string> })).status,
        ).toBe(403);
  });

  it("asks for the token where other machines reach it, on every route and on streams", async () => {
    const open = await openDashboard(run, { address: "0.0.0.0", token: "right" });
    try {
      for (const path of [...paths, "/api/run/events"]) {
        expect((await open.ask(path)).status).toBe(401);
        expect((await open.ask(path, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
        expect((await open.ask(path, { headers: { cookie: "coppice-token=wrong" } })).status).toBe(401);
      }
      const given = await open.ask("/?token=right");
      expect(given.status).toBe(303);
      expect(given.headers.location).toBe("/");
      const [cookie] = given.headers["set-cookie"] ?? [];
      expect(cookie).toMatch(/^coppice-token=right;.*HttpOnly.*SameSite=Strict/);
      const asked = await open.ask("/api/run", { headers: { cookie: cookie!.split(";")[0]! } });
      expect(asked.status).toBe(200);
    } finally {
      await open.close();
    }
  });
});

describe("what answers carry", () => {
  it("lets a page run nothing and load nothing but the server's own", async () => {
    for (const path of [...paths, "/nothing"]) {
      const { headers } = await dashboard.ask(path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("style-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["x-frame-options"]).toBe("DENY");
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
  });

  it("says what comes from a run as JSON only, so that no browser takes it for a page", async () => {
    for (const path of paths.slice(1))
      expect((await dashboard.ask(path)).headers["content-type"]).toMatch(/^application\/json/);
  });

  it("hands hostile texts over as the very text, and finds them by themselves", async () => {
    const dir = newFolder();
    try {
      cpSync(run, dir, { recursive: true });
      const { runId } = (await Manifest.read(dir))!;
      await writeCandidates(join(dir, "grow-1"), runId, HOSTILE);
      const open = await openDashboard(dir);
      try {
        for (const [id, text] of HOSTILE.entries()) {
          const page = await open.json<SourcePage>(`/api/candidates/source?grow=1&source=${id}`);
          // DuckDB ends no text at a zero.
          expect(page.source).toBe(text);
          expect(page.candidates).toHaveLength(3);
          const found = await open.json<{ rows: { sourceId: number }[] }>(
            `/api/candidates/list?grow=1&search=${encodeURIComponent(text)}`,
          );
          expect(new Set(found.rows.map(({ sourceId }) => sourceId))).toEqual(new Set([id]));
        }
      } finally {
        await open.close();
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe("paths from outside", () => {
  const ways = (to: string) => [
    `/../${to}`,
    `/..%2f${to}`,
    `/%2e%2e/${to}`,
    `/assets/../../../../${to}`,
    `/assets/..%2f..%2f..%2f..%2f${encodeURIComponent(to)}`,
    `/assets/%2e%2e%5c${to}`,
    `/assets/${encodeURIComponent(`../../../../../../../../${to}`)}`,
    `/assets//${to}`,
    `/assets/${to}%00.js`,
    `/api/run?run=${encodeURIComponent(`../${to}`)}`,
    `/api/run?run=${encodeURIComponent(to)}`,
    `/api/candidates/kept?grow=1&run=${encodeURIComponent("..")}`,
    `/api/candidates/kept?grow=${encodeURIComponent(`../../${to}`)}`,
    `/api/candidates/kept?grow=1%00`,
  ];

  it("lead to nothing", async () => {
    for (const to of [join(outer, "secret.txt").slice(1), "etc/passwd", "package.json"])
      for (const way of ways(to)) {
        const { status, text } = await dashboard.ask(way);
        expect({ way, status }).toEqual({ way, status: status === 400 ? 400 : 404 });
        expect(text).not.toMatch(new RegExp(`${SECRET}|root:|devDependencies`));
      }
  });

  it("follow no link out of the run's folder", async () => {
    for (const name of [
      "manifest.json",
      "coppice.resolved.yaml",
      "summary.json",
      "live.json",
      "metrics.jsonl",
    ]) {
      const dir = newFolder();
      cpSync(run, dir, { recursive: true });
      writeFileSync(join(outer, name), readFileSync(join(run, "manifest.json")));
      rmSync(join(dir, name), { force: true });
      symlinkSync(join(outer, name), join(dir, name));
      const open = await openDashboard(dir);
      for (const path of ["/api/run", "/api/run/figures"]) {
        const { status, text } = await open.ask(path);
        expect({ name, path, status }).toEqual({ name, path, status: 404 });
        expect(text).not.toContain("runId");
      }
      await open.close();
      rmSync(dir, { recursive: true });
    }
  });

  it("follow no linked evaluation, no linked candidates and no linked Grow folder", async () => {
    const dir = newFolder();
    cpSync(run, dir, { recursive: true });
    for (const name of ["evaluation", "grow-1"]) {
      cpSync(join(run, name), join(outer, name), { recursive: true });
      rmSync(join(dir, name), { recursive: true });
      symlinkSync(join(outer, name), join(dir, name));
    }
    // Without the summary figures are gathered from the evaluations.
    rmSync(join(dir, "summary.json"));
    const open = await openDashboard(dir);
    try {
      expect((await open.ask("/api/run/figures")).status).toBe(404);
      expect((await open.ask("/api/candidates/kept?grow=1")).status).toBe(404);
      rmSync(join(dir, "grow-1"));
      mkdirSync(join(dir, "grow-1"));
      symlinkSync(join(outer, "grow-1/candidates.parquet"), join(dir, "grow-1/candidates.parquet"));
      expect((await open.ask("/api/candidates/kept?grow=1")).status).toBe(404);
    } finally {
      await open.close();
      rmSync(dir, { recursive: true });
    }
  });

  it("finds no run behind a link", async () => {
    const dir = newFolder();
    symlinkSync(run, join(dir, "linked"));
    const open = await openDashboard(dir);
    try {
      expect(await open.json("/api/runs")).toEqual({ dir, runs: [] });
      expect((await open.ask("/api/run?run=linked")).status).toBe(404);
    } finally {
      await open.close();
      rmSync(dir, { recursive: true });
    }
  });
});

describe("limits", () => {
  it("refuses a body that is too long before it is read", async () => {
    const { status } = await dashboard.ask("/api/run", { method: "POST", body: "x".repeat(2 * 1024 * 1024) });
    expect(status).toBe(413);
  });

  it("refuses a body whose length is not said", async () => {
    const headers = { "transfer-encoding": "chunked" };
    const { status } = await dashboard.ask("/api/run", { method: "POST", headers, body: "x" });
    expect(status).toBe(411);
  });

  it("refuses values that are too long, too many or of another kind, with a sentence", async () => {
    for (const query of [
      `grow=1&search=${"x".repeat(201)}`,
      `grow=1&after=${"x".repeat(1001)}`,
      "grow=1&after={}",
      "grow=1&after=not-json",
      'grow=1&after={"value":"1 OR 1=1","sourceId":1,"sampleId":1}',
      "grow=1&sort=reward;DROP",
      "grow=1&minReward=2",
      "grow=1&minReward=NaN",
      "grow=1&minCharacters=-1",
      "grow=1&minCharacters=1e9",
      "grow=0",
      "grow=1.5",
      "grow=99999999999999999999",
      "",
    ]) {
      const { status, text } = await dashboard.ask(encodeURI(`/api/candidates/list?${query}`));
      expect({ query, status }).toEqual({ query, status: 400 });
      expect(JSON.parse(text).error).toMatch(/\.$/);
      expect(text).not.toContain("    at ");
    }
  });

  it("refuses an address that is too long", async () => {
    const { status } = await dashboard.ask(`/api/run?run=${"x".repeat(60_000)}`);
    expect([400, 414, 431]).toContain(status);
  });
});

describe("writing", () => {
  it("does none: after every route the run's files are as they were", async () => {
    const facts = () =>
      readdirSync(run, { recursive: true, encoding: "utf8" })
        .sort()
        .map((name) => {
          const { size, mtimeMs, ctimeMs, ino } = statSync(join(run, name));
          return { name, size, mtimeMs, ctimeMs, ino };
        });
    const before = facts();
    for (const path of paths) await dashboard.ask(path);
    expect(facts()).toEqual(before);
  });

  it("has no route that takes anything but a question", async () => {
    const before = (await dashboard.json<RunState>("/api/run")).version;
    for (const path of paths)
      for (const method of ["POST", "PUT", "DELETE", "PATCH"])
        expect((await dashboard.ask(path, { method })).status).toBe(404);
    expect((await dashboard.json<RunState>("/api/run")).version).toBe(before);
  });
});
