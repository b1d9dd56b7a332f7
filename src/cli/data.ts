/** Lists, builds and cleans corpora. */
import { resolve } from "node:path";
import { cacheFolder } from "../data/cache-folder.js";
import { type CleanFormat, type CleanReport, cleanCorpus } from "../data/clean/clean.js";
import { DEFAULT_LIMITS, type RuleName, ruleNames } from "../data/clean/rules.js";
import { columnsFrom } from "../data/formats/columns.js";
import { buildCorpus, type CorpusReport } from "../data/recipes/get.js";
import type { Recipe } from "../data/recipes/recipe.js";
import { languagesFor, recipeNamed, recipes } from "../data/recipes/recipes.js";
import { Interrupted, UserError } from "../errors.js";
import { exists } from "../exists.js";
import { nearestName } from "../nearest.js";
import { count, decimal, percent } from "../report/format.js";
import { type Table, toText } from "../report/tables.js";
import { writeFolderAtomic } from "../store/atomic.js";
import { stopSignal } from "./signals.js";
import { type OutputOptions, openTerminal } from "./terminal.js";

export function listRecipes(output: OutputOptions): void {
  const listed = recipes.map(({ build, ...about }) => about);
  openTerminal(output).result(listed, (colour) =>
    toText(
      {
        title: "Corpora",
        columns: ["name", "languages", "what", "pairs", "licence", "from"].map((header) => ({
          header,
          align: "left",
        })),
        rows: listed.map((recipe) => ({
          cells: [
            recipe.name,
            languagesText(recipe),
            recipe.what,
            recipe.expect,
            recipe.licence,
            SOURCES[recipe.from],
          ],
        })),
        notes: ["coppice data get NAME --out DIR builds one; docs/data.md says more."],
      },
      { colour },
    ),
  );
}

const SOURCES: Record<Recipe["from"], string> = {
  folder: "your copy (--from)",
  npm: "npm",
  debian: "a Debian mirror",
};

function languagesText({ languages }: Pick<Recipe, "languages">): string {
  return "usual" in languages ? `${languages.usual}, others` : languages.join(", ");
}

export interface GetOptions extends OutputOptions {
  name: string;
  out: string;
  from?: string;
  mirror?: string;
  languages?: string;
}

/** Builds the corpus in `out`, whole or not at all. Throws a UserError where something is there already. */
export async function getCorpus({
  name,
  out,
  from,
  mirror,
  languages,
  ...output
}: GetOptions): Promise<void> {
  const recipe = recipeNamed(name);
  const terminal = openTerminal(output);
  if (await exists(out))
    throw new UserError(
      "this is there already and is left as it is. Choose another folder, or move it away.",
      {
        file: out,
      },
    );
  const options = {
    languages: languagesFor(recipe, languages),
    cache: cacheFolder(),
    note: (sentence: string) => terminal.note(sentence),
    ...(from !== undefined && { from }),
    ...(mirror !== undefined && { mirror: mirrorAddress(mirror) }),
  };
  const report = await stoppable(async (signal) => {
    let built: CorpusReport | undefined;
    await writeFolderAtomic(resolve(out), async (aside) => {
      built = await buildCorpus(recipe, aside, { ...options, signal });
    });
    return built;
  });
  if (report) terminal.result({ folder: out, ...report }, (colour) => corpusText(out, report, colour));
}

function mirrorAddress(mirror: string): string {
  if (/^https?:\/\//.test(mirror) && URL.canParse(mirror)) return mirror;
  throw new UserError(
    `${JSON.stringify(mirror)} is not the address of a mirror, expected one such as https://deb.debian.org/debian.`,
  );
}

function corpusText(out: string, report: CorpusReport, colour: boolean): string {
  const table: Table = {
    title: `${report.recipe}, ${report.languages}, in ${out}`,
    columns: [
      { header: "file", align: "left" },
      { header: "pairs", align: "right" },
      { header: "left out", align: "right" },
    ],
    rows: report.parts.map(({ file, pairs, skipped }) => ({ cells: [file, count(pairs), count(skipped)] })),
    notes: [`Licence: ${report.licence}. ${report.terms} SOURCE.md beside the files says whom to name.`],
  };
  return toText(table, { colour });
}

export interface CleanCommand extends OutputOptions {
  pairs: string[];
  out: string;
  test?: string[];
  like?: string[];
  without?: string[];
  maxWords?: number;
  maxRatio?: number;
  sourceColumn?: string;
  targetColumn?: string;
  format: CleanFormat;
}

export async function cleanCommand(options: CleanCommand): Promise<void> {
  const terminal = openTerminal(options);
  const columns = columnsFrom(options.sourceColumn ?? null, options.targetColumn ?? null);
  const report = await stoppable((signal) =>
    cleanCorpus({
      inputs: options.pairs,
      out: options.out,
      format: options.format,
      limits: {
        maxWords: options.maxWords ?? DEFAULT_LIMITS.maxWords,
        maxRatio: options.maxRatio ?? DEFAULT_LIMITS.maxRatio,
      },
      without: (options.without ?? []).map(ruleNamed),
      signal,
      ...(columns && { columns }),
      ...(options.test && { tests: options.test }),
      ...(options.like && { like: options.like }),
      onProgress: ({ reading, pairs }) => {
        if (pairs % NOTED === 0) terminal.note(`Read ${count(pairs)} pairs ${reading}`);
      },
    }),
  );
  terminal.result(report, (colour) => cleanText(report, colour));
}

/** Pairs between two lines of progress. */
const NOTED = 100_000;

function ruleNamed(name: string): RuleName {
  const found = ruleNames.find((rule) => rule === name);
  if (found) return found;
  const near = nearestName(name, ruleNames);
  throw new UserError(
    `there is no rule ${JSON.stringify(name)}, expected ${ruleNames.join(", ")}.${near ? ` Did you mean ${near}?` : ""}`,
  );
}

export function cleanText(report: CleanReport, colour: boolean): string {
  const examples = report.rules.flatMap(({ rule, examples: [first] }) => {
    if (!first) return [];
    if (first.problem !== undefined) return [`${rule}: ${first.problem}`];
    const became = first.became ? ` → ${first.became.source} | ${first.became.target}` : "";
    return [`${rule}: ${first.source} | ${first.target}${became}`];
  });
  const table: Table = {
    title: `${count(report.kept)} of ${count(report.read)} pairs kept`,
    columns: [
      { header: "rule", align: "left" },
      { header: "changed", align: "right" },
      { header: "dropped", align: "right" },
      { header: "of all", align: "right" },
      { header: "", align: "left" },
    ],
    rows: report.rules.map(({ rule, what, applied, why, drops, count: found }) => ({
      cells: [
        rule,
        drops ? "" : count(found),
        drops && applied ? count(found) : "",
        applied ? percent(found / report.read) : "",
        why === undefined ? what : applied ? `${what} (${why})` : why,
      ],
    })),
    notes: [
      "A pair counts for the first rule that drops it.",
      `Usual here: a source ${decimal(report.usualRatio, 2)} times as long as its target, in characters.`,
      ...examples.map((example) => `Example of ${example}`),
      `Wrote ${report.output}, with report.json beside it.`,
    ],
  };
  return toText(table, { colour });
}

/** Does `work` so that Ctrl-C stops it, with nothing half written. */
async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = stopSignal();
  try {
    return await work(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw signal.reason instanceof Interrupted ? new Interrupted("Stopped.") : signal.reason;
  }
}
