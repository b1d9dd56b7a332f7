/** Builds a recipe's corpus in a folder, with its licence and attribution beside it. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import type { Languages } from "../layouts/folder.js";
import type { Pair } from "../pair.js";
import { writePairs, writeWhole } from "../write.js";
import type { BuildOptions, Recipe, RecipeAbout } from "./recipe.js";

export interface PartReport {
  file: string;
  pairs: number;
  /** Rows of the source that are no pair: mostly one side with nothing on it. */
  skipped: number;
  sha256: string;
}

/** What `source.json` holds. */
export interface CorpusReport {
  recipe: string;
  what: string;
  languages: string;
  licence: string;
  terms: string;
  attribution: string;
  address: string;
  madeFrom: string[];
  parts: PartReport[];
}

/**
 * Writes one TSV a part into `folder`, `SOURCE.md` for people and `source.json` for programs, and what else the licence asks
 * for. The caller makes the folder appear whole.
 *
 * @throws UserError where the source is not there, is damaged, or a part has no pairs.
 */
export async function buildCorpus(
  recipe: Recipe,
  folder: string,
  options: BuildOptions,
): Promise<CorpusReport> {
  const { madeFrom, parts, files, close } = await recipe.build(options);
  try {
    const written: PartReport[] = [];
    for (const part of parts) {
      options.note(`Writing ${part.name}`);
      written.push(await writePart(folder, part, options));
    }
    for (const [name, text] of Object.entries(files?.() ?? {})) await writeWhole(join(folder, name), text);
    const report = reportOf(recipe, options.languages, madeFrom, written);
    await writeWhole(join(folder, "SOURCE.md"), sourceText(report));
    await writeWhole(join(folder, "source.json"), `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    await close?.();
  }
}

async function writePart(
  folder: string,
  { name, pairs }: Awaited<ReturnType<Recipe["build"]>>["parts"][number],
  { from, signal }: BuildOptions,
): Promise<PartReport> {
  let [count, skipped] = [0, 0];
  const counted = async function* () {
    for await (const pair of pairs(() => skipped++)) {
      if (++count % 1000 === 0) signal?.throwIfAborted();
      yield onOneLine(pair);
    }
  };
  const file = `${name}.tsv`;
  await writePairs(join(folder, file), counted());
  if (count === 0)
    throw new UserError(`there are no pairs for ${name}, expected some; the copy may be cut short.`, {
      ...(from !== undefined && { file: from }),
    });
  return { file, pairs: count, skipped, sha256: await sha256Of(join(folder, file)) };
}

/** A tab or an exotic line break inside a sentence is a space: TSV has no place for either. */
function onOneLine({ source, target }: Pair): Pair {
  return { source: folded(source), target: folded(target) };
}

function folded(text: string): string {
  return text.replace(/[\t\n\v\f\r\x85\u2028\u2029]+/g, " ").trim();
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

/** What is said of a corpus of these parts. */
export function reportOf(
  recipe: RecipeAbout,
  languages: Languages,
  madeFrom: string[],
  parts: PartReport[],
): CorpusReport {
  const { name, what, licence, terms, attribution, address } = recipe;
  return {
    ...{ recipe: name, what, languages: languages.join("-"), licence, terms, attribution, address },
    madeFrom,
    parts,
  };
}

function sourceText(report: CorpusReport): string {
  return [
    `# ${report.recipe}, ${report.languages}`,
    "",
    `${report.what[0]?.toUpperCase()}${report.what.slice(1)}. Built by \`coppice data get ${report.recipe}\`.`,
    "",
    `- Licence: ${report.licence}. ${report.terms}`,
    `- Attribution: ${report.attribution}.`,
    `- From: ${report.address}`,
    "",
    "| file | pairs | left out | SHA-256 |",
    "|---|---|---|---|",
    ...report.parts.map(
      ({ file, pairs, skipped, sha256 }) => `| ${file} | ${pairs} | ${skipped} | ${sha256} |`,
    ),
    "",
    "Each line is `source<TAB>target`. Left out: rows with nothing on a side. Made from:",
    "",
    ...report.madeFrom.map((line) => `- ${line}`),
    "",
  ].join("\n");
}
