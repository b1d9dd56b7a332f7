/** Probes a reward with damaged translations: which damage lowers it, and the texts with which it is fooled. */
import { columnsFrom } from "../data/formats/columns.js";
import type { Pair } from "../data/pair.js";
import { readPairs } from "../data/read.js";
import { UserError } from "../errors.js";
import { decimal, MISSING, percent, rewardPoints, signed } from "../report/format.js";
import { toText } from "../report/tables.js";
import { type ConfigInput, resolveConfig } from "../rest/config.js";
import { withFinished } from "../rest/run.js";
import { loadPrepared } from "../rest/steps/prepare.js";
import { runReward } from "../rest/steps/reward.js";
import { createReward, type RewardOptions } from "../reward/create.js";
import { PROBE_KINDS } from "../reward/damage.js";
import {
  blindSpots,
  blindSpotWords,
  DAMAGE_WORDS,
  type ProbeCase,
  type ProbeRow,
  probeCases,
  probeRows,
  worstCases,
} from "../reward/probe.js";
import type { Reward } from "../reward/reward.js";
import { deriveKey } from "../tensor/random.js";
import { onFolder } from "./folder-work.js";
import { type OutputOptions, openTerminal, type Terminal } from "./terminal.js";

export interface ProbeOptions extends OutputOptions {
  /** The run whose reward is probed; absent where `reward` names one. */
  dir?: string;
  /** `chrf`, `bleu`, `places`, `ratings:FOLDER`, `pretrained:FOLDER`, `module:PATH`, `command:PROGRAM ARGUMENTS` or a server's address. */
  reward?: string;
  /** Pairs to probe with; the run's validation part when absent. */
  pairs?: string;
  /** Pairs at most. */
  limit: number;
  /** Texts shown a kind. */
  worst: number;
  seed: number;
}

/** Writes nothing. Throws a UserError where it is not clear which reward or which pairs are meant. */
export async function probeCommand(options: ProbeOptions): Promise<void> {
  const { dir, reward: spec, pairs: file } = options;
  if (dir !== undefined && spec !== undefined)
    throw new UserError(`both the run ${dir} and --reward ${spec} name a reward. Leave one of them out.`);
  if (dir !== undefined) {
    await onFolder({ ...options, dir }, undefined, (work, terminal) =>
      withFinished(work, async (run) => {
        const { sourceColumn, targetColumn } = run.config.data;
        const columns = columnsFrom(sourceColumn, targetColumn);
        const pairs =
          file === undefined
            ? (await loadPrepared(run)).validation
            : await readPairs(file, columns ? { columns } : {});
        await probe(await runReward(run), pairs, options, terminal);
      }),
    );
    return;
  }
  if (spec === undefined)
    throw new UserError(`no reward is named. Give a run folder, or --reward ${REWARDS} with --pairs FILE.`);
  const chosen = rewardOf(spec);
  if (file === undefined)
    throw new UserError(`--reward ${spec} needs pairs to probe it with. Add --pairs FILE.`);
  const pairs = await readPairs(file);
  // Paths of modules start where the user stands; in messages the option stands for a configuration.
  const reward = await createReward(chosen, { configFile: "--reward" });
  try {
    await probe(reward, pairs, options, openTerminal(options));
  } finally {
    await reward.close?.();
  }
}

const REWARDS =
  "chrf, bleu, places, ratings:FOLDER, pretrained:FOLDER, module:PATH, command:PROGRAM or the address of a server (http://…)";

function rewardOf(spec: string): RewardOptions {
  // Other keys have their defaults; the data are not read.
  return resolveConfig({ data: { train: ["pairs.tsv"] }, reward: sectionOf(spec) }).reward;
}

function sectionOf(spec: string): NonNullable<ConfigInput["reward"]> {
  if (spec === "chrf" || spec === "bleu" || spec === "places" || spec === "number") return { kind: spec };
  if (/^https?:/.test(spec)) return { kind: "http", url: spec };
  const [, kind, rest] = /^(module|ratings|command|pretrained):(.+)$/.exec(spec) ?? [];
  if (rest === undefined)
    throw new UserError(
      `--reward is ${spec} but must be ${REWARDS}; probe a learned reward or a judge by its run's folder.`,
    );
  if (kind === "module") return { kind, path: rest };
  if (kind === "ratings" || kind === "pretrained") return { kind, model: rest };
  return { kind: "command", command: rest.trim().split(/ +/) };
}

async function probe(
  reward: Reward,
  all: readonly Pair[],
  options: ProbeOptions,
  terminal: Terminal,
): Promise<void> {
  const pairs = spread(all, options.limit);
  if (pairs.length < 2)
    throw new UserError(
      `there are ${pairs.length} pairs to probe with, but 2 are needed at least. Name more with --pairs FILE.`,
    );
  const cases = await probeCases(reward, pairs, deriveKey(options.seed));
  const rows = probeRows(cases, PROBE_KINDS);
  const worst = Object.fromEntries(
    PROBE_KINDS.map((kind) => [kind, worstCases(cases, kind, options.worst)] as const),
  );
  const blind = blindSpots(rows).map(({ kind }) => kind);
  terminal.result(
    {
      reward: reward.name,
      pairs: pairs.length,
      blind,
      // JSON has no NaN: a kind that fits no pair has null.
      kinds: rows.map((row) => ({ ...row, damage: DAMAGE_WORDS[row.kind], worst: worst[row.kind] })),
    },
    (colour) =>
      [
        toText(probeTable(reward, rows), { colour }),
        ...rows.flatMap(({ kind }) => worstText(kind, worst[kind]!)),
        blind.length === 0
          ? "Every kind of damage lowers this reward."
          : `This reward often misses: ${blindSpotWords(rows)}. A policy can be taught just that.`,
      ].join("\n\n"),
  );
}

/** At most `most` pairs, evenly over the file: neighbours are often alike. */
function spread(pairs: readonly Pair[], most: number): Pair[] {
  if (pairs.length <= most) return [...pairs];
  return Array.from({ length: most }, (_, i) => pairs[Math.floor((i * pairs.length) / most)]!);
}

function probeTable(reward: Reward, rows: readonly ProbeRow[]) {
  return {
    title: `Does the reward ${reward.name} fall?`,
    columns: [
      { header: "damage", align: "left" as const },
      { header: "pairs", align: "right" as const },
      { header: "falls", align: "right" as const },
      { header: "equal", align: "right" as const },
      { header: "mean change", align: "right" as const },
    ],
    rows: rows.map(({ kind, pairs, noticed, tied, meanLoss }) => ({
      cells: [
        DAMAGE_WORDS[kind],
        decimal(pairs, 0),
        ...(pairs === 0
          ? [MISSING, MISSING, MISSING]
          : [percent(noticed), percent(tied), signed(-100 * meanLoss)]),
      ],
    })),
    notes: [
      "falls: share of human translations whose damaged version scores lower; change in points of 100.",
    ],
  };
}

/** The texts that were missed: those that score no lower than their reference. */
function worstText(kind: ProbeCase["kind"], worst: readonly ProbeCase[]): string[] {
  const missed = worst.filter(({ referenceReward, damagedReward }) => damagedReward >= referenceReward);
  if (missed.length === 0) return [];
  const lines = missed.flatMap(({ source, reference, damaged, referenceReward, damagedReward }) => [
    `  source     ${JSON.stringify(source)}`,
    `  reference  ${JSON.stringify(reference)}  ${rewardPoints(referenceReward)}`,
    `  damaged    ${JSON.stringify(damaged)}  ${rewardPoints(damagedReward)}`,
    "",
  ]);
  return [`${DAMAGE_WORDS[kind]}, missed:\n${lines.slice(0, -1).join("\n")}`];
}
