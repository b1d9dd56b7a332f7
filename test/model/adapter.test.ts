/** LoRA against PEFT: what it computes with the adapters of test/fixtures/peft (see make.py there), and its layout. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { saveAdapterFolder } from "../../src/model/adapter-folder.js";
import { loadModelFolder, type StoredModel } from "../../src/model/folder.js";
import { adaptedLayers, initialiseLora, loraNames, loraSpecs, mergeLora } from "../../src/model/lora.js";
import { Marian } from "../../src/model/marian.js";
import { readSafetensors } from "../../src/model/safetensors.js";
import type { Group } from "../../src/policy/batches.js";
import { BatchFeeder, recordTeacherForcing, tokenGraph } from "../../src/policy/network.js";
import { gradients } from "../../src/tensor/differentiate.js";
import { Graph, type Value } from "../../src/tensor/graph.js";
import { Parameters } from "../../src/tensor/parameters.js";
import { floatData, Program } from "../../src/tensor/program.js";
import { largestDifference } from "./marian-fixture.js";

const FIXTURES = new URL("../fixtures/", import.meta.url).pathname;
const BASE = join(FIXTURES, "marian/swish");
const folder = (name: string) => join(FIXTURES, "peft", name);

interface Results {
  readonly inputIds: number[][];
  readonly labels: number[][];
  readonly logits: number[][][];
  readonly mergedLogits: number[][][];
  readonly loss: number;
}

const made = mkdtempSync(join(tmpdir(), "coppice-adapter-"));
afterAll(() => rmSync(made, { recursive: true }));

describe.each(["attention", "everything"])("the adapter %s of PEFT 0.21.2", (name) => {
  let results: Results;
  let groups: Group[];
  let adapted: StoredModel;
  let base: StoredModel;
  let feeder: BatchFeeder;

  beforeAll(async () => {
    results = JSON.parse(readFileSync(`${folder(name)}.json`, "utf8")) as Results;
    adapted = await loadModelFolder(folder(name));
    base = await loadModelFolder(BASE);
    feeder = new BatchFeeder(base.config);
    groups = results.inputIds.map((ids, row) => ({
      source: ids.filter((id) => id !== base.config.padId),
      targets: [{ tokens: results.labels[row]!.filter((label) => label >= 0), weight: 1 }],
    }));
  });

  it("gives the same logits, merged into the base's weights", async () => {
    const graph = new Graph();
    const marian = new Marian(graph, adapted.config);
    const program = await Program.compile(graph, { logits: marian.logits(recordTeacherForcing(marian)) });
    const { feeds, symbols } = feeder.batch(groups, 1);
    const outputs = await program.run({ ...adapted.parameters.feeds(), ...feeds }, symbols);
    await program.release();
    const logits = floatData(outputs.logits);
    const [time, vocabulary] = [symbols.time!, adapted.config.targetVocabulary];
    groups.forEach(({ targets }, row) => {
      const length = targets[0]!.tokens.length;
      const ours = logits.subarray(row * time * vocabulary, (row * time + length) * vocabulary);
      for (const theirs of [results.logits, results.mergedLogits])
        expect(largestDifference(ours, theirs[row]!.slice(0, length).flat()).difference).toBeLessThan(1e-4);
    });
  });

  it("gives the same loss and the same gradient of A and B, beside a base that stays as it is", async () => {
    const { lora, weights } = adapted.adapter!;
    const { graph, loss } = tokenGraph(base.config, { smoothing: 0, dropout: false, lora });
    const wanted = graph.values.filter(
      ({ name, source }) => source.kind === "parameter" && weights.has(name),
    );
    const outputs: Record<string, Value> = { loss };
    gradients(loss, wanted).forEach(({ dense }, i) => {
      outputs[`d.${wanted[i]!.name}`] = dense!;
    });
    const program = await Program.compile(graph, outputs);
    const tokens = groups.reduce((sum, { targets }) => sum + targets[0]!.tokens.length, 0);
    const { feeds, symbols } = feeder.batch(groups, 1 / tokens);
    const found = await program.run({ ...base.parameters.feeds(), ...weights.feeds(), ...feeds }, symbols);
    await program.release();
    expect(Math.abs(floatData(found.loss)[0]! - results.loss)).toBeLessThan(1e-4);
    const { tensors } = await readSafetensors(`${folder(name)}.gradients.safetensors`);
    expect(weights.specs.map((spec) => `base_model.model.${spec.name}`).sort()).toEqual(
      [...tensors.keys()].sort(),
    );
    for (const { name: matrix } of weights.specs) {
      const theirs = tensors.get(`base_model.model.${matrix}`)!.data as Float32Array;
      const { difference, at } = largestDifference(floatData(found[`d.${matrix}`]), theirs);
      expect(difference, `${matrix}[${at}]`).toBeLessThan(1e-5);
      expect(theirs.some((number) => Math.abs(number) > 1e-3)).toBe(true);
    }
  });

  it("is written as PEFT writes it: the same tensors and the same settings", async () => {
    const { lora, weights } = adapted.adapter!;
    const copy = join(made, name);
    const peft = JSON.parse(readFileSync(join(folder(name), "adapter_config.json"), "utf8"));
    await saveAdapterFolder(copy, {
      lora,
      dropout: peft.lora_dropout,
      weights,
      base: "../../marian/swish",
      baseWeights: base.parameters,
    });
    const [ours, theirs] = await Promise.all(
      [copy, folder(name)].map((one) => readSafetensors(join(one, "adapter_model.safetensors"))),
    );
    expect([...ours!.tensors]).toEqual([...theirs!.tensors]);
    const config = JSON.parse(readFileSync(join(copy, "adapter_config.json"), "utf8"));
    const expected = Object.fromEntries(Object.keys(config).map((key) => [key, peft[key]] as const));
    // The fixture's A and B are random; and targets are a set.
    expect({ ...config, target_modules: [...config.target_modules].sort() }).toEqual({
      ...expected,
      init_lora_weights: true,
      target_modules: [...expected.target_modules].sort(),
    });
  });
});

describe("an adapter", () => {
  const lora = { rank: 2, alpha: 3, targets: ["v_proj", "fc2"] as const };

  it("adds α/r·B·A to a matrix", async () => {
    const { config, parameters } = await loadModelFolder(BASE);
    const adapter = new Parameters(loraSpecs(config, lora));
    const layer = "model.decoder.layers.1.fc2";
    const { a, b } = loraNames(layer);
    // Row 1 of B is [2, −1], so that row 1 of B·A is 2·a₀ − a₁ = 2·(i) − (10 − i).
    adapter.view(b).set([2, -1], 2);
    const inner = config.decoderInner;
    for (let i = 0; i < inner; i++) adapter.view(a).set([i], i);
    for (let i = 0; i < inner; i++) adapter.view(a).set([10 - i], inner + i);
    const merged = parameters.like(parameters.data.slice());
    mergeLora(config, lora, parameters, adapter, merged);
    const [before, after] = [parameters.view(`${layer}.weight`), merged.view(`${layer}.weight`)];
    for (let i = 0; i < inner; i++)
      expect(after[inner + i]).toBe(Math.fround(before[inner + i]! + 1.5 * (2 * i - (10 - i))));
    // Nothing else is touched.
    after.set(before.subarray(inner, 2 * inner), inner);
    expect(merged.data).toEqual(parameters.data);
  });

  it("changes no bit while it is fresh, whose A is within ±1/√in and whose B is 0", async () => {
    const { config, parameters } = await loadModelFolder(BASE);
    const adapter = initialiseLora(config, lora, 5);
    const merged = parameters.like(parameters.data.slice());
    mergeLora(config, lora, parameters, adapter, merged);
    expect(Buffer.from(merged.data.buffer).equals(Buffer.from(parameters.data.buffer))).toBe(true);
    const layers = adaptedLayers(config, lora);
    // v_proj of two encoder layers and of two attentions in three decoder layers; fc2 of all five.
    expect(layers).toHaveLength(2 + 2 * 3 + 5);
    for (const layer of layers) {
      const { a, b } = loraNames(layer.name);
      const bound = 1 / Math.sqrt(layer.in);
      const sizes = adapter.view(a).map(Math.abs);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(Math.fround(bound));
      expect(Math.max(...sizes)).toBeGreaterThan(0.8 * bound);
      expect(adapter.view(b).every((number) => number === 0)).toBe(true);
    }
    expect(initialiseLora(config, lora, 5).data).toEqual(adapter.data);
    expect(initialiseLora(config, lora, 6).data).not.toEqual(adapter.data);
  });

  const damaged = (change: (config: Record<string, unknown>) => void): string => {
    const copy = mkdtempSync(join(made, "bad-"));
    cpSync(folder("attention"), copy, { recursive: true });
    const file = join(copy, "adapter_config.json");
    const config = JSON.parse(readFileSync(file, "utf8"));
    config.base_model_name_or_path = BASE;
    change(config);
    writeFileSync(file, JSON.stringify(config));
    return copy;
  };
  const sentence = async (path: string): Promise<string> => {
    const error: unknown = await loadModelFolder(path).then(
      () => undefined,
      (refused: unknown) => refused,
    );
    if (!(error instanceof UserError)) throw error ?? new Error("it was read");
    return error.message;
  };

  it("is refused by name where Coppice does not compute it", async () => {
    const refused = (change: Record<string, unknown>) =>
      sentence(damaged((config) => void Object.assign(config, change)));
    expect(await refused({ peft_type: "IA3" })).toMatch(/peft_type: .*Coppice reads LoRA adapters/);
    expect(await refused({ r: 0 })).toMatch(/adapter_config.json: r: /);
    expect(await refused({ target_modules: ["q_proj", "lm_head"] })).toContain(
      'target_modules has "lm_head", but the layers that Coppice adapts are q_proj, k_proj, v_proj, out_proj, fc1, fc2.',
    );
    expect(await refused({ use_dora: true })).toContain("use_dora is true, which Coppice does not compute");
    expect(await refused({ rank_pattern: { fc1: 4 } })).toContain('rank_pattern is {"fc1":4}');
    expect(await refused({ bias: "all" })).toContain('bias is "all"');
    expect(await refused({ init_lora_weights: "pissa" })).toMatch(/init_lora_weights: /);
    expect(await refused({ r: 3 })).toMatch(
      /lora_A.weight" of shape \[3,16\] is missing or has another shape/,
    );
    expect(await refused({ target_modules: ["q_proj"] })).toMatch(/v_proj.lora_A.weight" has no place/);
    expect(await refused({ base_model_name_or_path: "Helsinki-NLP/opus-mt-de-en" })).toMatch(
      /"Helsinki-NLP\/opus-mt-de-en", and there is no model folder of that name. Download the model/,
    );
    expect(await refused({ base_model_name_or_path: folder("everything") })).toContain(
      "is an adapter itself",
    );
    expect(await refused({ base_model_name_or_path: join(FIXTURES, "marian/relu") })).toMatch(
      /is missing or has another shape|has no place/,
    );
  });

  it("is refused on other weights than it was trained on", async () => {
    const { config, parameters } = await loadModelFolder(BASE);
    const copy = join(made, "trained");
    const weights = initialiseLora(config, lora, 1);
    const save = (baseWeights: Parameters) =>
      saveAdapterFolder(copy, { lora, dropout: 0, weights, base: BASE, baseWeights });
    await save(parameters);
    expect((await loadModelFolder(copy)).parameters.data).toEqual(parameters.data);
    const other = parameters.like(parameters.data.slice());
    other.data[7]! += 1e-6;
    await save(other);
    expect(await sentence(copy)).toMatch(
      /adapter_model.safetensors: this adapter was trained on other weights than those .* from the same run/,
    );
  });
});
