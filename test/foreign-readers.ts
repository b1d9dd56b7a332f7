/** Every reader of a format that other programs write, with real files to damage. */

import { cpSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { licenceOf } from "../src/cli/model-card.js";
import { readPairs } from "../src/data/read.js";
import { loadModelFolder } from "../src/model/folder.js";
import { readSafetensors } from "../src/model/safetensors.js";
import { readTorchFile } from "../src/model/torch-file.js";
import { readJudgements } from "../src/rating/formats.js";
import { readLessons } from "../src/rating/lessons.js";
import { parseConfig } from "../src/rest/config.js";
import { commentedConfig } from "../src/rest/config-pages.js";
import { loadCalibration } from "../src/reward/calibrated.js";
import { parseStudy } from "../src/study/study.js";
import { loadTextCodec } from "../src/text/text-codec.js";
import { foreignCheckpoints } from "./foreign-checkpoints.js";
import { foreignCorpora } from "./foreign-corpora.js";
import { beside, FIXTURES, type ForeignReader, seed } from "./foreign-reader.js";
import { readManyParquet } from "./parquet-many.js";

const PAIRS = [
  ["Die Datei ist neu.", "The file is new."],
  ["öffnen", "open 漢字 🙂"],
  ["a b c", "“quoted”, it's"],
] as const;
const tsv = Buffer.from(PAIRS.map((pair) => `${pair.join("\t")}\n`).join(""));
const jsonl = Buffer.from(
  PAIRS.map(([source, target], id) => `${JSON.stringify({ id, source, target, more: [null, 1.5] })}\n`).join(
    "",
  ),
);
const ratings = Buffer.from(
  "source\ttext\tscore\trater\nDie Datei\tThe file\t4\tann\nöffnen\topen\t2.5\tbob\nneu\tnew\t1\tann\n",
);
const ratingLines = Buffer.from(
  '{"source": "Die Datei", "text": "The file", "score": 4, "rater": "ann"}\n{"source": "neu", "text": "new", "score": 2, "rater": null}\n',
);
const lessons = Buffer.from(
  'source\ttext\tz_mean\tmean_0_100\tscores\tsplit\tlog_prob\tfeatures\nDie Datei\tThe file\t0.5\t80\t[70, 90]\ttrain\t-1.5\t{"entropy": 1.2}\nneu\tnew\t-1\t20\t[20, 20]\tdev\t-2\t{"entropy": 0}\n',
);
const preferences = Buffer.from(
  '{"source": "Die Datei", "chosen": "The file", "rejected": "file", "split": "test"}\n{"source": "neu", "chosen": "new", "rejected": "old", "split": "train"}\n',
);
const card = Buffer.from(
  "---\nlanguage: [en, de]\nlicense: other\nlicense_name: 'my-licence'\ntags:\n- translation\n---\n# A model\n\n---\n",
);

async function sentences(codec: ReturnType<typeof loadTextCodec>): Promise<unknown> {
  const { source, target } = await codec;
  const ids = source.encode("open the ﬁle 漢字 🙂 </s>");
  return target.decode(ids.filter((id) => id < target.vocabularySize));
}

export const foreignReaders: readonly ForeignReader[] = [
  {
    name: "safetensors",
    file: "x.safetensors",
    seeds: ["safetensors/float32.safetensors", "safetensors/mixed.safetensors"].map(seed),
    text: false,
    read: readSafetensors,
    gate: 750,
  },
  {
    name: "a model's safetensors",
    file: "model.safetensors",
    seeds: [seed("marian/relu/model.safetensors")],
    text: false,
    prepare: beside("marian/relu"),
    read: (_path, folder) => loadModelFolder(folder),
    gate: 150,
  },
  {
    name: "pytorch_model.bin",
    file: "x.bin",
    seeds: ["torch/zip.bin", "torch/older.bin"].map(seed),
    text: false,
    read: readTorchFile,
    gate: 750,
  },
  {
    name: "config.json",
    file: "config.json",
    seeds: [seed("marian/relu/config.json")],
    text: true,
    prepare: beside("marian/relu"),
    read: (_path, folder) => loadModelFolder(folder),
    gate: 300,
  },
  {
    name: "generation_config.json",
    file: "generation_config.json",
    seeds: [seed("opus/unigram/generation_config.json")],
    text: true,
    prepare: beside("opus/unigram"),
    read: (_path, folder) => loadModelFolder(folder),
    gate: 300,
  },
  {
    name: "adapter_config.json",
    file: "adapter_config.json",
    seeds: [seed("peft/everything/adapter_config.json")],
    text: true,
    prepare: (folder) => {
      beside("peft/everything")(folder);
      cpSync(`${FIXTURES}marian/swish`, `${folder}/../../marian/swish`, { recursive: true });
    },
    read: (_path, folder) => loadModelFolder(folder),
    gate: 300,
  },
  {
    name: "adapter_model.safetensors",
    file: "adapter_model.safetensors",
    seeds: [seed("peft/attention/adapter_model.safetensors")],
    text: false,
    prepare: (folder) => {
      beside("peft/attention")(folder);
      cpSync(`${FIXTURES}marian/swish`, `${folder}/../../marian/swish`, { recursive: true });
    },
    read: (_path, folder) => loadModelFolder(folder),
    gate: 150,
  },
  {
    name: "SentencePiece models",
    file: "source.spm",
    seeds: [seed("opus/unigram/source.spm")],
    text: false,
    prepare: beside("opus/unigram"),
    read: (_path, folder) => sentences(loadTextCodec(folder)),
    gate: 300,
  },
  {
    name: "SentencePiece models of merges",
    file: "source.spm",
    seeds: [seed("opus/bpe/source.spm")],
    text: false,
    prepare: beside("opus/bpe"),
    read: (_path, folder) => sentences(loadTextCodec(folder)),
    gate: 300,
  },
  {
    name: "vocab.json",
    file: "vocab.json",
    seeds: [seed("opus/unigram/vocab.json")],
    text: true,
    prepare: beside("opus/unigram"),
    read: (_path, folder) => sentences(loadTextCodec(folder)),
    gate: 300,
  },
  {
    name: "tokenizer_config.json",
    file: "tokenizer_config.json",
    seeds: [seed("opus/unigram/tokenizer_config.json")],
    text: true,
    prepare: beside("opus/unigram"),
    read: (_path, folder) => sentences(loadTextCodec(folder)),
    gate: 300,
  },
  {
    name: "tokenizer.json",
    file: "tokenizer.json",
    seeds: [seed("tokenizer/folder/tokenizer.json")],
    text: true,
    prepare: beside("tokenizer/folder"),
    read: (_path, folder) => sentences(loadTextCodec(folder)),
    gate: 100,
  },
  {
    name: "Parquet",
    file: "pairs.parquet",
    seeds: ["parquet/snappy.parquet", "parquet/zstd.parquet", "parquet/plain.parquet"].map(seed),
    text: false,
    read: readManyParquet,
    gate: 100,
  },
  {
    name: "TSV",
    file: "pairs.tsv",
    seeds: [tsv],
    text: true,
    read: (path) => readPairs(path),
    gate: 500,
  },
  {
    name: "JSONL",
    file: "pairs.jsonl",
    seeds: [jsonl],
    text: true,
    read: (path) => readPairs(path),
    gate: 500,
  },
  {
    name: "text told by its first line",
    file: "pairs.txt",
    seeds: [tsv, jsonl],
    text: true,
    read: (path) => readPairs(path),
    gate: 300,
  },
  {
    name: "gzip",
    file: "pairs.tsv.gz",
    seeds: [gzipSync(tsv)],
    text: false,
    read: (path) => readPairs(path),
    gate: 500,
  },
  {
    name: "ratings",
    file: "ratings.tsv",
    seeds: [ratings, ratingLines],
    text: true,
    read: readJudgements,
    gate: 500,
  },
  {
    name: "coppice.yaml",
    file: "coppice.yaml",
    seeds: [
      Buffer.from(commentedConfig({ data: { train: ["a.tsv"] }, improve: { lora: {} } })),
      Buffer.from(
        "preset: [demo, raft]\ndata:\n  train: ['a.tsv']\n  test: b.tsv\n  sourceColumn: null\nreward: {kind: sum, parts: [{kind: chrf, weight: &w 3}, {kind: bleu, weight: *w}]}\n",
      ),
    ],
    text: true,
    read: async (path) => parseConfig(readFileSync(path, "utf8"), path),
    gate: 150,
  },
  {
    name: "a study's YAML",
    file: "study.yaml",
    seeds: [readFileSync(new URL("../examples/study.yaml", import.meta.url))],
    text: true,
    read: async (path) => parseStudy(readFileSync(path, "utf8"), path, { madePairs: "pairs.tsv" }),
    gate: 150,
  },
  {
    name: "ratings to learn from",
    file: "ratings.tsv",
    seeds: [lessons, preferences],
    text: true,
    read: readLessons,
    gate: 200,
  },
  {
    name: "a calibration",
    file: "calibration.json",
    seeds: [Buffer.from('{"kind":"quantile","raw":[-1.5,0,2],"reward":[0.1,0.5,0.9]}')],
    text: true,
    read: loadCalibration,
    gate: 100,
  },
  ...foreignCorpora,
  ...foreignCheckpoints,
  {
    name: "a model's card",
    file: "README.md",
    seeds: [card],
    text: true,
    read: (_path, folder) => licenceOf(folder),
    gate: 300,
  },
];
