/** Runs whose reward is a server, a program or a judge: stopped, gone on with, and nothing paid twice. */

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { type ConfigInput, parseConfig, renderConfig, resolveConfig } from "../../src/rest/config.js";
import { commentedConfig } from "../../src/rest/config-pages.js";
import { runAll, withFinished } from "../../src/rest/run.js";
import { runReward } from "../../src/rest/steps/reward.js";
import { readMetrics } from "../../src/store/metrics.js";
import { type BuiltPackage, buildPackage } from "../built.js";
import { coppice } from "../cli/coppice.js";
import { lengthReward, serve } from "../reward/remote/server.js";
import { tinyRun } from "./tiny-run.js";

const dirs: string[] = [];
let built: BuiltPackage;
beforeAll(async () => {
  built = await buildPackage();
});
afterAll(() => {
  built.remove();
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

const SECRET = "sk-very-secret-123";

/** 100 pairs, of which 50 train. */
function newRun(reward: Record<string, unknown>): string {
  const dir = tinyRun({ reward, bc: { steps: 10 } }, 100);
  dirs.push(dir);
  return dir;
}

/** Whatever was asked, as many texts as there were different ones. */
function distinct(asked: readonly { body: { inputs: { source: string; candidate: string }[] } }[]) {
  const all = asked.flatMap(({ body }) =>
    body.inputs.map(({ source, candidate }) => `${source}\t${candidate}`),
  );
  return { all: all.length, different: new Set(all).size };
}

test("killed in the middle of scoring and started again, a run pays for no score twice, and keeps no secret", {
  timeout: 900_000,
}, async () => {
  process.env.REMOTE_TEST_KEY = SECRET;
  let killAt = 12;
  let child: ReturnType<typeof built.start> | undefined;
  const server = await serve(({ inputs }, response, nth) => {
    if (nth === killAt) {
      child!.kill("SIGKILL");
      response.destroy();
      return undefined;
    }
    return { rewards: inputs.map(({ candidate }) => lengthReward(candidate)) };
  });
  const dir = newRun({
    kind: "http",
    url: server.url,
    batchSize: 4,
    concurrency: 1,
    headers: { authorization: `Bearer \${REMOTE_TEST_KEY}` },
  });
  child = built.start(["run", dir, "--quiet"]);
  const [code] = await new Promise<[number | null]>((resolve) => child!.on("close", (c) => resolve([c])));
  expect(code).toBeNull();
  expect(server.asked).toHaveLength(12);
  const lost = server.asked[11]!.body.inputs.length;

  killAt = Number.NaN;
  const again = await built.coppice(["run", dir, "--quiet"]);
  expect([again.code, again.stderr]).toEqual([0, ""]);
  const { all, different } = distinct(server.asked);
  // Only what was under way at the kill, whose answer never came.
  expect(all - different).toBe(lost);
  expect(server.asked.every(({ headers }) => headers.authorization === `Bearer ${SECRET}`)).toBe(true);

  // What is done needs nothing more, and how it is asked may change meanwhile.
  const before = server.asked.length;
  writeFileSync(
    join(dir, "coppice.yaml"),
    readFileSync(join(dir, "coppice.yaml"), "utf8").replace("concurrency: 1", "concurrency: 3"),
  );
  expect((await built.coppice(["run", dir, "--quiet"])).code).toBe(0);
  const status = await coppice(["status", dir, "--json"]);
  expect(JSON.parse(status.stdout).state).toBe("finished");
  expect(server.asked).toHaveLength(before);

  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const path = join(dir, name);
    if (statSync(path).isFile()) expect(readFileSync(path).includes(SECRET), name).toBe(false);
  }
});

test("a dead server ends a run with one sentence and code 2; the same command goes on once it is back", {
  timeout: 900_000,
}, async () => {
  const answer = ({ inputs }: { inputs: { candidate: string }[] }) => ({
    rewards: inputs.map(({ candidate }) => lengthReward(candidate)),
  });
  const server = await serve((body, response, nth) => {
    if (nth > 6) response.destroy();
    else return answer(body);
  });
  const dir = newRun({ kind: "http", url: server.url, batchSize: 4, concurrency: 1, retries: 1 });
  const { code, stderr } = await built.coppice(["run", dir, "--quiet"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^reward "http .*": http:.* could not be reached: .* \(after 2 attempts\); see to the server and run the same command again: a run keeps what it has got\n$/,
  );
  const { port } = new URL(server.url);
  const paid = server.asked.slice(0, 6).flatMap(({ body }) => body.inputs.map((one) => JSON.stringify(one)));
  await server.close();
  const back = await serve((body) => answer(body), Number(port));
  expect((await built.coppice(["run", dir, "--quiet"])).code).toBe(0);
  const askedAgain = back.asked.flatMap(({ body }) => body.inputs.map((one) => JSON.stringify(one)));
  expect(askedAgain.filter((one) => paid.includes(one))).toEqual([]);
});

test("a program and a judge work in a sum, penalised; the judge's spread is in the metrics; the reward can be asked again", {
  timeout: 900_000,
}, async () => {
  const judge = await serve(({ seed, messages }) => ({
    choices: [{ message: { content: `Score: ${1 + ((seed + messages[0]!.content.length) % 5)}` } }],
  }));
  const part = { kind: "judge", model: "m", url: judge.url, rubric: "Good?", scale: [1, 5], times: 2 };
  const dir = newRun({
    kind: "sum",
    parts: [part, { kind: "command", command: ["sh", "half.sh"] }],
    penalties: { lengthRatio: 2 },
  });
  writeFileSync(join(dir, "half.sh"), "while read -r line; do echo 0.5; done\n");
  await runAll({ dir });
  const asked = judge.asked.length;
  const [score] = readMetrics(join(dir, "metrics.jsonl")).filter(({ step }) => step === "score-1");
  // Neighbouring seeds give neighbouring scores, a quarter apart: deviation 0.25 / √2; or 5 and 1: 1 / √2.
  expect(score!.judgeSpread).toBeGreaterThan(0.17);
  expect(score!.judgeSpread).toBeLessThan(0.71);
  expect(score!.meanRawReward).toBeTypeOf("number");

  // Everything is known: nothing is asked, and the numbers are those of the run.
  await runAll({ dir });
  expect(judge.asked).toHaveLength(asked);
  await withFinished({ dir }, async (run) => {
    const reward = await runReward(run);
    const input = { source: "1 2", candidate: "new text" };
    const [first] = await reward.score([input]);
    expect(first).toBeGreaterThan(0);
    expect(await reward.score([input])).toEqual([first]);
  });
  expect(judge.asked).toHaveLength(asked + 2);
  const lines = readFileSync(join(dir, "scores.jsonl"), "utf8").trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(asked);

  // Another script is another reward.
  writeFileSync(join(dir, "half.sh"), "while read -r line; do echo 0.75; done\n");
  await runAll({ dir });
  const [rescored] = readMetrics(join(dir, "metrics.jsonl")).filter(({ step }) => step === "score-1");
  expect(Number(rescored!.meanRawReward) - Number(score!.meanRawReward)).toBeCloseTo(0.125, 6);
});

test("an ensemble takes remote rewards; the doctor asks anew", { timeout: 900_000 }, async () => {
  let calls = 0;
  const server = await serve(({ inputs }) => {
    calls += inputs.length;
    // As a judge would, a little by chance.
    return inputs.map(({ candidate }) => 0.1 + 0.08 * lengthReward(candidate) * 10 + 0.01 * Math.random());
  });
  const dir = newRun({
    kind: "ensemble",
    parts: [{ kind: "http", url: server.url }, { kind: "places" }],
  });
  await runAll({ dir });
  const before = calls;
  const { code, stdout } = await coppice(["doctor", dir, "--json", "--sources", "5"]);
  expect(code).toBe(0);
  expect(calls).toBeGreaterThan(before);
  const { findings } = JSON.parse(stdout);
  expect(findings.find(({ check }: { check: string }) => check === "repeat").answer).toMatch(
    /The run keeps the first/,
  );
});

test("what a run needs is said before it begins", async () => {
  const missing = newRun({
    kind: "http",
    url: "http://127.0.0.1:9",
    headers: { a: `\${REMOTE_TEST_UNSET}` },
  });
  await expect(runAll({ dir: missing })).rejects.toThrow(
    `${join(missing, "coppice.yaml")}: reward.headers.a wants the environment variable REMOTE_TEST_UNSET, which is not set`,
  );
  const program = newRun({ kind: "command", command: ["no-such-program"] });
  await expect(runAll({ dir: program })).rejects.toThrow('reward.command starts with "no-such-program"');
  expect(readdirSync(program).sort()).toEqual(["coppice.yaml", "pairs.tsv"]);
});

const config = (reward: string) => `data:\n  train: [pairs.tsv]\nreward:\n${reward.replace(/^/gm, "  ")}\n`;

test.each([
  [
    "kind: http",
    "c.yaml:3: reward.url is missing. It must be an address that starts with http:// or https://",
  ],
  [
    "kind: http\nurl: ftp://h",
    'c.yaml:5: reward.url is "ftp://h" but must be an address that starts with http',
  ],
  [
    "kind: http\nurl: http://h\nheaders:\n  Authorization: Bearer abc",
    `c.yaml:7: reward.headers.Authorization holds a secret, which would be copied with this file. Write \${NAME}`,
  ],
  ["kind: http\nurl: http://h?key=abc", "c.yaml:5: reward.url holds a secret, which would be copied"],
  ["kind: http\nurl: http://h\nheaders:\n  a: 1", "c.yaml:7: reward.headers.a is 1 but must be a text"],
  [
    "kind: command\ncommand: python3 x.py",
    'c.yaml:5: reward.command is "python3 x.py" but must be a list of 1 or more, each a text',
  ],
  ["kind: judge\nurl: http://h/v1\nmodel: m", "reward.rubric is missing. It must be a text."],
  [
    "kind: judge\nurl: http://h/v1\nmodel: m\nrubric: r\nscale: [5, 1]",
    "c.yaml:8: reward.scale is [5, 1] but must be its lowest and then its highest number. Put the lower one first.",
  ],
  [
    "kind: sum\nparts:\n  - { kind: judge, url: http://h, model: m, rubric: a }\n  - { kind: judge, url: http://h, model: m, rubric: b }",
    "c.yaml:7: reward.parts[1] is a second part of kind judge m.",
  ],
])("%j: %s", (reward, expected) => {
  const attempt = () => parseConfig(config(reward), "c.yaml");
  expect(attempt).toThrow(UserError);
  expect(attempt).toThrow(expected);
});

test("judges of several rubrics go by their names, and a configuration reads back as it was", () => {
  const text = config(
    "kind: sum\nparts:\n  - { kind: judge, name: a, url: http://h, model: m, rubric: a }\n  - { kind: judge, name: b, url: http://h, model: m, rubric: b }",
  );
  const parsed = parseConfig(text, "c.yaml");
  expect(parseConfig(renderConfig(parsed), "r.yaml")).toEqual(parsed);
  const input: ConfigInput = {
    data: { train: ["pairs.tsv"] },
    reward: { kind: "http", url: `\${URL}`, headers: { a: `\${B}` } },
  };
  expect(parseConfig(commentedConfig(input), "r.yaml")).toEqual(resolveConfig(input));
});
