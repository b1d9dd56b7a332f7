/** Cleans a corpus of any size: once through it to learn what it is usually like, once to judge each pair. */

import { dirname, join, resolve } from "node:path";
import { UserError } from "../../errors.js";
import { NOTICES, textsOf } from "../../notices.js";
import type { Columns } from "../formats/columns.js";
import { hashUnit } from "../hash.js";
import { normalized } from "../normalized.js";
import type { Pair } from "../pair.js";
import { streamPairs } from "../read.js";
import { writePairs, writeWhole } from "../write.js";
import { type CorpusProfile, EvenSample, isAlphabet, learnProfile } from "./profile.js";
import { BROKEN, type CleanLimits, RULES, type RuleName, ruleNames, rulesFor } from "./rules.js";

export interface CleanOptions {
  /** Files of pairs, read twice; two text files in one, with a comma between. */
  inputs: readonly string[];
  /** The folder to write `pairs.*` and `report.json` into. */
  out: string;
  columns?: Columns;
  /** Test sets that the corpus may not overlap with. */
  tests?: readonly string[];
  /** Rules to leave out. */
  without?: readonly RuleName[];
  /** A corpus known to be clean that is learned from in place of the one to be cleaned. */
  like?: readonly string[];
  limits: CleanLimits;
  format?: CleanFormat;
  onProgress?: (progress: { reading: "to learn" | "to judge"; pairs: number }) => void;
  /** Aborting it stops the work; nothing is left written. */
  signal?: AbortSignal;
}

export const cleanFormats = ["tsv", "tsv.gz", "jsonl", "jsonl.gz"] as const;
export type CleanFormat = (typeof cleanFormats)[number];

/** A row that a rule changed or dropped. */
export interface CleanExample {
  source: string;
  target: string;
  /** What a rule that mends made of it. */
  became?: Pair;
  /** The reader's sentence, for a row that is no pair. */
  problem?: string;
}

export interface RuleReport {
  rule: RuleName;
  what: string;
  /** False where it was left out, or could not judge; `why` says so. */
  applied: boolean;
  why?: string;
  /** Pairs that it was the first to drop, or that it changed. */
  count: number;
  drops: boolean;
  /** Drawn evenly from all of these. */
  examples: CleanExample[];
}

/** What `report.json` holds. */
export interface CleanReport {
  inputs: string[];
  tests: string[];
  output: string;
  read: number;
  kept: number;
  /** Kept pairs that some rule changed. */
  changed: number;
  limits: CleanLimits;
  /** Source length over target length that is usual here, in characters. */
  usualRatio: number;
  /** Share of held-out sentences whose language was told right, in [0, 1]; null where there were too few pairs. */
  languagesTold: number | null;
  rules: RuleReport[];
}

/** Pairs that the profile is learned from; see `learnLanguages`. */
const SAMPLE = 5000;
const EXAMPLES = 5;
/** Pairs between two looks at the stop signal. */
const STRIDE = 1000;

/**
 * Writes the pairs that pass every rule, in their order, and the report. Memory holds the sample, the test sets, and up to
 * 32 bytes a distinct pair.
 *
 * @throws UserError for a file that cannot be read, an output that would replace one of them, or when no pair is left.
 */
export async function cleanCorpus(options: CleanOptions): Promise<CleanReport> {
  const { inputs, out, limits, tests = [], without = [], format = "tsv", onProgress, signal } = options;
  const output = join(out, `pairs.${format}`);
  notAnInput(output, [...inputs, ...tests, ...(options.like ?? [])]);
  const used = new Set(ruleNames.filter((name) => !without.includes(name)));
  const learned = {
    profile: await profileOf(options.like ?? inputs, used, options),
    tested: used.has("test") ? await testedSentences(tests) : new Set<string>(),
  };
  const meet = rulesFor(used, limits, learned);
  const tallies = new Map(ruleNames.map((name) => [name, new Tally()]));
  const tally = (name: RuleName, example: CleanExample) => tallies.get(name)?.add(example);
  let [read, kept, changed] = [0, 0, 0];

  async function* passing(): AsyncGenerator<Pair, void, undefined> {
    for (const input of inputs) {
      const rows = readRows(input, used, options, (problem) => {
        read++;
        tally(BROKEN, { source: "", target: "", problem });
      });
      for await (const given of rows) {
        if (++read % STRIDE === 0) {
          signal?.throwIfAborted();
          onProgress?.({ reading: "to judge", pairs: read });
        }
        const { pair, changedBy, droppedBy } = meet(given);
        if (droppedBy) {
          tally(droppedBy, given);
          continue;
        }
        for (const name of changedBy) tally(name, { ...given, became: pair });
        kept++;
        if (changedBy.length > 0) changed++;
        yield pair;
      }
    }
    // Thrown while the file is still aside, so that none appears.
    if (kept === 0)
      throw new UserError(
        `of ${read} pairs none passed the rules, expected some to be left; look at a few pairs, or leave rules out with --without.`,
        { file: inputs[0] ?? "" },
      );
  }

  await writePairs(output, passing());
  await keepSources(inputs, out);
  const { usualRatio, languages } = learned.profile;
  const report: CleanReport = {
    inputs: [...inputs],
    tests: [...tests],
    output,
    read,
    kept,
    changed,
    limits,
    usualRatio: Math.exp(usualRatio),
    languagesTold: Number.isNaN(languages.heldOut) ? null : languages.heldOut,
    rules: ruleNames.map((rule) => ({
      rule,
      what: RULES[rule].what,
      ...applied(rule, used, tests, learned.profile),
      drops: !("mend" in RULES[rule]),
      count: tallies.get(rule)?.count ?? 0,
      examples: tallies.get(rule)?.examples() ?? [],
    })),
  };
  // Last, because its presence says that the rest is complete.
  await writeWhole(join(out, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** An earlier output may be replaced; what is read may not. */
function notAnInput(output: string, specs: readonly string[]): void {
  const read = specs.flatMap((spec) => [spec, ...spec.split(",")]).map((file) => resolve(file.trim()));
  if (read.includes(resolve(output)))
    throw new UserError(
      "this file is read and would be replaced, expected another folder; name one with --out.",
      {
        file: output,
      },
    );
}

async function profileOf(
  inputs: readonly string[],
  used: ReadonlySet<RuleName>,
  options: CleanOptions,
): Promise<CorpusProfile> {
  const meet = rulesFor(used, options.limits);
  const sample = new EvenSample<Pair>(SAMPLE);
  let read = 0;
  for (const input of inputs)
    for await (const given of readRows(input, used, options, () => {})) {
      if (++read % STRIDE === 0) {
        options.signal?.throwIfAborted();
        options.onProgress?.({ reading: "to learn", pairs: read });
      }
      const { pair, droppedBy } = meet(given);
      if (!droppedBy) sample.add(pair);
    }
  return learnProfile(sample.kept);
}

/** Pairs of a file; rows that are none are told, or an error where the rule for them is left out. */
function readRows(
  input: string,
  used: ReadonlySet<RuleName>,
  { columns }: CleanOptions,
  broken: (problem: string) => void,
): AsyncGenerator<Pair, void, undefined> {
  return streamPairs(input, {
    ...(columns && { columns }),
    ...(used.has(BROKEN) && { refused: (problem: UserError) => broken(problem.message) }),
  });
}

async function testedSentences(tests: readonly string[]): Promise<Set<string>> {
  const sentences = new Set<string>();
  for (const test of tests)
    for await (const { source, target } of streamPairs(test)) {
      sentences.add(normalized(source));
      sentences.add(normalized(target));
    }
  return sentences;
}

function applied(
  rule: RuleName,
  used: ReadonlySet<RuleName>,
  tests: readonly string[],
  { byLetters, scripts, languages }: CorpusProfile,
): { applied: boolean; why?: string } {
  if (!used.has(rule)) return { applied: false, why: "left out" };
  if (rule === "test" && tests.length === 0) return { applied: false, why: "no test file was named" };
  if (rule === "foreign") {
    const spelt = (["source", "target"] as const).filter((side) => isAlphabet(scripts[side]));
    if (spelt.length === 0) return { applied: false, why: "neither side is written in an alphabet" };
    if (!spelt.some((side) => languages.scaled[side]))
      return { applied: false, why: "fewer than 500 pairs to learn from" };
    if (spelt.length === 1) return { applied: true, why: `the ${spelt[0]} alone, which has an alphabet` };
  }
  if (rule === "language" && !byLetters)
    return {
      applied: true,
      why: `by script alone: ${scripts.source === scripts.target ? "their letters do not tell the two sides apart" : "the two sides have different ones"}`,
    };
  return { applied: true };
}

/** Counts, and keeps a few that were drawn by a hash of their number: the same ones however often it is done. */
class Tally {
  count = 0;
  #kept: { draw: number; number: number; example: CleanExample }[] = [];

  add(example: CleanExample): void {
    const draw = hashUnit(0, this.count);
    const number = this.count++;
    if (this.#kept.length === EXAMPLES && draw > (this.#kept.at(-1)?.draw ?? 0)) return;
    this.#kept.push({ draw, number, example });
    this.#kept.sort((a, b) => a.draw - b.draw).splice(EXAMPLES);
  }

  /** In their order in the corpus. */
  examples(): CleanExample[] {
    return this.#kept.toSorted((a, b) => a.number - b.number).map(({ example }) => example);
  }
}

const CHANGED = "cleaned by `coppice data clean`; report.json beside this file says by which rules.";

/** Licence and attribution go where the text goes. */
async function keepSources(inputs: readonly string[], out: string): Promise<void> {
  const folders = [
    ...new Set(inputs.flatMap((input) => input.split(",")).map((file) => dirname(file.trim()))),
  ];
  // Read before any is written: the output may be the folder of an input.
  const notices = await Promise.all(
    ["SOURCE.md", ...NOTICES].map(async (name) => ({ name, texts: await textsOf(folders, name) })),
  );
  const sources = (await textsOf(folders, "source.json")).flatMap(changedSource);
  for (const { name, texts } of notices) {
    if (texts.length === 0) continue;
    const said = name === "SOURCE.md" ? [`Changed since: ${CHANGED}`] : [];
    const distinct = [...new Set(texts.map((text) => text.trimEnd()))];
    await writeWhole(join(out, name), `${[...distinct, ...said].join("\n\n")}\n`);
  }
  if (sources.length > 0)
    await writeWhole(
      join(out, "source.json"),
      `${JSON.stringify(sources.length === 1 ? sources[0] : sources, null, 2)}\n`,
    );
}

/** What `coppice data get` says of a corpus, less the files and hashes that are no longer these; nothing for other files. */
function changedSource(text: string): object[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  return (Array.isArray(value) ? value : [value]).flatMap((one: unknown) => {
    if (typeof one !== "object" || one === null || !("recipe" in one)) return [];
    const { parts: _, ...about } = one as Record<string, unknown>;
    return [{ ...about, changed: CHANGED }];
  });
}
