import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { type MarianConfig, newConfig } from "../../src/model/config.js";
import { loadModelFolder, saveModelFolder, weightFiles } from "../../src/model/folder.js";
import { initialise } from "../../src/model/initialise.js";
import { positionTable } from "../../src/model/marian.js";
import { readSafetensors, type StoredTensor, writeSafetensors } from "../../src/model/safetensors.js";

const RELU = new URL("../fixtures/marian/relu", import.meta.url).pathname;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-model-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A copy of the fixture whose tensors `change` has changed. */
async function changed(change: (tensors: Map<string, StoredTensor>) => void): Promise<string> {
  cpSync(RELU, folder, { recursive: true });
  const { tensors } = await readSafetensors(join(RELU, "model.safetensors"));
  change(tensors);
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  return folder;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

const unshared: MarianConfig = {
  ...newConfig({
    width: 16,
    inner: 24,
    heads: 2,
    encoderLayers: 1,
    decoderLayers: 2,
    vocabulary: 30,
    targetVocabulary: 20,
    shared: false,
    eosId: 0,
    padId: 1,
    dropout: 0.2,
    maxPositions: 40,
  }),
  activation: "gelu",
  scaleEmbedding: false,
};

describe("saving and loading", () => {
  it.each([
    ["shared", { ...unshared, sharedEmbeddings: true, targetVocabulary: 30 }],
    ["unshared", unshared],
  ])("a model with %s embeddings comes back bit for bit", async (_name, config) => {
    const weights = initialise(config, 1);
    await saveModelFolder(folder, config, weights);
    const loaded = await loadModelFolder(folder);
    expect(loaded.config).toEqual(config);
    expect(loaded.parameters.specs).toEqual(weights.specs);
    expect(loaded.parameters.data).toEqual(weights.data);
  });

  it("what Transformers wrote is written again with the same bytes", async () => {
    const { config, parameters } = await loadModelFolder(RELU);
    await saveModelFolder(folder, config, parameters);
    const name = "model.safetensors";
    expect(readFileSync(join(folder, name)).equals(readFileSync(join(RELU, name)))).toBe(true);
  });

  it("the folder is made, and nothing but its three files is left in it", async () => {
    const inner = join(folder, "policies", "G0I0");
    await saveModelFolder(inner, unshared, initialise(unshared, 1));
    expect(readdirSync(inner).sort()).toEqual(["config.json", "generation_config.json", "model.safetensors"]);
  });

  it("the generation settings forbid <pad> and force nothing", async () => {
    await saveModelFolder(folder, unshared, initialise(unshared, 1));
    expect(JSON.parse(readFileSync(join(folder, "generation_config.json"), "utf8"))).toEqual({
      bad_words_ids: [[1]],
      decoder_start_token_id: 1,
      eos_token_id: 0,
      forced_eos_token_id: null,
      max_length: 40,
      num_beams: 1,
      pad_token_id: 1,
    });
  });

  it("a folder that cannot be written is named", async () => {
    writeFileSync(join(folder, "file"), "");
    const path = join(folder, "file", "model");
    expect(await failure(saveModelFolder(path, unshared, initialise(unshared, 1)))).toContain(path);
  });
});

describe("what a folder may hold beside the weights themselves", () => {
  it("all tied names, if they hold the same numbers", async () => {
    const before = await loadModelFolder(RELU);
    const path = await changed((tensors) => {
      const shared = tensors.get("model.shared.weight")!;
      for (const name of [
        "lm_head.weight",
        "model.encoder.embed_tokens.weight",
        "model.decoder.embed_tokens.weight",
      ])
        tensors.set(name, shared);
    });
    expect((await loadModelFolder(path)).parameters.data).toEqual(before.parameters.data);
  });

  it("any one of the tied names", async () => {
    const before = await loadModelFolder(RELU);
    const path = await changed((tensors) => {
      tensors.set("lm_head.weight", tensors.get("model.shared.weight")!);
      tensors.delete("model.shared.weight");
    });
    expect((await loadModelFolder(path)).parameters.data).toEqual(before.parameters.data);
  });

  it("sinusoidal positions", async () => {
    const path = await changed((tensors) => {
      for (const part of ["encoder", "decoder"])
        tensors.set(`model.${part}.embed_positions.weight`, { shape: [64, 16], data: positionTable(64, 16) });
    });
    await loadModelFolder(path);
  });

  it("no final_logits_bias, which is then zero", async () => {
    const path = await changed((tensors) => tensors.delete("final_logits_bias"));
    const { parameters } = await loadModelFolder(path);
    expect(parameters.view("final_logits_bias").every((bias) => bias === 0)).toBe(true);
  });
});

it("a model in shards is the same as in one file", async () => {
  for (const name of ["config.json", "generation_config.json"]) cpSync(join(RELU, name), join(folder, name));
  const { tensors } = await readSafetensors(join(RELU, "model.safetensors"));
  const names = [...tensors.keys()];
  const shards = [names.filter((_, i) => i % 2 === 0), names.filter((_, i) => i % 2 === 1)];
  const map: Record<string, string> = {};
  for (const [i, some] of shards.entries()) {
    const file = `model-0000${i + 1}-of-00002.safetensors`;
    await writeSafetensors(join(folder, file), new Map(some.map((name) => [name, tensors.get(name)!])));
    for (const name of some) map[name] = file;
  }
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
  const whole = await loadModelFolder(RELU);
  const loaded = await loadModelFolder(folder);
  expect(loaded.config).toEqual(whole.config);
  expect(loaded.parameters.data).toEqual(whole.parameters.data);
  expect((await weightFiles(folder)).map((file) => basename(file)).sort()).toEqual([
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
  ]);
});

describe("one sentence says what is wrong with", () => {
  it("a folder that is not there", async () => {
    expect(await failure(loadModelFolder(join(folder, "nowhere")))).toBe(
      `${join(folder, "nowhere", "config.json")}: there is no such file. A model folder holds config.json and model.safetensors.`,
    );
  });

  it("a folder without weights", async () => {
    cpSync(join(RELU, "config.json"), join(folder, "config.json"));
    expect(await failure(loadModelFolder(folder))).toBe(
      `${join(folder, "model.safetensors")}: there is no such file. Copy the model folder again, with its weights.`,
    );
  });

  it("weights in another program's form, or an index that is none", async () => {
    cpSync(join(RELU, "config.json"), join(folder, "config.json"));
    writeFileSync(join(folder, "tf_model.h5"), "");
    expect(await failure(loadModelFolder(folder))).toContain(
      "only tf_model.h5. Load the model in Transformers",
    );
    writeFileSync(join(folder, "pytorch_model.bin.index.json"), "");
    expect(await failure(loadModelFolder(folder))).toContain("pytorch_model.bin.index.json: is not JSON");
  });

  it("a missing tensor", async () => {
    const path = await changed((tensors) => tensors.delete("model.decoder.layers.0.fc1.bias"));
    expect(await failure(loadModelFolder(path))).toBe(
      `${join(path, "model.safetensors")}: tensor "model.decoder.layers.0.fc1.bias" of shape [24] is missing. ` +
        "Copy the model folder again, or correct config.json.",
    );
  });

  it("a missing embedding", async () => {
    const path = await changed((tensors) => tensors.delete("model.shared.weight"));
    expect(await failure(loadModelFolder(path))).toContain(
      'tensor "model.shared.weight" of shape [40,16] is missing',
    );
  });

  it("a tensor too many", async () => {
    const path = await changed((tensors) =>
      tensors.set("model.encoder.layers.1.fc1.bias", { shape: [1], data: Float32Array.of(0) }),
    );
    expect(await failure(loadModelFolder(path))).toContain(
      'tensor "model.encoder.layers.1.fc1.bias" has no place in the network',
    );
  });

  it("a tensor of another shape, though of the same size", async () => {
    const path = await changed((tensors) => {
      const { data } = tensors.get("model.decoder.layers.0.fc1.weight")!;
      tensors.set("model.decoder.layers.0.fc1.weight", { shape: [16, 24], data });
    });
    expect(await failure(loadModelFolder(path))).toContain(
      'tensor "model.decoder.layers.0.fc1.weight" has shape [16,24], but config.json asks for [24,16]',
    );
  });

  it("a tensor of whole numbers", async () => {
    const path = await changed((tensors) =>
      tensors.set("final_logits_bias", { shape: [1, 40], data: new BigInt64Array(40) }),
    );
    expect(await failure(loadModelFolder(path))).toContain('tensor "final_logits_bias" holds whole numbers');
  });

  it("tied names that hold different numbers", async () => {
    const path = await changed((tensors) => {
      const { shape, data } = tensors.get("model.shared.weight")!;
      tensors.set("lm_head.weight", { shape, data: (data as Float32Array).map((x) => x + 1) });
    });
    expect(await failure(loadModelFolder(path))).toContain(
      'tensors "model.shared.weight" and "lm_head.weight" differ, but config.json ties them',
    );
  });

  it("learned positions", async () => {
    const path = await changed((tensors) =>
      tensors.set("model.encoder.embed_positions.weight", {
        shape: [64, 16],
        data: new Float32Array(64 * 16),
      }),
    );
    expect(await failure(loadModelFolder(path))).toContain(
      'tensor "model.encoder.embed_positions.weight" holds other positions',
    );
  });

  it("a config.json of another kind of model", async () => {
    cpSync(RELU, folder, { recursive: true });
    const text = readFileSync(join(folder, "config.json"), "utf8").replace('"marian"', '"t5"');
    writeFileSync(join(folder, "config.json"), text);
    expect(await failure(loadModelFolder(folder))).toBe(
      `${join(folder, "config.json")}: model_type is "t5". Coppice reads Marian models (model_type "marian").`,
    );
  });

  // Each would fill the memory if it were believed before the weights are looked at.
  it.each([
    ["encoder_layers", "encoder_layers: Too big"],
    ["d_model", "whose table of width 99999998 has more than"],
    ["max_position_embeddings", "max_position_embeddings is 99999998"],
    ["vocab_size", 'tensor "model.shared.weight" has shape'],
    ["decoder_ffn_dim", 'fc1.weight" has shape'],
  ])("a %s of 99999998", async (key, what) => {
    cpSync(RELU, folder, { recursive: true });
    const file = join(folder, "config.json");
    const json = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...json, [key]: 99_999_998 }));
    expect(await failure(loadModelFolder(folder))).toContain(what);
  });

  it("a config.json that is cut short", async () => {
    cpSync(RELU, folder, { recursive: true });
    writeFileSync(join(folder, "config.json"), '{"model_type": "mar');
    expect(await failure(loadModelFolder(folder))).toContain("this is not JSON");
  });
});
