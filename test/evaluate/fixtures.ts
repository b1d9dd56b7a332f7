/** Reads the figures that other tools made. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** A fixture below test/fixtures; `T` is what its script writes. */
export function readFixture<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`test/fixtures/${path}`, ROOT), "utf8")) as T; // its own script's layout
}

/** The folder of real corpora, or undefined (said aloud) where it is missing. */
export function sharedData(folder: string): URL | undefined {
  const path = resolve(fileURLToPath(ROOT), process.env.COPPICE_DATA ?? "../shared/data", folder);
  const url = pathToFileURL(`${path}/`);
  if (existsSync(url)) return url;
  console.warn(`SKIPPED: no ${folder} in the shared data folder; set COPPICE_DATA to test on real text.`);
  return undefined;
}

interface Figures {
  score: number;
  line: string;
  sentences: number[];
}

export interface SentencesFixture {
  lines: { text: string; tokens: Record<string, string[]> }[];
  cases: {
    name: string;
    hypotheses: string[];
    references: string[][];
    bleu: Record<string, Figures & { statistics: number[][] }>;
    chrf: Record<string, Figures & { statistics: number[][] }>;
  }[];
  bootstrap: {
    baseline: string[];
    system: string[];
    references: string[];
    draws: number[][];
  } & Record<
    "bleu" | "chrf",
    { baseline: number; system: number; pValue: number; halfWidth: number; low: number; high: number }
  >;
}

export interface RealTextFixture {
  sets: {
    name: string;
    file: string;
    columns: number[];
    byCharacter: boolean;
    sentences: number;
    tokensSha256: Record<string, string>;
    systems: Record<string, Record<"bleu" | "chrf", Record<string, Figures & { sentenceMean: number }>>>;
  }[];
}

export interface CorrelationFixture {
  cases: {
    name: string;
    x: number[];
    y: number[];
    pearson: number;
    spearman: number;
    kendall: number;
    ranks: number[];
  }[];
}

export interface RatingsFixture {
  alpha: { name: string; units: number[][]; alpha: number }[];
  signFlip: { name: string; differences: number[]; p: number }[];
}
