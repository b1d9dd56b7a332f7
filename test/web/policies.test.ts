/** The routes of the page that sets policies side by side. */

import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Interrupted, UserError } from "../../src/errors.js";
import { policiesRoute } from "../../src/web/routes/policies.js";
import { createDashboard, type Dashboard } from "../../src/web/server.js";
import type { TypedRequest } from "../../src/web/typed-translator.js";
import type {
  PoliciesView,
  SourcesView,
  SourceView,
  TypedLine,
  TypedTranslation,
} from "../../src/web/views.js";
import { ask, post, refusal, request } from "./in-process.js";
import { CHRF, HOSTILE, JUDGE, POLICIES, temporaryFolder, writeRun } from "./made-run.js";

/** Stands for a run's policies: says what it was asked, waits where it is told to. */
class FakeTranslator {
  readonly asked: TypedRequest[] = [];
  opened = 0;
  closed = 0;
  working = 0;
  most = 0;
  answer = async (request: TypedRequest): Promise<TypedTranslation> => ({
    policy: request.policy,
    greedy: { text: `${request.policy} of ${request.text}`, reward: 0.5, finished: true },
    samples: [],
  });

  open = async () => {
    this.opened++;
    return {
      translate: async (request: TypedRequest) => {
        this.asked.push(request);
        this.working++;
        this.most = Math.max(this.most, this.working);
        try {
          return await this.answer(request);
        } finally {
          this.working--;
        }
      },
      close: async () => {
        this.closed++;
      },
    };
  };
}

/** A busy machine takes its time. */
const PATIENT = { timeout: 30_000 };

const folder = temporaryFolder();
let fake: FakeTranslator;
let dashboard: Dashboard;

beforeAll(() => writeRun(folder.dir));
afterAll(() => folder.remove());
beforeEach(() => {
  fake = new FakeTranslator();
  dashboard = createDashboard({ dir: folder.dir, address: "127.0.0.1", parts: [policiesRoute(fake.open)] });
});
afterEach(() => dashboard.close());

async function linesOf(response: Response): Promise<TypedLine[]> {
  expect(response.status).toBe(200);
  return (await response.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as TypedLine);
}

const translate = (body: unknown, signal?: AbortSignal) =>
  post(dashboard, "/api/policies/translate", body, signal);

describe("evaluated sources", () => {
  test("policies come with their figures, BC first and the control behind its counterpart", async () => {
    const view = await ask<PoliciesView>(dashboard, "/api/policies");
    expect(view.policies.map(({ name, control }) => [name, control])).toEqual([
      ["G0I0", false],
      ["G1I1", false],
      ["G1I1-random", true],
    ]);
    expect(view.policies[1]!.reward).toEqual({
      value: 0.58,
      low: expect.closeTo(0.56, 12),
      high: expect.closeTo(0.6, 12),
    });
    expect(view.sources).toBe(3);
    expect(view.trained).toEqual(["G0I0", "G1I1", "G1I1-random"]);
  });

  test("a source comes with every policy's translation, its reward and sentence chrF", async () => {
    const view = await ask<SourceView>(dashboard, "/api/policies/source?id=0");
    expect(view).toMatchObject({ id: 0, source: "Quelle eins", reference: "ab" });
    expect(view.translations.map(({ policy }) => policy)).toEqual(["G0I0", "G1I1", "G1I1-random"]);
    for (const { policy, text, reward, chrf } of view.translations) {
      expect([text, reward]).toEqual(POLICIES[policy]!.translations[0]);
      expect(chrf).toBeCloseTo(CHRF[text]!, 9);
    }
  });

  test("a judge's figures and scores come with them, and a sentence where it falls while the reward rises", async () => {
    expect((await ask<PoliciesView>(dashboard, "/api/policies")).warnings).toEqual([]);
    const other = temporaryFolder();
    writeRun(other.dir, { judged: true });
    const own = createDashboard({
      dir: other.dir,
      address: "127.0.0.1",
      parts: [policiesRoute(fake.open)],
    });
    const { policies, warnings } = await ask<PoliciesView>(own, "/api/policies");
    expect(policies[1]!.judge).toMatchObject({ name: JUDGE, mean: { value: 0.6 } });
    expect(warnings).toEqual([
      { policy: "G1I1", text: expect.stringContaining(`while the judge ${JUDGE} fell (70.0 → 60.0)`) },
    ]);
    const { translations } = await ask<SourceView>(own, "/api/policies/source?id=2");
    expect(translations.map(({ judge }) => judge)).toEqual(
      [0.7, 0.6, 0.69].map((mean) => expect.closeTo(mean)),
    );
    await own.close();
    other.remove();
  });

  test("texts come as they are: what would be markup is data", async () => {
    const view = await ask<SourceView>(dashboard, "/api/policies/source?id=1");
    expect(view.source).toBe(HOSTILE);
    const response = await request(dashboard, "/api/policies/source?id=1");
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("a search finds words of source or reference, whatever their case", async () => {
    const find = async (search: string) =>
      (
        await ask<SourcesView>(dashboard, `/api/policies/sources?search=${encodeURIComponent(search)}`)
      ).rows.map(({ id }) => id);
    expect(await find("QUELLE")).toEqual([0, 1]);
    expect(await find("satz")).toEqual([2]);
    expect(await find("AB")).toEqual([0, 1, 2]);
    expect(await find("onerror=")).toEqual([1]);
    expect(await find("%")).toEqual([]);
  });

  test("sources can be ordered by what the last policy's reward is above the first one's", async () => {
    // G1I1 minus BC: 0.8 − 0.2, 0.6 − 0.9, 0.55 − 0.5. The control is not the last policy.
    const order = async (by: string) =>
      (await ask<SourcesView>(dashboard, `/api/policies/sources?order=${by}`)).rows.map(({ id }) => id);
    expect(await order("corpus")).toEqual([0, 1, 2]);
    expect(await order("gain")).toEqual([0, 2, 1]);
    expect(await order("loss")).toEqual([1, 2, 0]);
    const { first, last, rows } = await ask<SourcesView>(dashboard, "/api/policies/sources");
    expect([first, last, rows[0]!.first, rows[0]!.last]).toEqual(["G0I0", "G1I1", 0.2, 0.8]);
  });

  test.each([
    ["sources?order=sideways", 400, /order/],
    ["sources?from=-1", 400, /from/],
    ["sources?from=1e3", 400, /from/],
    ["source", 400, /id/],
    ["source?id=../../etc/passwd", 400, /id/],
    ["source?id=3", 404, /3/],
    ["source?id=0&run=../other", 404, /no run of that name/],
  ])("%s is refused with %i and a sentence", async (path, status, words) => {
    const found = await refusal(await request(dashboard, `/api/policies/${path}`));
    expect(found.status).toBe(status);
    expect(found.error).toMatch(words);
  });
});

describe("what is not whole", () => {
  const other = temporaryFolder();
  let broken: Dashboard;
  beforeEach(() => {
    rmSync(other.dir, { recursive: true, force: true });
    writeRun(other.dir);
    broken = createDashboard({ dir: other.dir, address: "127.0.0.1", parts: [policiesRoute(fake.open)] });
  });
  afterEach(() => broken.close());
  afterAll(() => other.remove());

  test("a run with nothing evaluated has no policies to show, and says so of its sources", async () => {
    writeRun(other.dir, { evaluated: [] });
    expect(await ask<PoliciesView>(broken, "/api/policies")).toMatchObject({
      policies: [],
      trained: ["G0I0"],
    });
    expect(await refusal(await request(broken, "/api/policies/sources"))).toEqual({
      status: 404,
      error: "No policy of this run has been evaluated yet.",
    });
  });

  test("a policy that is evaluated while the page is open appears", async () => {
    writeRun(other.dir, { evaluated: ["G0I0"] });
    expect((await ask<PoliciesView>(broken, "/api/policies")).policies).toHaveLength(1);
    writeRun(other.dir);
    expect((await ask<PoliciesView>(broken, "/api/policies")).policies).toHaveLength(3);
  });

  test("a damaged evaluation is named with its key, and is read again when it is mended", async () => {
    const file = join(other.dir, "evaluation/G1I1.json");
    writeFileSync(file, '{"summary": {}}');
    const found = await refusal(await request(broken, "/api/policies"));
    expect(found.status).toBe(400);
    expect(found.error).toContain(file);
    expect(found.error).toContain("summary.reward");
    writeRun(other.dir);
    expect((await ask<PoliciesView>(broken, "/api/policies")).policies).toHaveLength(3);
  });

  test("an evaluation that is a link out of the folder is not read", async () => {
    const secret = join(folder.dir, "evaluation/G0I0.json");
    rmSync(join(other.dir, "evaluation/G1I1.json"));
    symlinkSync(secret, join(other.dir, "evaluation/G1I1.json"));
    const found = await refusal(await request(broken, "/api/policies"));
    expect(found.status).toBe(400);
    expect(found.error).toMatch(/evaluation\/G1I1\.json.*missing/);
  });
});

describe("a typed sentence", () => {
  test("every policy answers in a line of its own, then the end", async () => {
    const lines = await linesOf(await translate({ text: " ein  Satz\n", bestOf: 4, temperature: 0.7 }));
    expect(lines.map((line) => (line.kind === "policy" ? line.policy : line.kind))).toEqual([
      "G0I0",
      "G1I1",
      "G1I1-random",
      "end",
    ]);
    expect(lines[0]).toMatchObject({ greedy: { text: "G0I0 of ein Satz", reward: 0.5 } });
    expect(fake.asked[0]).toMatchObject({ text: "ein Satz", bestOf: 4, temperature: 0.7 });
  });

  test("lines come as policies are done, not at the end", async () => {
    let go = () => {};
    const second = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { answer } = fake;
    fake.answer = async (asked) => {
      if (asked.policy !== "G0I0") await second;
      return answer(asked);
    };
    const response = await translate({ text: "Satz" });
    const reader = response.body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    expect(JSON.parse(first)).toMatchObject({ kind: "policy", policy: "G0I0" });
    expect(fake.asked.length).toBeLessThan(3);
    go();
    while (!(await reader.read()).done);
  });

  test("only the policies that were asked for translate", async () => {
    const lines = await linesOf(await translate({ text: "Satz", policies: ["G1I1"] }));
    expect(lines.map(({ kind }) => kind)).toEqual(["policy", "end"]);
    expect(fake.asked.map(({ policy }) => policy)).toEqual(["G1I1"]);
  });

  test.each([
    ["not JSON", "{text", /JSON/],
    ["a list", [], /the body/],
    ["no text", {}, /text/],
    ["white space", { text: " \n" }, /no text/],
    ["a text of 1,001 characters", { text: "ä".repeat(1001) }, /1001 characters.*1000/],
    ["65 samples", { text: "a", bestOf: 65 }, /bestOf/],
    ["half a sample", { text: "a", bestOf: 1.5 }, /bestOf/],
    ["a temperature of 0", { text: "a", temperature: 0 }, /temperature/],
    ["a temperature of 3", { text: "a", temperature: 3 }, /temperature/],
    ["a policy that is a path", { text: "a", policies: ["../G0I0"] }, /no policy/],
    ["no policies", { text: "a", policies: [] }, /policies/],
    ["an unknown key", { text: "a", beam: 3 }, /beam/],
  ])("%s is refused before anything is translated", async (_, body, words) => {
    const found = await refusal(await translate(body));
    expect(found.status).toBe(400);
    expect(found.error).toMatch(words);
    expect(fake.opened).toBe(0);
  });

  test("a thousand characters of two code units each are not too many", async () => {
    expect((await linesOf(await translate({ text: "𝄞".repeat(1000), policies: ["G0I0"] }))).at(-1)).toEqual({
      kind: "end",
    });
  });

  test("one sentence is translated at a time, three wait and are told so, a fifth is refused", async () => {
    let go = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { answer } = fake;
    fake.answer = async (asked) => {
      await held;
      return answer(asked);
    };
    const first = translate({ text: "1" });
    await expect.poll(() => fake.working, PATIENT).toBe(1);
    const waiting = [];
    for (const text of ["2", "3", "4"]) {
      waiting.push(await translate({ text }));
      // In line before the next comes.
      await new Promise(setImmediate);
    }
    const refused = await translate({ text: "5" });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await refusal(refused)).error).toMatch(/Try again/);
    go();
    const all = await Promise.all([first, ...waiting].map(async (each) => linesOf(await each)));
    expect(all.map((lines) => lines[0])).toEqual([
      expect.objectContaining({ kind: "policy" }),
      { kind: "waiting", ahead: 1 },
      { kind: "waiting", ahead: 2 },
      { kind: "waiting", ahead: 3 },
    ]);
    expect(all.map((lines) => lines.at(-1)!.kind)).toEqual(["end", "end", "end", "end"]);
    expect(fake.most).toBe(1);
    expect(fake.opened).toBe(1);
  });

  test("a reader who leaves stops the work and frees the turn", async () => {
    fake.answer = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Interrupted())));
    const response = await translate({ text: "1" });
    await expect.poll(() => fake.working, PATIENT).toBe(1);
    await response.body!.cancel();
    await expect.poll(() => fake.working, PATIENT).toBe(0);
    fake.answer = new FakeTranslator().answer;
    expect((await linesOf(await translate({ text: "2" }))).at(-1)).toEqual({ kind: "end" });
  });

  test("a failure that the reader can mend is said, any other keeps its words to itself; both free the turn", async () => {
    fake.answer = async () => {
      throw new UserError("the text is too long. Shorten it.");
    };
    expect(await linesOf(await translate({ text: "1" }))).toEqual([
      { kind: "failed", error: "the text is too long. Shorten it." },
    ]);
    fake.answer = async () => {
      throw new Error("secret of the machine");
    };
    const terminal = vi.spyOn(console, "error").mockImplementation(() => {});
    const [line] = await linesOf(await translate({ text: "2" }));
    expect(terminal).toHaveBeenCalledOnce();
    terminal.mockRestore();
    expect(line).toMatchObject({ kind: "failed" });
    expect(JSON.stringify(line)).not.toContain("secret");
    expect(fake.closed).toBe(2);
    fake.answer = new FakeTranslator().answer;
    expect((await linesOf(await translate({ text: "3" }))).at(-1)).toEqual({ kind: "end" });
  });

  test("closing the dashboard stops the work and gives the models back", async () => {
    fake.answer = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Interrupted())));
    const response = await translate({ text: "1" });
    await expect.poll(() => fake.working, PATIENT).toBe(1);
    await dashboard.close();
    expect(await response.text()).toBe("");
    expect(fake.closed).toBe(1);
  });
});
