/**
 * How often languages are told wrong by what `coppice data clean` learns from a corpus, beside lingua, which brings models.
 *
 *     npm run bench -- language DATA    DATA holds tatoeba-de-en, multi30k, registry-de-en, flores200-devtest and
 *                                       mlqe-pe, as folders of gzipped tables
 *
 * Nothing is learned from sentences that are measured on. Texts in a third language are MLQE-PE's (Romanian, Estonian) and
 * the translated messages of TypeScript, which npm fetches where `coppice data get npm-messages` has not.
 */

import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { cacheFolder } from "../src/data/cache-folder.js";
import { EvenSample, learnProfile } from "../src/data/clean/profile.js";
import { DEFAULT_LIMITS, rulesFor } from "../src/data/clean/rules.js";
import { hashUnit } from "../src/data/hash.js";
import type { Pair } from "../src/data/pair.js";
import { fetchPackage, unpackPackage } from "../src/data/recipes/npm.js";
import { catalogues } from "../src/data/recipes/packages.js";
import { countWords } from "../src/data/words.js";
import { UserError } from "../src/errors.js";
import { machine, python } from "./rounds.js";

/** As `coppice data clean` learns from. */
const SAMPLE = 5000;
/** Sentences of a length, or pairs of a corpus, that are measured on at most. */
const MOST = 1000;
/** Words of a sentence, from and to. */
const LENGTHS = [
  [1, 2],
  [3, 4],
  [5, 9],
  [10, 19],
  [20, 200],
] as const;
/** A length with fewer is not shown. */
const LEAST_SENTENCES = 50;
/** Shorter texts of a third language are names and terms, which are nobody's. */
const LEAST_WORDS = 5;
/** Folders of TypeScript's translations, in Latin letters. */
const MESSAGES = ["cs", "es", "fr", "it", "pl", "pt-br", "tr"] as const;

/** Where each corpus is learned from; `elsewhere` has text of another kind by the same profile. */
const CORPORA: readonly { name: string; file: string; elsewhere?: { name: string; file: string } }[] = [
  {
    name: "Tatoeba",
    file: "tatoeba-de-en/train.de-en.tsv.gz",
    elsewhere: { name: "FLORES-200", file: "flores200-devtest/devtest.de-en-zh.tsv.gz" },
  },
  { name: "Multi30k", file: "multi30k/train.de-en.tsv.gz" },
  { name: "LibreOffice's help", file: "registry-de-en/apt-libreoffice-help.de-en.tsv.gz" },
];

/** Language codes of texts; null where it finds none. */
type Detect = (texts: readonly string[]) => Promise<(string | null)[]>;

interface Peer {
  detect: Detect;
  end(): void;
}

/** @param choices the folder of the corpora. */
export async function languageBench(choices: readonly string[]): Promise<object> {
  const [data] = choices;
  if (data === undefined)
    throw new UserError(
      "Name the folder of the corpora: npm run bench -- language DATA (bench/language.ts says which).",
    );
  const third = await thirdLanguages(data);
  const two = startPeer(["de", "en"]);
  const any = startPeer(null);
  try {
    const told: object[] = [];
    const dropped: object[] = [];
    for (const { name, file, elsewhere } of CORPORA) {
      const [learned, unseen] = halves(pairsIn(data, file));
      // What `coppice data clean` draws from a corpus of any size.
      const sample = new EvenSample<Pair>(SAMPLE);
      for (const pair of learned) sample.add(pair);
      const profile = learnProfile(sample.kept);
      const { isSource } = profile.languages;
      told.push(...(await toldWrong(name, unseen, isSource, two.detect)));
      if (elsewhere !== undefined) {
        const others = pairsIn(data, elsewhere.file);
        told.push(
          ...(await toldWrong(`${elsewhere.name}, learned from ${name}`, others, isSource, two.detect)),
        );
      }
      const meet = rulesFor(new Set(["language", "foreign"]), DEFAULT_LIMITS, { profile, tested: new Set() });
      const good = unseen.slice(0, MOST);
      const texts: [text: string, pairs: readonly Pair[]][] = [
        ["good pairs", good],
        ["sides exchanged", good.map(({ source, target }) => ({ source: target, target: source }))],
        ...third.map(([language, sources]): [string, Pair[]] => [
          `${language} as the source`,
          sources.map((source, i) => ({ source, target: good[i % good.length]!.target })),
        ]),
      ];
      for (const [text, pairs] of texts) {
        const ours = pairs.filter((pair) => meet(pair).droppedBy !== undefined).length;
        const sources = await any.detect(pairs.map(({ source }) => source));
        const targets = await any.detect(pairs.map(({ target }) => target));
        const lingua = sources.filter((source, i) => source !== "de" || targets[i] !== "en").length;
        dropped.push({
          corpus: name,
          text,
          pairs: pairs.length,
          ours: percent(ours, pairs.length),
          lingua: percent(lingua, pairs.length),
        });
      }
    }
    return {
      unit: "percent: told wrong of German and English; dropped by the rules language and foreign, by lingua where a side is not in its own of 75",
      told,
      dropped,
      ...machine(),
    };
  } finally {
    two.end();
    any.end();
  }
}

/** Of sentences of each length, both sides. */
async function toldWrong(
  corpus: string,
  pairs: readonly Pair[],
  isSource: (text: string) => boolean,
  detect: Detect,
): Promise<object[]> {
  const sides = pairs.flatMap(({ source, target }) => [
    { text: source, language: "de" },
    { text: target, language: "en" },
  ]);
  const rows: object[] = [];
  for (const [from, to] of LENGTHS) {
    const some = sides
      .filter(({ text }) => {
        const words = countWords(text);
        return words >= from && words <= to;
      })
      .slice(0, MOST);
    if (some.length < LEAST_SENTENCES) continue;
    const found = await detect(some.map(({ text }) => text));
    rows.push({
      corpus,
      words: `${from}-${to}`,
      sentences: some.length,
      ours: percent(
        some.filter(({ text, language }) => isSource(text) !== (language === "de")).length,
        some.length,
      ),
      lingua: percent(some.filter(({ language }, i) => found[i] !== language).length, some.length),
    });
  }
  return rows;
}

function percent(part: number, whole: number): number {
  return (100 * part) / whole;
}

/** Sources of MLQE-PE, and what TypeScript says in other languages. */
async function thirdLanguages(data: string): Promise<[language: string, texts: string[]][]> {
  const rated = (["ro", "et"] as const).map((language): [string, string[]] => [
    language,
    rowsOf(data, `mlqe-pe/da.${language}-en.tsv.gz`)
      .slice(1)
      .map((row) => row[6] ?? ""),
  ]);
  const messages = await typescriptMessages();
  return [...rated, ...messages].map(([language, texts]) => [
    language,
    texts.filter((text) => countWords(text) >= LEAST_WORDS).slice(0, MOST),
  ]);
}

async function typescriptMessages(): Promise<[language: string, texts: string[]][]> {
  const pinned = catalogues.find(({ program }) => program === "TypeScript")?.packages("de")[0];
  if (!pinned) throw new Error("the recipe npm-messages has no TypeScript");
  const cache = cacheFolder();
  const tarball = await fetchPackage(pinned, join(cache, "downloads"));
  const members = MESSAGES.map((language) => `package/lib/${language}/diagnosticMessages.generated.json`);
  const folder = await unpackPackage({ ...pinned, members }, tarball, cache);
  try {
    return MESSAGES.map((language, i) => [
      language,
      Object.values(JSON.parse(readFileSync(join(folder, members[i]!), "utf8")) as Record<string, string>),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rowsOf(data: string, file: string): string[][] {
  return gunzipSync(readFileSync(join(data, file)))
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}

function pairsIn(data: string, file: string): Pair[] {
  return rowsOf(data, file).map(([source = "", target = ""]) => ({ source, target }));
}

/** In an order drawn by a hash, since corpora are sorted by length or page. */
function halves(pairs: readonly Pair[]): [learned: Pair[], unseen: Pair[]] {
  const drawn = pairs
    .map((pair, i) => ({ pair, draw: hashUnit(1, i) }))
    .sort((a, b) => a.draw - b.draw)
    .map(({ pair }) => pair);
  const middle = drawn.length >> 1;
  const learned = drawn.slice(0, middle);
  const seen = new Set(learned.flatMap(({ source, target }) => [source, target]));
  return [
    learned,
    drawn.slice(middle).filter(({ source, target }) => !seen.has(source) && !seen.has(target)),
  ];
}

/** A process of lingua that answers a line by a line. */
function startPeer(languages: readonly string[] | null): Peer {
  const program = fileURLToPath(new URL("peer/language.py", import.meta.url));
  const child = spawn(python(), [program, JSON.stringify({ languages })], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.on("error", () => undefined);
  // It takes most of the time, and the same texts stand beside several corpora.
  const known = new Map<string, string | null>();
  return {
    async detect(texts) {
      const open = [...new Set(texts)].filter((text) => !known.has(text));
      child.stdin.write(`${JSON.stringify(open)}\n`);
      const { value, done } = await lines.next();
      if (done)
        throw new UserError(
          `${python()} has no lingua to measure against: pip install -r bench/peer/requirements.txt (COPPICE_PYTHON names another Python).`,
        );
      const found = JSON.parse(value) as (string | null)[];
      for (const [i, text] of open.entries()) known.set(text, found[i] ?? null);
      return texts.map((text) => known.get(text) ?? null);
    },
    end: () => void child.stdin.end(),
  };
}
