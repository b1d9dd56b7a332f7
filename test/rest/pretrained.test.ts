/** A run whose reward is a published checkpoint: it is held to the one that it has begun with. */

import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runAll, withFinished } from "../../src/rest/run.js";
import { runReward } from "../../src/rest/steps/reward.js";
import { createReward } from "../../src/reward/create.js";
import { CandidateStore } from "../../src/store/candidate-store.js";
import { FIXTURE, metricxFolder } from "../reward/pretrained/metricx-folder.js";
import { notesOf, shortest, tinyRun, writeConfig } from "./tiny-run.js";

const MODEL = "metricx-23-qe-tiny";
const over = (reward: Record<string, unknown> = {}) => ({
  reward: { kind: "pretrained", model: MODEL, ...reward },
  ...shortest,
});

let dir: string;
beforeAll(async () => {
  dir = tinyRun(over(), 120);
  await metricxFolder(dir, MODEL);
});
afterAll(() => rmSync(dir, { recursive: true }));

const notes = () => notesOf(dir);

const pins = () => JSON.parse(readFileSync(join(dir, "pretrained.json"), "utf8"));
const manifest = () => readFileSync(join(dir, "manifest.json"), "utf8");
const REFUSED = "this is not the pretrained reward that the run has begun with";

test("candidates are scored by it, its licence is said, and what it is known by is kept", async () => {
  const said = await notes();
  expect(said).toContain(`Reward metricx-23-qe from ${MODEL}. Licence: Apache-2.0.`);
  expect(pins()).toMatchObject({ format: 1, models: [{ model: MODEL, variant: "metricx-23-qe" }] });
  expect(pins().models[0].golden).toHaveLength(4);
  await withFinished({ dir }, async (run) => {
    const reward = await runReward(run);
    const store = await CandidateStore.open(run.folder.grow(1));
    try {
      const rows = await store.best(5);
      const found = await reward.score(rows.map(({ source, text }) => ({ source, candidate: text })));
      for (const [i, row] of rows.entries()) expect(found[i]).toBeCloseTo(row.reward!, 5);
    } finally {
      store.close();
    }
  });
});

test("how many tokens are scored at once is not part of the run", async () => {
  writeConfig(dir, over({ batchTokens: 64 }));
  expect(await notes()).toContain("To do: only the report.");
});

test("other weights under the same name are refused, and nothing is lost", async () => {
  const [weights, aside] = ["model.safetensors", "aside"].map((name) => join(dir, MODEL, name)) as [
    string,
    string,
  ];
  const before = manifest();
  cpSync(weights, aside);
  const bytes = readFileSync(weights);
  bytes[bytes.length - 3]! ^= 1;
  writeFileSync(weights, bytes);
  await expect(notes()).rejects.toThrow(`${MODEL}/model.safetensors: ${REFUSED}`);
  expect(manifest()).toBe(before);
  renameSync(aside, weights);
  expect(await notes()).toContain("To do: only the report.");
});

test("so is another tokenizer in place of the former one, where candidates are to be scored", async () => {
  const [given, other] = ["spiece.model", "tokenizer.json"].map((name) => join(dir, MODEL, name)) as [
    string,
    string,
  ];
  const bytes = readFileSync(given);
  rmSync(given);
  cpSync(join(FIXTURE, "tokenizer.json"), other);
  const score = () => withFinished({ dir }, (run) => runReward(run));
  await expect(score()).rejects.toThrow(`${MODEL}: ${REFUSED}`);
  rmSync(other);
  writeFileSync(given, bytes);
  await score();
});

test("the same files that score golden pairs otherwise are refused, with the pair", async () => {
  const kept = pins();
  const [first, ...others] = kept.models[0].golden;
  kept.models[0].golden = [first + 0.01, ...others];
  writeFileSync(join(dir, "pretrained.json"), JSON.stringify(kept));
  await expect(withFinished({ dir }, (run) => runReward(run))).rejects.toThrow(
    /the candidate "The train leaves ten minutes later today\." has the raw score .* now and had .* when the run began/,
  );
  writeFileSync(join(dir, "pretrained.json"), "{}");
  await expect(withFinished({ dir }, (run) => runReward(run))).rejects.toThrow(
    "this is not what Coppice keeps",
  );
  rmSync(join(dir, "pretrained.json"));
});

test("a run that is only read keeps nothing", async () => {
  await withFinished({ dir }, (run) => runReward(run));
  expect(existsSync(join(dir, "pretrained.json"))).toBe(false);
});

test("another checkpoint by its own name scores all candidates again", async () => {
  await metricxFolder(dir, "metricx-24-hybrid-tiny");
  writeConfig(dir, over({ model: "metricx-24-hybrid-tiny" }));
  const said = await notes();
  expect(said.find((sentence) => sentence.startsWith("To be redone: "))).toContain("score-1");
  expect(pins().models.map(({ model }: { model: string }) => model)).toEqual(["metricx-24-hybrid-tiny"]);
});

test("a checkpoint that is not there stops a run before anything is written", async () => {
  const empty = mkdtempSync(join(tmpdir(), "pretrained-"));
  cpSync(join(dir, "pairs.tsv"), join(empty, "pairs.tsv"));
  writeConfig(empty, over({ model: "none" }));
  await expect(runAll({ dir: empty })).rejects.toThrow(/none: there is no such folder/);
  expect(existsSync(join(empty, "manifest.json"))).toBe(false);
  rmSync(empty, { recursive: true });
});

test("it is a part of a sum and of an ensemble, in a thread of its own", async () => {
  const batch = [{ source: "die Datei öffnen", candidate: "open the file", reference: "open the file" }];
  const context = { configFile: join(dir, "coppice.yaml") };
  const own = { kind: "pretrained", model: MODEL } as const;
  const score = async (options: Parameters<typeof createReward>[0]) => {
    const reward = await createReward(options, context);
    const [found] = await reward.score(batch);
    await reward.close?.();
    return found!;
  };
  const alone = await score(own);
  expect(
    await score({
      kind: "sum",
      parts: [
        { ...own, weight: 3 },
        { kind: "places", weight: 1 },
      ],
    }),
  ).toBeCloseTo(0.75 * alone + 0.25, 6);
  const parts = [own, { kind: "places" }] as const;
  expect(await score({ kind: "ensemble", parts, combine: "minimum", deviations: 1 })).toBeCloseTo(alone, 6);
});
