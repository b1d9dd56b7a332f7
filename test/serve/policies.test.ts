/** A run's policies, asked beside a process that works in the folder. */

import { cpSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Interrupted, UserError } from "../../src/errors.js";
import { runAll } from "../../src/rest/run.js";
import { RunPolicies } from "../../src/serve/policies.js";
import { tinyRun } from "../rest/tiny-run.js";
import { finishedRun, removeRun } from "./served.js";

let dir: string;
let policies: RunPolicies;
const dirs: string[] = [];
const source = { sourceId: 0, text: "3 1 4" };

beforeAll(async () => {
  dir = await finishedRun();
  policies = await RunPolicies.open({ dir });
});
afterAll(async () => {
  await policies.close();
  for (const each of [dir, ...dirs]) removeRun(each);
});

describe("the policies of a run", () => {
  test("are named in the order in which they were trained; the last is the one that is asked", async () => {
    expect((await policies.list()).map(({ name }) => name)).toEqual(["G0I0", "G1I1", "G1I2"]);
    expect(await policies.name()).toBe("G1I2");
    await expect(policies.name("G9I9")).rejects.toThrow(
      "the run has no policy G9I9. It has G0I0, G1I1, G1I2.",
    );
    const [last] = await policies.translate([source]);
    const [named] = await policies.translate([source], { policy: "G1I2" });
    expect(last!.outputs).toEqual(named!.outputs);
  });

  test("give a source its own draws, whatever is asked with it", async () => {
    const draws = { seed: 5, sourceId: 0 };
    const alone = await policies.sample([{ ...source, draws }], { n: 3 });
    const among = await policies.sample(
      [
        { sourceId: 4, text: "9 9 9 9", draws: { seed: 1, sourceId: 7 } },
        { sourceId: 2, text: source.text, draws },
        { sourceId: 8, text: source.text, draws: { seed: 5, sourceId: 1 } },
      ],
      { n: 3, seed: 99 },
    );
    expect(among[1]!.outputs).toEqual(alone[0]!.outputs);
    expect(among[2]!.outputs).not.toEqual(alone[0]!.outputs);
    // The same numbers as options give the same draws.
    const options = await policies.sample([source], { n: 3, seed: 5 });
    expect(options[0]!.outputs).toEqual(alone[0]!.outputs);
  });

  test("leave out a source that is no longer wanted, and write the others as they are", async () => {
    const sources = Array.from({ length: 6 }, (_, sourceId) => ({
      sourceId,
      text: `${sourceId} 1 ${sourceId}`,
    }));
    const gone = AbortSignal.abort();
    for (const ask of [
      (some: typeof sources) => policies.sample(some, { n: 3 }),
      (some: typeof sources) => policies.translate(some, { beams: 2 }),
      (some: typeof sources) => policies.translate(some),
    ]) {
      const whole = await ask(sources);
      const some = await ask(sources.map((one) => (one.sourceId % 2 ? { ...one, signal: gone } : one)));
      expect(some.map(({ outputs }) => outputs)).toEqual(
        whole.map(({ outputs }, i) => (i % 2 ? [] : outputs)),
      );
    }
  });

  test("score by the run's reward when asked", async () => {
    const [answer] = await policies.sample([source], { n: 8, score: true });
    for (const { text, reward } of answer!.outputs) {
      const given = text.split(" ");
      const right = ["4", "1", "3"].filter((word, i) => word === given[i]).length;
      expect(reward).toBe(right / Math.max(3, given.length));
    }
    expect((await policies.sample([source], { n: 1 }))[0]!.outputs[0]!.reward).toBeNull();
  });

  test("write no more than the run's maxTokens, and say when a text is cut", async () => {
    const [answer] = await policies.translate([{ sourceId: 0, text: "1 ".repeat(2000) }], {
      maxTokens: 1000,
    });
    expect(answer!.outputs[0]!.tokens.length).toBeLessThanOrEqual(8);
    expect(answer!.sourceCut).toBe(true);
    expect((await policies.translate([source]))[0]!.sourceCut).toBe(false);
  });

  test("write nothing into the folder", async () => {
    const files = readFileSync(join(dir, "manifest.json"));
    await policies.sample([source], { n: 2, score: true });
    expect(readFileSync(join(dir, "manifest.json"))).toEqual(files);
  });
});

test("a policy that a run trains meanwhile is there at the next question, and one that it trained again is read again", async () => {
  const copy = `${dir}-growing`;
  dirs.push(copy);
  cpSync(dir, copy, { recursive: true });
  const manifest = join(copy, "manifest.json");
  const whole = JSON.parse(readFileSync(manifest, "utf8"));
  const upTo = (name: string) => whole.steps.findIndex((step: { name: string }) => step.name === name) + 1;
  let clock = 1e9;
  const write = (content: object) => {
    writeFileSync(manifest, JSON.stringify(content));
    // Of its own time, however quick the test is.
    utimesSync(manifest, clock, clock++);
  };
  write({ ...whole, steps: whole.steps.slice(0, upTo("G1I1")) });
  const growing = await RunPolicies.open({ dir: copy });
  try {
    expect(await growing.name()).toBe("G1I1");
    const [before] = await growing.sample([source], { n: 4 });
    write(whole);
    expect(await growing.name()).toBe("G1I2");
    // Other weights under the same name.
    cpSync(join(copy, "policies/G0I0"), join(copy, "policies/G1I1"), { recursive: true });
    const size = (name: string) => whole.steps[upTo(name) - 1].outputs;
    whole.steps[upTo("G1I1") - 1].outputs = size("G0I0").map((output: { path: string }) => ({
      ...output,
      path: output.path.replace("G0I0", "G1I1"),
    }));
    whole.steps[upTo("G1I1") - 1].time.finishedAt = new Date().toISOString();
    write(whole);
    const [after] = await growing.sample([source], { n: 4, policy: "G1I1" });
    const [base] = await growing.sample([source], { n: 4, policy: "G0I0" });
    expect(after!.outputs).toEqual(base!.outputs);
    expect(after!.outputs).not.toEqual(before!.outputs);
  } finally {
    await growing.close();
  }
});

test("a reward that compares with references cannot choose, and a folder without a run has none", async () => {
  const measured = tinyRun({ reward: { kind: "chrf" }, improve: { control: false } });
  dirs.push(measured);
  await expect(RunPolicies.open({ dir: measured })).rejects.toThrow(UserError);
  await runAll({ dir: measured });
  const own = await RunPolicies.open({ dir: measured });
  try {
    expect(await own.whyUnscored()).toBe(
      `${measured}: outputs cannot be chosen by the run's reward: chrF2 compares with a human translation, which these ` +
        "sources do not have. Translate greedily or by beam search, or use a run whose reward is learned.",
    );
    await expect(own.sample([source], { n: 2, score: true })).rejects.toThrow(UserError);
    expect((await own.sample([source], { n: 2 }))[0]!.outputs.length).toBe(2);
  } finally {
    await own.close();
  }
});

test("questions that wait when it is closed are given up", async () => {
  const closing = await RunPolicies.open({ dir });
  const asked = [closing.translate([source]), closing.translate([source])];
  const told = Promise.allSettled(asked);
  await closing.close();
  for (const one of await told) if (one.status === "rejected") expect(one.reason).toBeInstanceOf(Interrupted);
  expect((await told).at(-1)!.status).toBe("rejected");
  await expect(closing.translate([source])).rejects.toBeInstanceOf(Interrupted);
});
