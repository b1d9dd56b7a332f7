/** A run whose Improve steps train adapters: what it reaches, what it keeps, and who reads it. */

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModelFolder } from "../../src/model/folder.js";
import { readSafetensors } from "../../src/model/safetensors.js";
import { silent } from "../../src/rest/reporter.js";
import { runAll } from "../../src/rest/run.js";
import type { RunSummary } from "../../src/store/summary.js";
import { coppice } from "../cli/coppice.js";
import { tinyRun } from "./tiny-run.js";

const home = mkdtempSync(join(tmpdir(), "coppice-lora-run-"));
let summary: RunSummary;

const lora = { rank: 4, alpha: 8, targets: ["q_proj", "v_proj", "fc1", "fc2"] };
const settings = {
  bc: { steps: 150 },
  grow: { samples: 8, steps: 2 },
  improve: {
    trainSteps: 60,
    evaluateEvery: 20,
    learningRate: 0.01,
    learningRateFactor: 1,
    thresholds: { kind: "quantile", values: [0.5, 0.8] },
    lora,
  },
};

beforeAll(async () => {
  renameSync(tinyRun(settings, 600, home), join(home, "run"));
  summary = await runAll({ dir: join(home, "run"), reporter: silent });
  // Paths inside a run start inside it: it may lie anywhere.
  renameSync(join(home, "run"), join(home, "moved"));
}, 120_000);
afterAll(() => rmSync(home, { recursive: true }));

const run = (...args: string[]) => coppice(args, { cwd: home });
const policy = (name: string) => join(home, "moved/policies", name);

test("the toy's reward rises by adapters alone", () => {
  const reward = (name: string) => summary.policies.find((one) => one.name === name)!.reward.value;
  expect(reward("G2I2")).toBeGreaterThan(reward("G0I0") + 0.03);
});

test("every policy of the run is an adapter to G0I0, the control's too", () => {
  const names = readdirSync(join(home, "moved/policies")).sort();
  expect(names).toEqual(["G0I0", "G1I1", "G1I2", "G2I1", "G2I1-random", "G2I2", "G2I2-random"]);
  for (const name of names.slice(1)) {
    expect(readdirSync(policy(name))).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    const config = JSON.parse(readFileSync(join(policy(name), "adapter_config.json"), "utf8"));
    expect(config.base_model_name_or_path).toBe("../G0I0");
  }
});

test("export merges it for Transformers, or writes it alone with a card that names its base", async () => {
  expect((await run("export", "moved", "merged", "--quiet")).code).toBe(0);
  const [merged, adapted] = await Promise.all([
    loadModelFolder(join(home, "merged")),
    loadModelFolder(policy("G2I2")),
  ]);
  expect(merged.adapter).toBeUndefined();
  expect(merged.parameters.data).toEqual(adapted.parameters.data);
  expect(existsSync(join(home, "merged/tokenizer.json"))).toBe(true);

  const alone = await run("export", "moved", "alone", "--to", "peft");
  expect([alone.code, alone.stdout]).toEqual([
    0,
    "Wrote G2I2 to alone, for PeftModel.from_pretrained on moved/policies/G0I0.\n",
  ]);
  expect(readdirSync(join(home, "alone")).sort()).toEqual([
    "README.md",
    "adapter_config.json",
    "adapter_model.safetensors",
  ]);
  expect(JSON.parse(readFileSync(join(home, "alone/adapter_config.json"), "utf8"))).toMatchObject({
    base_model_name_or_path: "moved/policies/G0I0",
    peft_type: "LORA",
    r: 4,
    lora_alpha: 8,
    target_modules: lora.targets,
    task_type: "SEQ_2_SEQ_LM",
  });
  const { tensors } = await readSafetensors(join(home, "alone/adapter_model.safetensors"));
  // q, v of three attentions, fc1 and fc2 of two layers: A and B of each.
  expect(tensors.size).toBe(2 * (2 * 3 + 2 * 2));
  const layer = "base_model.model.model.decoder.layers.0";
  expect(tensors.get(`${layer}.encoder_attn.q_proj.lora_A.weight`)!.shape).toEqual([4, 16]);
  expect(tensors.get(`${layer}.fc1.lora_B.weight`)!.shape).toEqual([32, 4]);

  const named = await run(
    "export",
    "moved",
    "named",
    "--to",
    "peft",
    "--base",
    "me/opus: [better]",
    "--quiet",
  );
  expect(named.code).toBe(0);
  expect(readFileSync(join(home, "named/README.md"), "utf8")).toMatch(
    /^---\nbase_model: "me\/opus: \[better\]"\nlibrary_name: peft\npipeline_tag: translation\n/,
  );
});

test("a sentence says why an adapter cannot be had", async () => {
  const first = await run("export", "moved", "none", "--policy", "G0I0", "--to", "peft");
  expect([first.code, first.stderr]).toEqual([
    2,
    expect.stringContaining("policy G0I0 has no adapter: all of its weights were trained."),
  ]);
  const idle = await run("export", "moved", "none", "--base", "x");
  expect([idle.code, idle.stderr]).toEqual([2, "--base has no effect without --to peft. Remove it.\n"]);
  expect(existsSync(join(home, "none"))).toBe(false);

  // The policy of this run, on the base of another.
  const other = join(home, "other");
  cpSync(join(home, "moved"), other, { recursive: true });
  cpSync(join(home, "merged/model.safetensors"), join(other, "policies/G0I0/model.safetensors"));
  const { code, stderr } = await run("export", "other", "none");
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/G2I2\/adapter_model.safetensors: this adapter was trained on other weights/),
  ]);
});
