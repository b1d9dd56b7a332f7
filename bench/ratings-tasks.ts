/** The corpora of human ratings that the study of rating rewards is made on, with their splits and baselines. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { linesOf } from "../src/data/lines.js";
import { chrfScorer } from "../src/evaluate/chrf.js";
import { LOG_PROBABILITY, type RatedText, readLessons } from "../src/rating/lessons.js";
import type { RatedInput, Uses } from "../src/reward/ratings/examples.js";
import type { ExtraTexts } from "../src/reward/ratings/tables.js";
import { splitParts } from "../src/reward/ratings/train.js";

export interface Task {
  /** Name of its file of results. */
  name: string;
  title: string;
  /** Where the parts come from, and what other text is counted in. */
  about: string;
  load(): Promise<Loaded>;
}

export interface Loaded {
  train: RatedText[];
  dev: RatedText[];
  test: RatedText[];
  extra: ExtraTexts;
  /** What models look at beside the two texts. */
  variants: { label: string; uses: Uses }[];
  /** Scores that need no ratings; differences are to the first one. */
  baselines: { label: string; score(input: RatedInput): number }[];
  /** Parts of the test part whose correlations are averaged, where one over all would mix languages. */
  group?(text: RatedText): string;
}

const SEED = 1;
/** Counting in more would take longer than it helps. */
const MOST_SENTENCES = 40_000;
const MOST_PAIRS = 80_000;
const texts: Uses = { given: [], reference: false };
const logProbability = {
  label: "the system's log-probability",
  score: (input: RatedInput) => input.given![LOG_PROBABILITY]!,
};
const chrf = {
  label: "sentence chrF against the reference",
  score: ({ candidate, reference }: RatedInput) => chrfScorer(reference!).score(candidate),
};

/** The pairs of MLQE-PE, by how well log-probability does. */
const MLQE = ["ro-en", "ru-en", "et-en", "en-zh", "en-de"] as const;

/** Every task that `data` has the files for. */
export function tasksOf(data: string): Task[] {
  const at = (path: string) => join(data, path);
  const all: (Task & { needs: string[] })[] = [
    ...MLQE.map((pair) => ({
      name: `mlqe-${pair}`,
      title: `MLQE-PE ${pair}`,
      about: `official parts; counted in beside: ${mlqeExtra(pair).words}`,
      needs: [at(`mlqe-pe/da.${pair}.tsv.gz`)],
      load: () => loadMlqe(pair, at),
    })),
    {
      name: "daseg",
      title: "WMT DAseg, into English",
      about:
        "taught with 2015 and 2016, a tenth of whose sources is the development part; tested on 2017 (cs, fi, lv, ru, tr)",
      needs: [at("wmt-daseg-toen/daseg.tsv.gz")],
      load: () => loadDaseg(at),
    },
    ...["newstest2021.en-de", "newstest2021.zh-en", "ted.en-de"].map((name) => ({
      name: `mqm-${name}`,
      title: `WMT21 MQM ${name}`,
      about:
        "no official parts: a tenth of the sources for development, a tenth for the test, drawn by seed 1",
      needs: [at(`wmt21-mqm/mqm-${name}.tsv.gz`)],
      load: () => loadMqm(at(`wmt21-mqm/mqm-${name}.tsv.gz`), !name.startsWith("ted")),
    })),
  ];
  return all.filter(({ needs }) => needs.every(existsSync));
}

type At = (path: string) => string;

/** Text of the two languages beside the rated ones: files of pairs that are turned round, and of sentences. */
function mlqeExtra(pair: string): { pairs: string[]; words: string } {
  const tatoeba = "tatoeba-de-en/train.de-en.tsv.gz";
  if (pair === "en-de")
    return {
      pairs: [
        tatoeba,
        "registry-de-en/apt-libreoffice-help.de-en.tsv.gz",
        "registry-de-en/apt-trans-de-en.sentences.de-en.tsv.gz",
      ],
      words: "Tatoeba, LibreOffice's help and Ding's sentences as pairs, English sources of en-zh",
    };
  if (pair === "en-zh")
    return {
      pairs: ["registry-de-en/apt-libreoffice-help.zh-en.tsv.gz"],
      words: "LibreOffice's help as pairs, Tatoeba's English and English sources of en-de",
    };
  return { pairs: [], words: "Tatoeba's English and the English sources of en-de and en-zh" };
}

async function loadMlqe(pair: string, at: At): Promise<Loaded> {
  const { train, dev, test } = splitParts(
    await ratedIn(at(`mlqe-pe/da.${pair}.tsv.gz`)),
    ({ source }) => source,
    SEED,
  );
  const { pairs } = mlqeExtra(pair);
  const english = (
    await Promise.all(
      ["en-de", "en-zh"]
        .filter((other) => other !== pair)
        .map((other) => trainSources(at(`mlqe-pe/da.${other}.tsv.gz`))),
    )
  ).flat();
  // Files have German or Chinese first; English is the source here.
  const turned = (await Promise.all(pairs.map((file) => columns(at(file))))).flat();
  const tatoeba =
    pair === "en-de" ? [] : (await columns(at("tatoeba-de-en/train.de-en.tsv.gz"))).map(([, text]) => text!);
  const sentences = [...new Set([...english, ...spread(tatoeba, MOST_SENTENCES)])];
  return {
    train,
    dev,
    test,
    extra: {
      source: pair.startsWith("en") ? sentences : [],
      target: pair.startsWith("en") ? [] : sentences,
      pairs: spread(turned, MOST_PAIRS).map(([target, source]) => ({ source: source!, target: target! })),
    },
    variants: [
      { label: "source and translation alone", uses: texts },
      { label: "with the log-probability", uses: { given: [LOG_PROBABILITY], reference: false } },
    ],
    baselines: [logProbability],
  };
}

async function loadDaseg(at: At): Promise<Loaded> {
  const all = await ratedIn(at("wmt-daseg-toen/daseg.tsv.gz"));
  const isTest = ({ item }: RatedText) => item.startsWith("2017");
  const { train, dev } = splitParts(
    all.filter((one) => !isTest(one)).map((one): RatedText => ({ ...one, split: "train" })),
    ({ source }) => source,
    SEED,
  );
  return {
    train,
    dev,
    test: all.filter(isTest),
    extra: { source: [], target: await englishOf(at), pairs: [] },
    variants: [
      { label: "source and translation alone", uses: texts },
      { label: "with the reference", uses: { given: [], reference: true } },
    ],
    baselines: [chrf],
    group: ({ item }) => item.split("/")[1]!,
  };
}

async function loadMqm(file: string, references: boolean): Promise<Loaded> {
  const parts = splitParts(await ratedIn(file), ({ source }) => source, SEED);
  return {
    ...parts,
    extra: { source: [], target: [], pairs: [] },
    variants: [
      { label: "source and translation alone", uses: texts },
      ...(references ? [{ label: "with the reference", uses: { given: [], reference: true } }] : []),
    ],
    baselines: references ? [chrf] : [],
  };
}

async function englishOf(at: At): Promise<string[]> {
  const lines = await columns(at("tatoeba-de-en/train.de-en.tsv.gz"));
  return [...new Set(spread(lines, MOST_SENTENCES).map(([, text]) => text!))];
}

/** At most `most`, evenly over all: neighbours are often alike. */
function spread<One>(all: readonly One[], most: number): One[] {
  const stride = Math.max(1, all.length / most);
  return Array.from({ length: Math.floor(all.length / stride) }, (_, i) => all[Math.floor(i * stride)]!);
}

async function ratedIn(file: string): Promise<RatedText[]> {
  const lessons = await readLessons(file);
  if (lessons.kind !== "ratings") throw new Error(`${file} has no ratings`);
  return lessons.texts;
}

async function trainSources(file: string): Promise<string[]> {
  return (await ratedIn(file)).filter(({ split }) => split === "train").map(({ source }) => source);
}

/** The columns of each line of a file; none where it is not there. */
async function columns(file: string): Promise<string[][]> {
  const found: string[][] = [];
  if (!existsSync(file)) return found;
  for await (const { text } of linesOf(file)) found.push(text.split("\t"));
  return found;
}
