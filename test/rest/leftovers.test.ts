/** Half-done work of another configuration is not gone on with. */

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type ConfigInput, resolveConfig } from "../../src/rest/config.js";
import { dependenciesOf } from "../../src/rest/dependencies.js";
import { discardStaleWork } from "../../src/rest/leftovers.js";
import { stepNames } from "../../src/rest/names.js";
import { type Json, Manifest } from "../../src/store/manifest.js";
import { runFolder } from "../../src/store/run-folder.js";

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

const works = [
  "policies/G0I0.training",
  "reward.training/lessons.jsonl",
  "grow-1/part-000000-000499.parquet",
  "policies/G1I1.training",
  "policies/PPO.training",
  "policies/PPO.value-3.training",
];

/** What is left of those files after the change from the defaults to `over`, in a run that has BC. */
async function left(over: Omit<ConfigInput, "data">, files = works): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), "coppice-leftovers-"));
  dirs.push(dir);
  // A configuration is what YAML holds, and so JSON.
  const continuation = (input: Omit<ConfigInput, "data">) => {
    const config = resolveConfig({ data: { train: ["a.tsv"] }, ...input });
    return { seed: config.seed, config: config as unknown as Json };
  };
  const manifest = await Manifest.create(dir, { coppice: "0", ...continuation({}) });
  for (const step of [stepNames.prepare, stepNames.bc])
    await manifest.finish(step, { seconds: 1, dependsOn: dependenciesOf(step), metricsLines: 0 });
  for (const file of files) {
    mkdirSync(join(dir, file, ".."), { recursive: true });
    writeFileSync(join(dir, file), "");
  }
  await discardStaleWork(runFolder(dir), manifest, continuation(over));
  return files.filter((file) => existsSync(join(dir, file)));
}

test("all is kept where nothing changed, or what none of it follows from", async () => {
  expect(await left({})).toEqual(works);
  expect(await left({ evaluate: { samples: 3 } })).toEqual(works);
});

test("only what follows from the changed key goes", async () => {
  expect(await left({ improve: { learningRate: 1e-5 } })).toEqual(
    works.filter((work) => !work.includes("G1I1")),
  );
  const ppo = { method: "ppo" as const, online: { learningRate: 1e-5 } };
  expect(await left(ppo)).toEqual(works.filter((work) => !work.includes("PPO")));
  expect(await left({ grow: { temperature: 0.5 } })).toEqual(works.slice(0, 2));
  expect(await left({ reward: { kind: "learned", steps: 900 } })).toEqual([works[0], works[2]]);
  expect(await left({ bc: { learningRate: 1e-5 } })).toEqual([]);
  expect(await left({ seed: 7 })).toEqual([]);
});

test("summary and report stay as long as every finished step does", async () => {
  const results = ["summary.json", "report.html"];
  expect(await left({}, results)).toEqual(results);
  expect(await left({ improve: { learningRate: 1e-5 } }, results)).toEqual(results);
  expect(await left({ bc: { learningRate: 1e-5 } }, results)).toEqual([]);
  expect(await left({ seed: 7 }, results)).toEqual([]);
});
