/** A whole run whose policies are behind a server and are trained by a command: a toy of both. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { toyPairs } from "../../src/data/toy.js";
import { UserError } from "../../src/errors.js";
import { type ConfigInput, renderConfig, resolveConfig } from "../../src/rest/config.js";
import { runAll } from "../../src/rest/run.js";
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
    /^policy toy-0: http:.* answered 400: \{"error":"out of luck"\}; correct the address, the headers or the model$/,
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
  // The looks at the start, before and after training, and the evaluation: 8 × 4 samples, 8 greedy. No second Grow.
  expect(server.asked.length - asked).toBe(8 + 8 + 8 + 8);
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
