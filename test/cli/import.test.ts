/** `coppice import` and `coppice export`: a model of others goes through a run and out again. */
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { licenceOf } from "../../src/cli/model-card.js";
import { loadModelFolder } from "../../src/model/folder.js";
import { parseConfig, renderConfig, resolveConfig } from "../../src/rest/config.js";
import { coppice } from "./coppice.js";

const NPZ = fileURLToPath(new URL("../fixtures/marian-npz/shared", import.meta.url));
const UNIGRAM = fileURLToPath(new URL("../fixtures/opus/unigram", import.meta.url));

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "coppice-import-"));
  await cp(UNIGRAM, join(home, "model"), { recursive: true });
  const words = [
    "open the file",
    "close the window",
    "the file is old",
    "the window is new",
    "open the new window",
  ];
  const pairs = Array.from(
    { length: 60 },
    (_, i) => `${words[i % 5]} ${i}\tdie Datei ${i % 7} ist neu ${i}\n`,
  );
  await writeFile(join(home, "pairs.tsv"), pairs.join(""));
});
afterEach(() => rm(home, { recursive: true }));

const run = (...args: string[]) => coppice(args, { cwd: home });
const configFile = () => join(home, "run/coppice.yaml");

test("an imported model is the run's first policy, is improved, and is exported in its own layout", async () => {
  await writeFile(
    join(home, "model/README.md"),
    "---\nlanguage: [en, de]\nlicense: cc-by-4.0\n---\n# A model\n",
  );
  const imported = await run("import", "model", "run", "--pairs", "pairs.tsv");
  expect([imported.code, imported.stderr]).toEqual([0, ""]);
  expect(imported.stdout).toMatch(
    /^A Marian model of [\d,]+ parameters: 1 encoder and 2 decoder layers of width 16, \d+ tokens\.\nLicence: cc-by-4\.0\.\n60 pairs, /,
  );
  const config = parseConfig(await readFile(configFile(), "utf8"), "coppice.yaml");
  expect([config.model.from, config.bc.steps]).toEqual(["../model", 0]);

  const { data, model } = config;
  const small = resolveConfig({
    data: { train: data.train, validationSize: data.validationSize, testSize: data.testSize },
    model: { from: model.from },
    bc: { steps: 0 },
    reward: { kind: "chrf" },
    grow: { samples: 4, maxTokens: 10 },
    improve: {
      thresholds: { kind: "quantile", values: [0.5] },
      steps: 1,
      trainSteps: 4,
      batchTokens: 128,
      warmupSteps: 1,
      evaluateEvery: 2,
    },
    evaluate: { samples: 2, bestOfN: [1, 2], bestOfNSamples: 2, examples: 2 },
  });
  await writeFile(configFile(), renderConfig(small));
  const done = await run("run", "run");
  expect([done.code, done.stderr]).toEqual([
    0,
    expect.stringContaining("BC: the model of ../model as it is"),
  ]);

  // G0I0 is the model, bit for bit.
  const given = await loadModelFolder(join(home, "model"));
  const first = await loadModelFolder(join(home, "run/policies/G0I0"));
  expect(first.config).toEqual(given.config);
  expect(first.parameters.data).toEqual(given.parameters.data);

  const exported = await run("export", "run", "--policy", "G1I1", "--to", "huggingface", "out", "--json");
  expect([exported.code, exported.stdout]).toEqual([0, '{"policy":"G1I1","folder":"out"}\n']);
  expect((await readdir(join(home, "out"))).sort()).toEqual([
    "README.md",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "source.spm",
    "target.spm",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
  ]);
  // The card's figures are the run's, and of the base it says what its card says.
  const card = await readFile(join(home, "out/README.md"), "utf8");
  const { summary } = JSON.parse(await readFile(join(home, "run/evaluation/G1I1.json"), "utf8")) as {
    summary: { bleu: { value: number }; n: number };
  };
  expect(card).toContain(`On ${summary.n} sources`);
  expect(card).toMatch(new RegExp(`\\| G1I1 \\| [^|]* \\| ${summary.bleu.value.toFixed(1)} \\[`));
  expect(card).toContain("It started from the model `model` as it is.");
  expect(card).toContain("names the licence cc-by-4.0.");
  // It is for the user to say.
  expect(await licenceOf(join(home, "out"))).toBeUndefined();
  for (const name of ["source.spm", "target.spm", "vocab.json", "tokenizer_config.json"])
    expect((await readFile(join(home, "out", name))).equals(await readFile(join(UNIGRAM, name)))).toBe(true);
  const settings = (text: string) => {
    const { transformers_version: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
    return rest;
  };
  const [ours, theirs] = await Promise.all(
    [join(home, "out"), UNIGRAM].map(async (folder) =>
      settings(await readFile(join(folder, "generation_config.json"), "utf8")),
    ),
  );
  expect(ours).toMatchObject(theirs!);

  const forBrowsers = await run("export", "run", "--to", "transformers-js", "web");
  expect([forBrowsers.code, forBrowsers.stdout]).toEqual([
    0,
    "Wrote G1I1 to web, for @huggingface/transformers in Node and in browsers.\n",
  ]);
  const found = (await readdir(join(home, "web"), { recursive: true })).sort();
  expect(found).toEqual([
    "README.md",
    "config.json",
    "generation_config.json",
    "onnx",
    "onnx/decoder_model_merged.onnx",
    "onnx/decoder_model_merged_quantized.onnx",
    "onnx/encoder_model.onnx",
    "onnx/encoder_model_quantized.onnx",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);

  const again = await run("export", "run", "out");
  expect([again.code, again.stderr]).toEqual([2, expect.stringMatching(/^out: this is there already/)]);
}, 600_000);

describe("one sentence says what is wrong with", () => {
  test("no pairs", async () => {
    expect(await run("import", "model", "run")).toMatchObject({
      code: 2,
      stderr:
        "no pairs are given. Add --pairs FILE, for example coppice import model run --pairs pairs.tsv\n",
    });
  });

  test("a folder of another architecture; nothing is written", async () => {
    await writeFile(join(home, "model/config.json"), '{"model_type": "bert", "hidden_size": 8}');
    const { code, stderr } = await run("import", "model", "run", "--pairs", "pairs.tsv");
    expect([code, stderr]).toEqual([
      2,
      'model/config.json: model_type is "bert". Coppice reads Marian models (model_type "marian").\n',
    ]);
    expect(existsSync(join(home, "run"))).toBe(false);
  });

  test("a layout that is not written", async () => {
    const { code, stderr } = await run("export", "run", "out", "--to", "gguf");
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("Allowed choices are huggingface, transformers-js, peft"),
    ]);
  });
});

test("bc.steps may be 0 only where there is a model to start from", () => {
  const data = { train: ["a.tsv"] };
  expect(() => resolveConfig({ data, bc: { steps: 0 } })).toThrow(
    "bc.steps is 0 but must be 1 or more where model.from names no folder",
  );
});

test("a card's licence is read from its front matter alone", async () => {
  const licence = async (card: string) => {
    await writeFile(join(home, "README.md"), card);
    return licenceOf(home);
  };
  expect(await licence("---\nlicense: apache-2.0\n---\n")).toBe("apache-2.0");
  expect(await licence("---\nlicense: other\nlicense_name: mine\n---\n")).toBe("mine");
  expect(await licence("license: apache-2.0\n")).toBeUndefined();
  expect(await licence("---\nlicense: [broken\n---\n")).toBeUndefined();
  expect(await licenceOf(join(home, "nowhere"))).toBeUndefined();
});

test("a folder of Marian's own is imported as it is", async () => {
  await cp(NPZ, join(home, "npz"), { recursive: true });
  const imported = await run("import", "npz", "run", "--pairs", "pairs.tsv");
  expect([imported.code, imported.stderr]).toEqual([0, ""]);
  expect(imported.stdout).toContain("1 encoder and 2 decoder layers of width 32, 112 tokens.");
});
