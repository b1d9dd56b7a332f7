/** A whole run whose policies are behind a server and are trained by a command: a toy of both. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { exportPolicy } from "../../src/cli/export.js";
import { runStatus, statusText } from "../../src/cli/status.js";
import { toyPairs } from "../../src/data/toy.js";
import { Interrupted, UserError } from "../../src/errors.js";
import { type ConfigInput, renderConfig, resolveConfig } from "../../src/rest/config.js";
import { silent } from "../../src/rest/reporter.js";
import { runAll } from "../../src/rest/run.js";
import { runSingle } from "../../src/rest/single.js";
import { CandidateStore } from "../../src/store/candidate-store.js";
import { Manifest } from "../../src/store/manifest.js";
import { readMetrics } from "../../src/store/metrics.js";
import { choices, type FakeServer, fakeServer, type Says, toyAnswers } from "../policy/server/fake-server.js";

const answering: Says = (asked) => choices(asked.path, toyAnswers(asked));

/** Trains nothing: the model after `toy-0` is called `toy-1`. It copies its file, and counts how often it was called. */
const trainer = `
import { appendFileSync, copyFileSync } from "node:fs";
const [train, model, out, policy, seed] = process.argv.slice(2);
appendFileSync("calls.txt", policy + " from " + model + "\\n");
copyFileSync(train, policy + ".jsonl");
console.error("loss goes down");
const next = Number(/\\d+/.exec(model)[0]) + 1;
console.log(JSON.stringify({ model: "toy-" + next, steps: 7, tokens: 100, loss: 0.5 }));
`;

interface Toy {
  dir: string;
  /** What the trainer was called for, in order. */
  calls(): string[];
}

function toyRun(server: { url: string }, over: ConfigInput = {}, script = trainer): Toy {
  const dir = mkdtempSync(join(tmpdir(), "coppice-served-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const lines = toyPairs({ pairs: 60, seed: 1, maxLength: 5 }).map(
    ({ source, target }) => `${source}\t${target}\n`,
  );
  writeFileSync(join(dir, "pairs.tsv"), lines.join(""));
  writeFileSync(join(dir, "trainer.mjs"), script);
  configure(dir, server, over);
  return {
    dir,
    calls: () => {
      const file = join(dir, "calls.txt");
      return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    },
  };
}

function configure(dir: string, server: { url: string }, over: ConfigInput = {}): void {
  const { policy, improve, ...rest } = over;
  const config = resolveConfig({
    data: { train: ["pairs.tsv"], validationSize: 8, testSize: 8 },
    policy: { kind: "server", url: server.url, model: "toy-0", retries: 0, concurrency: 4, ...policy },
    reward: { kind: "places" },
    grow: { samples: 4, maxTokens: 16 },
    improve: {
      thresholds: { kind: "absolute", values: [0.5, 0.9] },
      trainer: {
        command: [process.execPath, "trainer.mjs", "{train}", "{model}", "{out}", "{policy}", "{seed}"],
        layout: "completion",
      },
      control: false,
      ...improve,
    },
    evaluate: { samples: 4, bestOfN: [1, 2, 4], bestOfNSamples: 4, examples: 2 },
    ...rest,
  } as ConfigInput);
  writeFileSync(join(dir, "coppice.yaml"), renderConfig(config));
}

const samplesAsked = ({ asked }: FakeServer) => asked.reduce((sum, { n = 1 }) => sum + n, 0);

test("Algorithm 1 runs with a server and a trainer, and tells what it cost", async () => {
  const server = await fakeServer(answering);
  const { dir, calls } = toyRun(server, { policy: { price: { input: 1, output: 10 } } as never });
  const summary = await runAll({ dir });
  expect(summary.policies.map(({ name }) => name)).toEqual(["G0I0", "G1I1", "G1I2"]);
  const [first, , last] = summary.policies.map(({ reward }) => reward.value);
  expect(last).toBeGreaterThan(first!);
  expect(calls()).toEqual(["G1I1 from toy-0", "G1I2 from toy-1"]);
  expect(summary.policies[2]).toMatchObject({
    klFromBc: null,
    lossOnTrain: null,
    diversity: { entropy: null },
  });
  expect(summary.improves[0]).toMatchObject({ trainSteps: 7, trainTokens: 100 });
  await expect(exportPolicy({ dir, out: join(dir, "out"), to: "huggingface" })).rejects.toThrow(
    /: G1I2 is the model toy-2 of a server, whose weights Coppice has not got; take them from/,
  );
  await exportPolicy({ dir, out: join(dir, "card"), to: "card", quiet: true });
  expect(readdirSync(join(dir, "card"))).toEqual(["README.md"]);
  const card = readFileSync(join(dir, "card", "README.md"), "utf8");
  expect(card).toContain("The model `toy-2`, policy `G1I2` of a run of Coppice");
  const { low, value, high } = summary.policies[2]!.reward;
  const [from, mean, to] = [low, value, high].map((reward) => (100 * reward).toFixed(1));
  expect(card).toContain(`| G1I2 | ${mean} [${from}, ${to}] |`);
  // The kept candidates, each a line with its source as the prompt.
  const line = JSON.parse(readFileSync(join(dir, "G1I1.jsonl"), "utf8").split("\n")[0]!);
  expect(line).toEqual({
    prompt: [{ role: "user", content: expect.any(String) }],
    completion: [{ role: "assistant", content: expect.any(String) }],
  });
  expect(readFileSync(join(dir, "G1I1.jsonl"), "utf8").trim().split("\n")).toHaveLength(
    summary.improves[0]!.kept,
  );

  const manifest = (await Manifest.read(dir))!;
  const spent = manifest.steps.flatMap(
    ({ result }) => (result as { asked?: { requests: number } })?.asked ?? [],
  );
  const requests = spent.reduce((sum, one) => sum + one.requests, 0);
  expect(requests).toBe(server.asked.length);
  const grow = manifest.step("grow-1")!.result as { asked: object };
  // 44 sources (60 less 8 and 8), one request each: 10 tokens in, 2 out for each of 4 choices.
  expect(grow.asked).toEqual({ requests: 44, tokensIn: 440, tokensOut: 352, money: (440 + 3520) / 1e6 });
  const [line1] = readMetrics(join(dir, "metrics.jsonl")).filter(({ step }) => step === "grow-1");
  expect(line1?.asked).toEqual(grow.asked);
  expect(readFileSync(join(dir, "report.html"), "utf8")).toContain("–");
});

test("a killed Grow asks for the missing samples alone", async () => {
  const server = await fakeServer((asked, response, nth) => {
    if (nth !== 30) return answering(asked, response, nth);
    response.statusCode = 400;
    return { error: "out of luck" };
  });
  const { dir } = toyRun(server, { policy: { choices: 2, concurrency: 3 } as never });
  // 8 greedy and 16 more requests evaluate the first policy; the 30th is in the middle of Grow.
  await expect(runAll({ dir })).rejects.toThrow(
    /^policy toy-0: http:.* answered 400: \{"error":"out of luck"\}; correct the address, the headers or the model, or lower policy\.choices where so many in one request are too many$/,
  );
  const before = server.asked.length;
  await runAll({ dir });
  const grown = server.asked.filter(({ model }) => model === "toy-0");
  const whole = await fakeServer(answering);
  const other = toyRun(whole, { policy: { choices: 2, concurrency: 3 } as never });
  await runAll({ dir: other.dir });
  // One request was refused and asked again; no other was asked twice.
  expect(server.asked.length).toBe(whole.asked.length + 1);
  expect(before).toBeLessThan(server.asked.length);
  const questions = grown.map(({ seed, messages, n, temperature }) =>
    JSON.stringify([seed, messages, n, temperature]),
  );
  const drawn = questions.filter((one) => !one.includes("null"));
  expect(drawn.length - new Set(drawn).size).toBeLessThanOrEqual(1);
  expect(readFileSync(join(dir, "summary.json"), "utf8").length).toBeGreaterThan(0);
});

test("a server that gives fewer choices than asked for is asked again for the rest", async () => {
  const server = await fakeServer((asked) => choices(asked.path, toyAnswers(asked).slice(0, 3)));
  const { dir } = toyRun(server, { grow: { steps: 0, samples: 4 } });
  await runAll({ dir });
  // 8 greedy; for 4 samples of each of 8 sources one request for 4, and one for the fourth.
  expect(server.asked.map(({ n = 1 }) => n).filter((n) => n === 4)).toHaveLength(8);
  expect(server.asked).toHaveLength(24);
  expect(samplesAsked(server)).toBe(8 + 32 + 8);
});

test("a server that fails on seeds is asked without, and what it had answered is kept", async () => {
  const picky = await fakeServer((asked, response, nth) => {
    if (asked.seed === undefined || nth < 30) return answering(asked, response, nth);
    response.statusCode = 400;
    return { error: "no seeds here" };
  });
  const { dir } = toyRun(picky, { policy: { choices: 2 } as never });
  await expect(runAll({ dir })).rejects.toThrow(/no seeds here/);
  const refused = picky.asked.length - 29;
  const without = { policy: { choices: 2, seeds: false } as never };
  configure(dir, picky, without);
  await runAll({ dir });
  expect(picky.asked.slice(29 + refused).every(({ seed }) => seed === undefined)).toBe(true);
  const whole = await fakeServer(answering);
  await runAll({ dir: toyRun(whole, without).dir });
  expect(whole.asked.every(({ seed }) => seed === undefined)).toBe(true);
  expect(picky.asked.length - refused).toBe(whole.asked.length);
});

test("a server that draws nothing is told of", async () => {
  const notes: string[] = [];
  const greedy = await fakeServer(({ seed: _, ...asked }) => choices(asked.path, toyAnswers(asked)));
  const reporter = { ...silent, note: (sentence: string) => notes.push(sentence) };
  await runSingle("grow", { dir: toyRun(greedy).dir, reporter });
  expect(notes.filter((note) => note.includes("one and the same text"))).toEqual([
    "Grow 1: the 4 samples of each source are one and the same text at temperature 0.8, so that there is nothing to choose from. " +
      "Does the server draw? Transformers' wants do_sample in the model's generation_config.json.",
  ]);
  notes.length = 0;
  await runSingle("grow", { dir: toyRun(await fakeServer(answering)).dir, reporter });
  expect(notes.filter((note) => note.includes("one and the same text"))).toEqual([]);
});

const faults: [name: string, says: Says, message: RegExp, policy: object][] = [
  [
    "a slow server",
    () => new Promise(() => undefined),
    /did not answer within 0\.2 seconds; see to the server and run the same command again: a run keeps what it has got$/,
    { timeoutSeconds: 0.2 },
  ],
  [
    "what is not JSON",
    () => "<html>hello</html>",
    /answered with what is not JSON: <html>hello<\/html>; check that this is the right address$/,
    {},
  ],
  [
    "another protocol",
    () => ({ rewards: [1] }),
    /answered \{"rewards":\[1\]\}; choices\[0\]\.message\.content was expected: is this a server of OpenAI's chat completions\? If not, set policy\.api$/,
    {},
  ],
  ["no choices", ({ path }) => choices(path, []), /answered \{"choices":\[\],.*\}; choices\[0\]/, {}],
];

test.each(faults)("%s is one sentence", async (_, says, message, policy) => {
  const { dir } = toyRun(await fakeServer(says), { policy: policy as never });
  const error = await runAll({ dir }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect(String(error)).toMatch(message);
});

test("a server that is down is one sentence", async () => {
  const server = await fakeServer(answering);
  await server.close();
  const { dir } = toyRun(server);
  await expect(runAll({ dir })).rejects.toThrow(
    /^policy toy-0: http:.* could not be reached: .*; see to the server/,
  );
});

const failing: [name: string, script: string, message: RegExp][] = [
  [
    "was killed",
    'console.error("CUDA out of memory"); setTimeout(() => process.kill(process.pid, "SIGKILL"), 100);',
    /was ended by SIGKILL; it said last: CUDA out of memory; mend it and run the same command again: only this training is done anew\. All that it said is in .*trainer\.log$/,
  ],
  [
    "writes nothing",
    'console.log("done");',
    /ended without saying what it made; it said last: done; its last line on standard output, or result\.json/,
  ],
  [
    "names an empty folder",
    'console.log(JSON.stringify({ model: "." }));',
    /names .*out as its model, which is empty; it said last: .*; let it save the model there/,
  ],
  [
    "names a folder that is not there",
    'console.log(JSON.stringify({ model: "./merged" }));',
    /names \.\/merged as its model, which is not there; it said last: .*; let it save the model there/,
  ],
];

test.each(failing)("a trainer that %s costs its step only", async (_, script, message) => {
  const server = await fakeServer(answering);
  const { dir, calls } = toyRun(
    server,
    { improve: { steps: 1, thresholds: { kind: "absolute", values: [0.5] } } },
    script,
  );
  const error = await runAll({ dir }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect(String(error)).toMatch(message);
  const asked = server.asked.length;
  writeFileSync(join(dir, "trainer.mjs"), trainer);
  await runAll({ dir });
  expect(calls()).toEqual(["G1I1 from toy-0"]);
  // The look at what was trained, and its evaluation, sampled and greedy. No second Grow, nor a second look at the start.
  expect(server.asked.length - asked).toBe(8 + 8 + 8);
  expect(readdirSync(join(dir, "policies")).sort()).toEqual(["G0I0", "G1I1"]);
});

test("a trained model that is worse is not kept, and one that is trained is not trained again", async () => {
  const worse = trainer.replace("+ 1;", "* 0;").replace('"toy-" + next', '"bad"');
  const server = await fakeServer((asked, response, nth) =>
    asked.model === "bad"
      ? choices(asked.path, ["x"].concat(Array((asked.n ?? 1) - 1).fill("x")))
      : answering(asked, response, nth),
  );
  const { dir, calls } = toyRun(
    server,
    { improve: { steps: 1, thresholds: { kind: "absolute", values: [0.5] } } },
    worse,
  );
  await runAll({ dir });
  const saved = (name: string) =>
    JSON.parse(readFileSync(join(dir, "policies", name, "policy.json"), "utf8"));
  expect(saved("G1I1")).toEqual({ format: 1, model: "toy-0" });
  expect(calls()).toHaveLength(1);
});

test("ReST-EM on right or wrong answers: from the base model every time, on sources that are neither easy nor hopeless", async () => {
  const server = await fakeServer(answering);
  const { dir, calls } = toyRun(server, {
    preset: "rest-em",
    grow: { samples: 4, topK: null, maxTokens: 16 },
    reward: { kind: "number" },
    improve: { thresholds: { kind: "absolute", values: [0.5] }, passRate: [0.2, 0.8] },
    evaluate: { samples: 4, bestOfN: [1, 2, 4], bestOfNSamples: 4, answers: "number" },
  });
  const summary = await runAll({ dir });
  expect(calls()).toEqual(["G1I1 from toy-0", "G2I1 from toy-0"]);
  const [first] = summary.policies;
  expect(first!.answers!.attempts.map(({ k }) => k)).toEqual([1, 2, 4]);
  // The reward is the same comparison: pass@1 is its mean, and the greedy answer that of the translations.
  expect(first!.answers!.attempts[0]!.pass.value).toBeCloseTo(first!.reward.value, 10);
  expect(first!.answers!.exact.value).toBeCloseTo(first!.greedyReward, 10);
  const store = await CandidateStore.open(join(dir, "grow-1"), {});
  try {
    const rows = await store.query(
      `SELECT sum(CASE WHEN rate BETWEEN 0.2 AND 0.8 THEN passed ELSE 0 END) AS n FROM (
        SELECT avg(CAST(reward > 0.5 AS INTEGER)) AS rate, count(DISTINCT text) FILTER (reward > 0.5) AS passed
        FROM candidates WHERE origin = 'policy' GROUP BY source_id)`,
    );
    expect(summary.improves[0]!.kept).toBeGreaterThan(8);
    // At most 10 a source and each text as often as it was drawn.
    expect(summary.improves[0]!.kept).toBeGreaterThanOrEqual(Number(rows[0]!.n));
  } finally {
    store.close();
  }
  expect(readFileSync(join(dir, "report.html"), "utf8")).toContain("maj@4");
  const status = await runStatus(dir);
  expect(status.asked?.requests).toBe(server.asked.length);
  expect(statusText(status, false)).toContain("Asked of the policy's server: ");
});

/** A server of one model in a process of its own: the port and the model are its arguments. */
const modelServer = `
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
const [model, port, slow] = process.argv.slice(2);
if (slow) setInterval(() => {}, 1000);
else {
  appendFileSync("served.txt", model + "\\n");
  process.on("SIGTERM", () => { appendFileSync("served.txt", "end of " + model + "\\n"); process.exit(0); });
  createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.method === "GET") return response.end("{}");
    const { n = 1, messages } = JSON.parse(body);
    const right = messages.at(-1).content.split(" ").reverse().join(" ");
    const choices = Array.from({ length: n }, (_, i) => ({ message: { content: i % 2 ? right : "0" }, finish_reason: "stop" }));
    response.end(JSON.stringify({ choices }));
  }).listen(Number(port), "127.0.0.1");
}
`;

test("a server is started for each model, and ended before the trainer", async () => {
  const { dir } = toyRun({ url: "http://127.0.0.1:1" }, { evaluate: { samples: 2, bestOfN: [], beam: 1 } });
  writeFileSync(join(dir, "server.mjs"), modelServer);
  const spying = trainer.replace('"calls.txt"', '"served.txt"');
  writeFileSync(join(dir, "trainer.mjs"), spying);
  configure(
    dir,
    { url: "http://127.0.0.1:1" },
    {
      policy: {
        url: null,
        serve: { command: [process.execPath, "server.mjs", "{model}", "{port}"] },
      } as never,
      improve: { steps: 1, thresholds: { kind: "absolute", values: [0.5] } },
      evaluate: { samples: 2, bestOfN: [] },
    },
  );
  await runAll({ dir });
  expect(readFileSync(join(dir, "served.txt"), "utf8").trim().split("\n")).toEqual([
    "toy-0",
    "end of toy-0",
    "G1I1 from toy-0",
    "toy-1",
    // No better than the start, which is kept.
    "end of toy-1",
    "toy-0",
    "end of toy-0",
  ]);
});

test("a server that does not start, or not in time, is one sentence", async () => {
  const { dir } = toyRun({ url: "http://127.0.0.1:1" });
  writeFileSync(join(dir, "server.mjs"), modelServer);
  const serving = (command: string[], readySeconds: number) =>
    configure(
      dir,
      { url: "http://127.0.0.1:1" },
      { policy: { url: null, serve: { command, readySeconds } } as never },
    );
  serving([process.execPath, "nothing.mjs"], 60);
  await expect(runAll({ dir })).rejects.toThrow(
    /policy\.serve: .* nothing\.mjs for the model toy-0 ended with code 1; it said last: .*; correct the command or raise policy\.serve\.readySeconds\. All that it said is in .*server\.log$/,
  );
  serving([process.execPath, "server.mjs", "{model}", "{port}", "slow"], 0.3);
  await expect(runAll({ dir })).rejects.toThrow(
    /for the model toy-0 did not answer within 0\.3 seconds; correct/,
  );
});

test("Ctrl-C ends the trainer, and the step is done by the next call", async () => {
  const stop = new AbortController();
  const server = await fakeServer(answering);
  const waiting =
    'import { writeFileSync } from "node:fs"; writeFileSync("started.txt", String(process.pid)); setInterval(() => {}, 1000);';
  const { dir, calls } = toyRun(
    server,
    { improve: { steps: 1, thresholds: { kind: "absolute", values: [0.5] } } },
    waiting,
  );
  const running = runAll({ dir, signal: stop.signal }).catch((thrown: unknown) => thrown);
  const started = join(dir, "started.txt");
  await vi.waitFor(() => expect(existsSync(started) && readFileSync(started, "utf8")).toBeTruthy(), 60_000);
  stop.abort();
  expect(await running).toBeInstanceOf(Interrupted);
  expect(() => process.kill(Number(readFileSync(started, "utf8")), 0)).toThrow();
  writeFileSync(join(dir, "trainer.mjs"), trainer);
  await runAll({ dir });
  expect(calls()).toEqual(["G1I1 from toy-0"]);
});

test.each<[string, ConfigInput, RegExp]>([
  [
    "a learned reward",
    { reward: { kind: "learned" } },
    /^reward\.kind holds a learned reward, which needs a policy of kind native/,
  ],
  [
    "an online method",
    { method: "rloo", improve: undefined as never },
    /^method is rloo, which needs a policy of kind native/,
  ],
  [
    "another loss",
    { improve: { loss: "gold" } },
    /^improve\.loss is gold, which needs a policy of kind native/,
  ],
  [
    "a beam",
    { evaluate: { beam: 4 } },
    /^evaluate\.beam is 4, and beam search needs a policy of kind native/,
  ],
  ["no trainer", { improve: { trainer: { command: [] } } }, /^improve\.trainer\.command is missing\./],
  [
    "a batch size",
    { improve: { batchTokens: 100 } },
    /^improve\.batchTokens has no effect where policy\.kind is server\./,
  ],
  ["no address", { policy: { url: null } as never }, /^policy\.url is missing\./],
  [
    "a bare secret",
    { policy: { headers: { authorization: "Bearer x" } } as never },
    /^policy\.headers\.authorization holds a secret/,
  ],
])("%s beside a server is refused", (_, over, message) => {
  const { policy, improve, ...rest } = over;
  const given = {
    data: { train: ["pairs.tsv"] },
    policy: { kind: "server", url: "http://localhost:1/v1", model: "m", ...policy },
    reward: { kind: "places" },
    improve: { trainer: { command: ["true"] }, ...improve },
    ...rest,
  } as ConfigInput;
  if ("improve" in over && over.improve === undefined) delete given.improve;
  expect(() => resolveConfig(given)).toThrow(message);
});
