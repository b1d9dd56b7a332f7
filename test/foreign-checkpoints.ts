/** Readers of others' checkpoints: Marian's own, and those of pretrained rewards. */

import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { openCheckpoint } from "../src/model/checkpoint.js";
import { loadModelFolder } from "../src/model/folder.js";
import { mt5Shapes, parseMt5Config } from "../src/model/mt5.js";
import { readConfigJson } from "../src/model/mt5-folder.js";
import { readNpz } from "../src/model/npz.js";
import { openTensorBundle } from "../src/model/tensor-bundle.js";
import { openTrainingCheckpoint } from "../src/model/torch-file.js";
import { readBleurtFolder } from "../src/reward/pretrained/bleurt/folder.js";
import { readBleurtWeights } from "../src/reward/pretrained/bleurt/weights.js";
import { readModel, readWeights } from "../src/reward/pretrained/comet/checkpoint.js";
import { loadTokenizer } from "../src/reward/pretrained/comet/text.js";
import { loadPieceTokenizer } from "../src/text/piece-tokenizer.js";
import { loadTextCodec } from "../src/text/text-codec.js";
import { beside, FIXTURES, type ForeignReader, seed } from "./foreign-reader.js";

const KIWI = "comet/kiwi";
const PUBLISHED = "bleurt/published";
const NPZ = "opus.spm32k-spm32k.transformer-align.model1.npz.best-perplexity.npz";

/** One file of a folder of fixtures, read with the others beside it. */
function part(
  name: string,
  folder: string,
  file: string,
  read: (folder: string) => Promise<unknown>,
  given?: Uint8Array,
): ForeignReader {
  return {
    name,
    file,
    seeds: [given ?? seed(`${folder}/${file}`)],
    text: /\.(?:json|ya?ml)$/.test(file),
    prepare: (place) => {
      beside(folder)(place);
      if (folder === PUBLISHED) writeFileSync(join(place, "saved_model.pb"), graph);
    },
    read: (_path, place) => read(place),
    gate: 40,
  };
}

const graph = gunzipSync(seed(`${PUBLISHED}/saved_model.pb.gz`));

async function marian(folder: string): Promise<void> {
  await loadModelFolder(folder);
}

async function codec(folder: string): Promise<unknown> {
  const { source, target } = await loadTextCodec(folder);
  return target.decode(source.encode("open the ﬁle 漢字 🙂 </s>").filter((id) => id < target.vocabularySize));
}

async function comet(folder: string): Promise<void> {
  await readWeights(await readModel(folder, join(folder, "sentencepiece.bpe.model")));
}

async function bleurt(folder: string): Promise<void> {
  await readBleurtWeights(await readBleurtFolder(folder));
}

async function everyTensor(folder: string): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  try {
    for (const [name, shape] of checkpoint.shapes) await checkpoint.read(name, shape);
  } finally {
    await checkpoint.close();
  }
}

async function everyTensorOf(prefix: string): Promise<void> {
  const bundle = await openTensorBundle(prefix);
  try {
    for (const name of bundle.shapes.keys()) await bundle.read(name);
  } finally {
    await bundle.close();
  }
}

async function pieces(file: string): Promise<number[]> {
  return (await loadPieceTokenizer(file)).encode("open the ﬁle 漢字 🙂 </s>");
}

export const foreignCheckpoints: readonly ForeignReader[] = [
  part("Marian's npz", "marian-npz/shared", NPZ, marian),
  part("a deflated npz", "marian-npz/separate", "model.npz", marian),
  part("Marian's decoder.yml", "marian-npz/shared", "decoder.yml", marian),
  part("Marian's vocab.yml", "marian-npz/shared", "opus.spm32k-spm32k.vocab.yml", codec),
  {
    name: "npy",
    file: "x.npz",
    seeds: ["marian-npz/small.npz", "marian-npz/deflated.npz"].map(seed),
    text: false,
    read: readNpz,
    gate: 300,
  },
  part("COMET's hparams.yaml", KIWI, "hparams.yaml", comet),
  part("COMET's checkpoint", KIWI, "checkpoints/model.ckpt", comet),
  part("an older COMET's checkpoint", "comet/da", "checkpoints/model.ckpt", async (folder) => {
    cpSync(`${FIXTURES}comet/tokenizer/config.json`, join(folder, "config.json"));
    await comet(folder);
  }),
  part("the config.json of COMET's encoder", KIWI, "config.json", comet),
  part("the tokenizer of COMET's encoder", KIWI, "sentencepiece.bpe.model", (folder) =>
    loadTokenizer(join(folder, "sentencepiece.bpe.model")).then((found) => found.encode("open 漢字 🙂")),
  ),
  part("its tokenizer.json", "comet/tokenizer", "tokenizer.json", (folder) =>
    loadTokenizer(join(folder, "tokenizer.json")).then((found) => found.encode("open 漢字 🙂")),
  ),
  part("BLEURT's bleurt_config.json", PUBLISHED, "bleurt_config.json", bleurt),
  part("BLEURT's bert_config.json", PUBLISHED, "bert_config.json", bleurt),
  part("BLEURT's saved_model.pb", PUBLISHED, "saved_model.pb", bleurt, graph),
  part("BLEURT's variables.index", PUBLISHED, "variables/variables.index", bleurt),
  part("BLEURT's variables", PUBLISHED, "variables/variables.data-00000-of-00001", bleurt),
  part("BLEURT's sent_piece.model", PUBLISHED, "sent_piece.model", (folder) =>
    pieces(join(folder, "sent_piece.model")),
  ),
  part("config.json of BLEURT's port", "bleurt/port", "config.json", bleurt),
  part("weights of BLEURT's port", "bleurt/port", "model.safetensors", bleurt),
  part("a TensorFlow index in Snappy", "tensor-bundle", "snappy.index", (folder) =>
    everyTensorOf(join(folder, "snappy")),
  ),
  part("TensorFlow's numbers", "tensor-bundle", "types.data-00000-of-00001", (folder) =>
    everyTensorOf(join(folder, "types")),
  ),
  part("MetricX's config.json", "metricx", "config.json", async (folder) =>
    mt5Shapes(parseMt5Config(await readConfigJson(folder), folder)),
  ),
  part("MetricX's spiece.model", "metricx", "spiece.model", (folder) => pieces(join(folder, "spiece.model"))),
  part("MetricX's tokenizer.json", "metricx", "tokenizer.json", (folder) =>
    pieces(join(folder, "tokenizer.json")),
  ),
  part(
    "the index of safetensors shards",
    "metricx/sharded-safetensors",
    "model.safetensors.index.json",
    everyTensor,
  ),
  part("the index of PyTorch shards", "metricx/sharded-torch", "pytorch_model.bin.index.json", everyTensor),
  {
    name: "a checkpoint of training",
    file: "training.ckpt",
    seeds: [seed("torch/training.ckpt")],
    text: false,
    read: async (path) => {
      const checkpoint = await openTrainingCheckpoint(path);
      try {
        for (const name of checkpoint.shapes.keys()) await checkpoint.read(name);
      } finally {
        await checkpoint.close();
      }
    },
    gate: 200,
  },
];
