/** Typed sentences: by a real run's policies, and which run's models are held. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { Interrupted, UserError } from "../../src/errors.js";
import { runAll } from "../../src/rest/run.js";
import { runFolder } from "../../src/store/run-folder.js";
import { openRunTranslator } from "../../src/web/run-translator.js";
import { HeldTranslator } from "../../src/web/typed-translator.js";
import { tinyRun } from "../rest/tiny-run.js";

const { signal } = new AbortController();

describe("a run's policies", () => {
  let dir: string;
  beforeAll(async () => {
    dir = tinyRun({ evaluate: { beam: 1 }, reward: { kind: "module", path: "length.mjs" } });
    // Reads the candidate alone, as a learned reward does with the source.
    writeFileSync(
      join(dir, "length.mjs"),
      "export default (batch) => batch.map(({ candidate }) => Math.min(1, candidate.length / 20));\n",
    );
    await runAll({ dir });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test.each(["G0I0", "G1I2"])(
    "%s translates a typed test source as its evaluation did, with the same reward",
    async (policy) => {
      const stored = JSON.parse(readFileSync(join(dir, `evaluation/${policy}.json`), "utf8")) as {
        translations: { text: string; reward: number }[];
      };
      const [line] = readFileSync(join(dir, "data/test.jsonl"), "utf8").split("\n");
      const { source } = JSON.parse(line!) as { source: string };
      const translator = await openRunTranslator(dir);
      const found = await translator.translate({ text: source, policy, bestOf: 5, temperature: 1, signal });
      await translator.close();
      expect(found.policy).toBe(policy);
      expect(found.greedy.text).toBe(stored.translations[0]!.text);
      expect(found.greedy.reward).toBeCloseTo(stored.translations[0]!.reward, 12);
      expect(found.samples).toHaveLength(5);
      const rewards = found.samples.map(({ reward }) => reward!);
      expect(rewards).toEqual([...rewards].sort((a, b) => b - a));
      for (const reward of rewards) expect(reward >= 0 && reward <= 1).toBe(true);
    },
  );

  test("no samples are drawn where none are asked for", async () => {
    const translator = await openRunTranslator(dir);
    const found = await translator.translate({
      text: "1 2",
      policy: "G0I0",
      bestOf: 0,
      temperature: 1,
      signal,
    });
    await translator.close();
    expect(found.samples).toEqual([]);
    expect(found.greedy.reward).toEqual(expect.any(Number));
  });

  test("a sentence longer than the policy reads is refused with its length", async () => {
    const translator = await openRunTranslator(dir);
    const text = "1 2 3 4 ".repeat(400);
    const asked = translator.translate({ text, policy: "G0I0", bestOf: 0, temperature: 1, signal });
    await expect(asked).rejects.toThrow(/1602 tokens, which is more than G0I0 reads/);
    await expect(asked).rejects.toThrow(UserError);
    await translator.close();
  });

  test("a reward that compares with a human translation scores and chooses nothing", async () => {
    const file = runFolder(dir).resolvedConfig;
    const before = readFileSync(file, "utf8");
    writeFileSync(file, before.replace(/^ {2}kind: module\n {2}path: length\.mjs$/m, "  kind: chrf"));
    expect(readFileSync(file, "utf8")).not.toBe(before);
    const translator = await openRunTranslator(dir);
    const found = await translator.translate({
      text: "1 2",
      policy: "G0I0",
      bestOf: 4,
      temperature: 1,
      signal,
    });
    await translator.close();
    writeFileSync(file, before);
    expect(found.greedy.reward).toBeNull();
    expect(found.samples).toEqual([]);
  });

  test("a folder without a finished step is refused", async () => {
    const empty = tinyRun();
    await expect(openRunTranslator(empty)).rejects.toThrow(UserError);
    rmSync(empty, { recursive: true });
  });
});

describe("held models", () => {
  const log: string[] = [];
  const open = async (dir: string) => {
    log.push(`open ${dir}`);
    return {
      translate: () => Promise.reject(new Error("not asked")),
      close: async () => {
        log.push(`close ${dir}`);
      },
    };
  };
  const nothing = async () => {};
  afterEach(() => {
    log.length = 0;
    vi.useRealTimers();
  });

  test("are those of the run asked for last", async () => {
    const held = new HeldTranslator(open);
    for (const dir of ["a", "a", "b"]) await held.use(dir, nothing);
    await held.close();
    await held.close();
    expect(log).toEqual(["open a", "close a", "open b", "close b"]);
  });

  test("leave memory when nobody asks for a while", async () => {
    vi.useFakeTimers();
    const held = new HeldTranslator(open, 1000);
    await held.use("a", nothing);
    await vi.advanceTimersByTimeAsync(900);
    await held.use("a", nothing);
    await vi.advanceTimersByTimeAsync(900);
    expect(log).toEqual(["open a"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(log).toEqual(["open a", "close a"]);
  });

  test("are opened anew after a failure, and kept where a reader only left", async () => {
    const held = new HeldTranslator(open);
    const fail = (error: Error) => held.use("a", () => Promise.reject(error)).catch(() => {});
    await fail(new Interrupted());
    expect(log).toEqual(["open a"]);
    await fail(new Error("the worker died"));
    await held.use("a", nothing);
    await held.close();
    expect(log).toEqual(["open a", "close a", "open a", "close a"]);
  });
});
