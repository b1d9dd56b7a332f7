/** The candidates of a run as a folder that Hugging Face's `datasets` loads, with a card. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { UserError } from "../errors.js";
import { NOTICES, textsOf } from "../notices.js";
import { escapeMarkdown } from "../report/escape.js";
import { count, decimal, percent, rewardPoints } from "../report/format.js";
import { type CandidateStats, CandidateStore } from "../store/candidate-store.js";
import { candidateFiles } from "../store/candidates.js";
import { fileList, openEngine, quote } from "../store/duckdb.js";
import type { RunRecord } from "./record.js";

/** Columns of the data set: what a reader needs of a candidate. Tokens are left out, since their numbers are the run's own. */
const COLUMNS = [
  ["grow", "int32", "Grow step", "grow"],
  ["source_id", "int64", "number of the source in the training part", "source_id"],
  ["sample_id", "int32", "number of the sample; -1 for human translations", "sample_id"],
  ["source", "string", "what was to be translated", "source"],
  ["text", "string", "the translation", "text"],
  ["reward", "float64", "in [0, 1], higher is better; null where it was not scored", "reward"],
  [
    "log_probability",
    "float64",
    "of the text, by the policy that wrote it, in nats; null for human ones",
    "list_sum(log_prob)::DOUBLE",
  ],
  [
    "tokens",
    "int32",
    "tokens that the policy wrote, the end included; 0 for human ones",
    "len(tokens)::INTEGER",
  ],
  ["finished", "bool", "false where it was cut at the length limit", "finished"],
  ["origin", "string", "`policy`, or `human` for the pairs of the corpus", "origin"],
] as const;

const sourceSchema = z.object({
  recipe: z.string(),
  licence: z.string(),
  terms: z.string(),
  attribution: z.string(),
  address: z.string(),
});
export type CorpusSource = z.infer<typeof sourceSchema>;
const sourcesSchema = z.union([z.array(sourceSchema), sourceSchema.transform((one) => [one])]);

export interface DatasetExport {
  rows: number;
  files: string[];
}

interface GrowFacts {
  grow: number;
  file: string;
  stats: CandidateStats;
}

/**
 * One Parquet file a finished Grow step in `folder/data`, `README.md`, and the notices that stand beside the corpora.
 *
 * @throws UserError where no Grow step is finished.
 */
export async function writeDataset(folder: string, record: RunRecord, title: string): Promise<DatasetExport> {
  const { manifest, folder: run } = record;
  const grows = manifest.steps.flatMap(({ name }) => {
    const grow = Number(/^score-(\d+)$/.exec(name)?.[1]);
    return grow >= 1 ? [grow] : [];
  });
  if (grows.length === 0)
    throw new UserError("no Grow step of this run is scored yet, expected one; coppice run makes it.", {
      file: run.root,
    });
  // A damaged file is told as such before the engine reads it.
  for (const grow of grows) await manifest.check({ hash: false, within: `grow-${grow}` });
  await mkdir(join(folder, "data"));
  const facts: GrowFacts[] = [];
  for (const [index, grow] of grows.entries()) {
    const number = (value: number) => String(value).padStart(5, "0");
    const file = `data/train-${number(index)}-of-${number(grows.length)}.parquet`;
    await copyCandidates(candidateFiles(run.grow(grow)), join(folder, file));
    const store = await CandidateStore.open(run.grow(grow), { spillFolder: folder });
    try {
      facts.push({ grow, file, stats: await store.stats() });
    } finally {
      store.close();
    }
  }
  const corpora = corporaOf(record);
  const sources = await sourcesOf(corpora);
  await copyNotices(corpora, folder);
  const rows = facts.reduce((sum, { stats }) => sum + stats.candidates, 0);
  await writeFile(join(folder, "README.md"), datasetCard({ title, rows, facts, sources }));
  return { rows, files: facts.map(({ file }) => file) };
}

async function copyCandidates(files: readonly string[], out: string): Promise<void> {
  const engine = await openEngine(out);
  const connection = await engine.instance.connect();
  try {
    const columns = COLUMNS.map(([name, , , value]) => `${value} AS ${name}`).join(", ");
    await connection.run(
      `COPY (SELECT ${columns} FROM read_parquet(${fileList(files)}) ORDER BY source_id, sample_id) TO ${quote(out)} (FORMAT parquet)`,
    );
  } finally {
    connection.closeSync();
    engine.close();
  }
}

/** What `coppice data get` wrote beside the corpora that the run learned from; `data clean` writes a list for several. */
async function sourcesOf(corpora: readonly string[]): Promise<CorpusSource[]> {
  const found: CorpusSource[] = [];
  for (const text of await textsOf(corpora, "source.json")) {
    try {
      found.push(...sourcesSchema.parse(JSON.parse(text)));
    } catch {
      // Another program's file of that name says nothing of this.
    }
  }
  return found;
}

/** Folders of the files that the run learned from. */
function corporaOf({ folder, manifest }: RunRecord): string[] {
  const config = z.object({ data: z.object({ train: z.array(z.string()) }) }).safeParse(manifest.config);
  const files = config.data?.data.train.flatMap((spec) => spec.split(",")) ?? [];
  return [...new Set(files.map((file) => dirname(resolve(dirname(folder.config), file.trim()))))];
}

/** What the licences ask to go along with the text; of several corpora one after another. */
async function copyNotices(corpora: readonly string[], out: string): Promise<void> {
  for (const name of NOTICES) {
    const texts = new Set((await textsOf(corpora, name)).map((text) => text.trimEnd()));
    if (texts.size > 0) await writeFile(join(out, name), `${[...texts].join("\n\n")}\n`);
  }
}

interface CardFacts {
  title: string;
  rows: number;
  facts: readonly GrowFacts[];
  sources: readonly CorpusSource[];
}

/** https://huggingface.co/docs/hub/datasets-cards; the numbers are those of the files beside it. */
export function datasetCard({ title, rows, facts, sources }: CardFacts): string {
  const front = {
    pretty_name: title,
    task_categories: ["translation"],
    tags: ["reinforced-self-training", "machine-generated"],
    size_categories: [sizeCategory(rows)],
    configs: [{ config_name: "default", data_files: [{ split: "train", path: "data/train-*" }] }],
  };
  const figures = facts.map(
    ({ grow, stats }) =>
      `| ${grow} | ${count(stats.candidates)} | ${count(stats.human)} | ${count(stats.sources)} | ${rewardPoints(stats.meanReward)} | ` +
      `${rewardPoints(stats.maxReward)} | ${decimal(stats.meanTokens, 1)} | ${percent(stats.unfinishedShare)} |`,
  );
  const from = sources.map(
    ({ recipe, licence, terms, attribution, address }) =>
      `- ${escapeMarkdown(recipe)}: ${escapeMarkdown(licence)}. ${escapeMarkdown(terms)} ${escapeMarkdown(attribution)}. <${address}>`,
  );
  return [
    // A comment for its owner to fill in: an empty value would be read as one.
    `---\n# license: \n# language: [from, to]\n${stringify(front)}---`,
    `# ${escapeMarkdown(title)}`,
    "Candidate translations that a policy sampled, with their rewards, and the human translations of the same sources: the Grow " +
      "steps of a run of Coppice (Reinforced Self-Training, [arXiv 2308.08998](https://arxiv.org/abs/2308.08998)). Most of the " +
      "text was written by a model; it was scored by a reward and read by nobody.",
    "## Figures",
    "Rewards are 0 to 100 here, and 0 to 1 in the files.",
    [
      "| Grow | candidates | of these human | sources | mean reward | highest | mean tokens | cut at the limit |",
      "|---:|---:|---:|---:|---:|---:|---:|---:|",
      ...figures,
    ].join("\n"),
    "## Columns",
    [
      "| column | type | |",
      "|---|---|---|",
      ...COLUMNS.map(([name, type, what]) => `| ${name} | ${type} | ${what} |`),
    ].join("\n"),
    "## Use",
    `\`\`\`python\nfrom datasets import load_dataset\n\ncandidates = load_dataset(${JSON.stringify(title)}, split="train")\nbest = candidates.filter(lambda row: row["origin"] == "policy" and row["reward"] > 0.8)\n\`\`\``,
    "## Licence",
    from.length > 0
      ? `The sources and human translations come from:\n\n${from.join("\n")}\n\nWhich licence the whole has is for you to say, within what these allow.`
      : "The run does not know under which licence its corpus stands: say so here, and in the lines at the top, before you hand this on.",
    "",
  ].join("\n\n");
}

/** The Hub's own classes. */
function sizeCategory(rows: number): string {
  const bounds: readonly (readonly [number, string])[] = [
    [1e3, "n<1K"],
    [1e4, "1K<n<10K"],
    [1e5, "10K<n<100K"],
    [1e6, "100K<n<1M"],
    [1e7, "1M<n<10M"],
    [1e8, "10M<n<100M"],
  ];
  return bounds.find(([bound]) => rows < bound)?.[1] ?? "100M<n<1B";
}
