/** Reads the corpus, splits it, trains the vocabulary: everything before the first policy. */

import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { countDuplicates } from "../../data/duplicates.js";
import { columnsFrom } from "../../data/formats/columns.js";
import type { Pair } from "../../data/pair.js";
import { type PairSpec, readPairs } from "../../data/read.js";
import { splitPairs } from "../../data/split.js";
import { writePairs } from "../../data/write.js";
import { UserError } from "../../errors.js";
import { wholeFolder } from "../../model/folder.js";
import { count, plural } from "../../report/format.js";
import { writeFolderAtomic } from "../../store/atomic.js";
import { loadTextCodec, saveTextCodec, type TextCodec } from "../../text/text-codec.js";
import { createTokenizer } from "../../text/tokenizer.js";
import { trainVocabulary } from "../../text/train-vocabulary.js";
import type { Config } from "../config.js";
import type { RunContext } from "../context.js";
import { dependenciesOf } from "../dependencies.js";
import { stepNames } from "../names.js";
import { learnedMembers } from "../reward-parts.js";

export interface PreparedCounts {
  [part: string]: number;
  train: number;
  reward: number;
  validation: number;
  test: number;
  tooLong: number;
}

/** The parts of the corpus as the run keeps them. */
export interface Prepared {
  /** D: what BC learns and Grow samples for. */
  train: Pair[];
  /** What teaches the learned reward; empty where none is learned. */
  reward: Pair[];
  validation: Pair[];
  test: Pair[];
}

const PARTS = ["train", "reward", "validation", "test"] as const;

export async function prepare(run: RunContext): Promise<void> {
  await run.step(
    stepNames.prepare,
    { dependsOn: dependenciesOf(stepNames.prepare), outputs: ["data"] },
    async () => {
      // Used later; that it can be read is better known before a policy is trained.
      await readOutOfDomain(run);
      const parts = await readParts(run.config, run.folder.config);
      // Whoever reads the texts behind a server counts in tokens of its own.
      const codec = run.config.policy.kind === "native" ? await makeCodec(run, parts.train) : undefined;
      const { kept, dropped } =
        codec === undefined ? { kept: parts, dropped: 0 } : dropLong(parts, codec, run.config.data.maxTokens);
      for (const part of ["train", "validation", "test"] as const)
        if (kept[part].length === 0)
          throw new UserError(
            `the ${part} part has no pairs left. Give more pairs, or smaller validationSize and testSize.`,
            { file: run.folder.config },
          );
      await writeFolderAtomic(run.folder.inside("data"), async (aside) => {
        for (const part of PARTS)
          if (kept[part].length > 0) await writePairs(join(aside, `${part}.jsonl`), kept[part]);
        if (codec === undefined) return;
        await mkdir(join(aside, "tokenizer"));
        await saveTextCodec(codec, join(aside, "tokenizer"));
      });
      const { pairs, sources } = countDuplicates(kept.train);
      const counts: PreparedCounts = {
        ...(Object.fromEntries(PARTS.map((part) => [part, kept[part].length])) as Record<
          (typeof PARTS)[number],
          number
        >),
        tooLong: dropped,
      };
      run.reporter.note(
        `Data: ${plural(counts.train, "pair")} to train on, ${count(counts.reward)} to teach the reward, ${count(counts.validation)} to validate, ` +
          `${count(counts.test)} to test (${plural(pairs, "duplicate pair")}, ${plural(sources, "repeated source")}, ${count(dropped)} dropped as too long).`,
      );
      return { result: counts, metrics: { ...counts, duplicatePairs: pairs, duplicateSources: sources } };
    },
  );
}

/** Steps ask again and again; the files do not change once the step is done. */
const loaded = new WeakMap<RunContext, Promise<Prepared>>();

export function loadPrepared(run: RunContext): Promise<Prepared> {
  const known = loaded.get(run) ?? readPrepared(run);
  loaded.set(run, known);
  return known;
}

async function readPrepared(run: RunContext): Promise<Prepared> {
  const counts = run.result<PreparedCounts>(stepNames.prepare);
  const read = (part: (typeof PARTS)[number]) =>
    counts[part] === 0 ? Promise.resolve([]) : readPairs(run.folder.inside(`data/${part}.jsonl`));
  const [train, reward, validation, test] = await Promise.all(PARTS.map(read));
  return { train: train!, reward: reward!, validation: validation!, test: test! };
}

/** Whether the configuration asks for a reward that learns, alone or as a part. */
export function learnsReward(config: Config): boolean {
  return learnedMembers(config.reward) > 0;
}

async function readParts(config: Config, configFile: string): Promise<Prepared> {
  const { data } = config;
  const columns = columnsFrom(data.sourceColumn, data.targetColumn);
  const read = async (spec: string) => readPairs(specFrom(spec, configFile), columns ? { columns } : {});
  const all: Pair[] = [];
  for (const spec of data.train) {
    // Not push(...): a corpus has more pairs than a call has room for arguments.
    for (const pair of await read(spec)) all.push(pair);
  }
  const split = splitPairs(all, {
    validation: data.validation === null ? data.validationSize : 0,
    test: data.test === null ? data.testSize : 0,
    reward: learnsReward(config) ? data.rewardShare : 0,
    seed: config.seed,
  });
  return {
    ...split,
    ...(data.validation === null ? {} : { validation: await read(data.validation) }),
    ...(data.test === null ? {} : { test: await read(data.test) }),
  };
}

/** The pairs of another domain, in the columns of data.train; undefined where the configuration names none. */
export async function readOutOfDomain({ config, folder }: RunContext): Promise<Pair[] | undefined> {
  const { outOfDomain } = config.evaluate;
  if (outOfDomain === null) return undefined;
  const columns = columnsFrom(config.data.sourceColumn, config.data.targetColumn);
  return readPairs(specFrom(outOfDomain, folder.config), columns ? { columns } : {});
}

/** Paths start at the configuration's folder; two files may stand in one string with a comma. */
function specFrom(spec: string, configFile: string): PairSpec {
  return spec
    .split(",")
    .map((path) => resolve(dirname(configFile), path.trim()))
    .join(",");
}

async function makeCodec(run: RunContext, train: readonly Pair[]): Promise<TextCodec> {
  const { model } = run.config;
  if (model.from !== null)
    return loadTextCodec(await wholeFolder(resolve(dirname(run.folder.config), model.from)));
  const learn = (texts: Iterable<string>) =>
    createTokenizer(trainVocabulary(texts, { size: model.vocabulary, minFrequency: 2 }));
  if (model.sharedVocabulary) {
    const shared = learn(train.flatMap(({ source, target }) => [source, target]));
    return { source: shared, target: shared };
  }
  return { source: learn(train.map((pair) => pair.source)), target: learn(train.map((pair) => pair.target)) };
}

function dropLong(parts: Prepared, codec: TextCodec, most: number): { kept: Prepared; dropped: number } {
  let dropped = 0;
  const fits = ({ source, target }: Pair) => {
    const fine = codec.source.encode(source).length <= most && codec.target.encode(target).length <= most;
    if (!fine) dropped++;
    return fine;
  };
  // Test pairs stay: dropping the hard ones would flatter every policy.
  const kept = {
    train: parts.train.filter(fits),
    reward: parts.reward.filter(fits),
    validation: parts.validation.filter(fits),
    test: parts.test,
  };
  return { kept, dropped };
}
