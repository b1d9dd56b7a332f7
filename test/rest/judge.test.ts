/** A published metric that judges the policies beside BLEU and chrF. */

import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { runStatus, statusText } from "../../src/cli/status.js";
import { readSafetensors, writeSafetensors } from "../../src/model/safetensors.js";
import { resolveConfig } from "../../src/rest/config.js";
import type { Evaluation } from "../../src/rest/steps/evaluate.js";
import { openPretrained } from "../../src/reward/pretrained/open.js";
import type { SummaryFile } from "../../src/store/summary-file.js";
import { Thread } from "../../src/tensor/thread.js";
import { notesOf, shortest, tinyRun, writeConfig } from "./tiny-run.js";

const BLEURT = fileURLToPath(new URL("../fixtures/bleurt/port", import.meta.url));

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

const { evaluate, ...short } = shortest;

const json = (dir: string, file: string): unknown => JSON.parse(readFileSync(join(dir, file), "utf8"));

/** The toy's words are unknown to the fixture, which scores them above 1: lower by 0.7 they differ. */
async function lowerScores(file: string): Promise<void> {
  const { tensors } = await readSafetensors(file);
  const bias = tensors.get("classifier.bias")!;
  tensors.set("classifier.bias", { ...bias, data: Float32Array.of(Number(bias.data[0]) - 0.7) });
  await writeSafetensors(file, tensors);
}

/** What `folder` says of the translations that an evaluation keeps, against the pairs of the test part. */
async function meanOf(folder: string, dir: string, policy: string): Promise<number> {
  const { translations } = json(dir, `evaluation/${policy}.json`) as Evaluation;
  const test = readFileSync(join(dir, "data/test.jsonl"), "utf8").trim().split("\n");
  const thread = new Thread();
  const scorer = await openPretrained(thread, folder);
  const scores = await scorer.score(
    translations.map(({ text: candidate }, i) => {
      const { source, target } = JSON.parse(test[i]!) as { source: string; target: string };
      return { source, candidate, reference: target };
    }),
  );
  await scorer.close();
  await thread.close();
  return scores.reduce((sum, { reward }) => sum + reward, 0) / scores.length;
}

test("a judge's mean over the translations stands beside BLEU and chrF, and decides nothing", async () => {
  const judge = { kind: "pretrained", model: "judge" };
  const dir = tinyRun({ ...short, evaluate: { ...evaluate, judge } }, 150);
  dirs.push(dir);
  cpSync(BLEURT, join(dir, "judge"), { recursive: true });
  await lowerScores(join(dir, "judge/model.safetensors"));
  const said = await notesOf(dir);
  expect(said).toContain("Judge bleurt from judge. Licence: Apache-2.0.");
  expect(said.find((note) => note.startsWith("G0I0: mean reward"))).toMatch(
    /, chrF [\d.]+, bleurt [\d.]+, KL from BC/,
  );
  const { policies } = json(dir, "summary.json") as SummaryFile;
  expect(policies.map(({ name }) => name)).toEqual(["G0I0", "G1I1"]);
  for (const { name, judge: judged } of policies) {
    expect(judged!.name).toBe("bleurt");
    expect(judged!.mean.value).toBeCloseTo(await meanOf(join(dir, "judge"), dir, name), 5);
    expect(judged!.mean.low).toBeGreaterThan(0);
    expect(judged!.mean.high).toBeLessThan(1);
    expect(judged!.mean.low).toBeLessThanOrEqual(judged!.mean.value);
    const line = readFileSync(join(dir, "metrics.jsonl"), "utf8")
      .split("\n")
      .find((text) => text.includes(`"policy":"${name}"`) && text.includes('"judge":'));
    expect(JSON.parse(line!)).toMatchObject({ judge: judged!.mean.value });
  }
  const { differences, policies: rows } = json(dir, "summary.json") as SummaryFile;
  const [first, last] = rows.map(({ judge: judged }) => judged!.mean.value);
  expect(differences![0]!.judge!.value).toBeCloseTo(last! - first!, 12);
  const report = readFileSync(join(dir, "report.html"), "utf8");
  for (const words of [
    "bleurt: the judge, which no policy",
    "bleurt by step",
    "The judge bleurt, which no policy",
  ])
    expect(report).toContain(words);
  expect(statusText(await runStatus(dir), false)).toMatch(/ bleurt /);

  // Another content, and another number of tokens at once, which changes no score.
  const config = join(dir, "judge/config.json");
  writeFileSync(config, readFileSync(config, "utf8").replace('"gelu"', '"gelu_new"'));
  const again = await notesOf(dir);
  expect(again).toContain("judge/config.json is not the file it was: its content has changed.");
  // All from the first evaluation on, as with any change of an evaluation.
  expect(again).toContain("Reused as they are: prepare, G0I0.");
  writeConfig(dir, { ...short, evaluate: { ...evaluate, judge: { ...judge, batchTokens: 64 } } });
  expect(await notesOf(dir)).toContain("To do: only the report.");

  rmSync(join(dir, "judge/spm.model"));
  writeConfig(dir, { ...short, evaluate: { ...evaluate, samples: 2, judge } });
  await expect(notesOf(dir)).rejects.toThrow(/judge: there is no tokenizer here: spm\.model/);
});

test("a judge must not be the reward, nor is one of the reward's own family passed over in silence", async () => {
  const judge = { kind: "pretrained" as const, model: "a" };
  const both = { data: { train: ["a.tsv"] }, reward: judge, evaluate: { judge } };
  expect(() => resolveConfig(both)).toThrow(
    "evaluate.judge.model is a, which is the reward, too: a judge must not be what the policies are trained for. Name a checkpoint of another family, or remove evaluate.judge.",
  );
  const dir = tinyRun(
    {
      ...short,
      reward: { kind: "sum", parts: [{ kind: "places" }, { kind: "pretrained", model: BLEURT }] },
      evaluate: { ...evaluate, judge: { ...judge, model: "judge" } },
    },
    150,
  );
  dirs.push(dir);
  cpSync(BLEURT, join(dir, "judge"), { recursive: true });
  expect(await notesOf(dir)).toContain(
    "Warning: the judge bleurt is of the reward's own family and errs where it errs; name a checkpoint of another as evaluate.judge.",
  );
});
