/** Asks a reward whether it notices damage: a reward that does not can be gamed by doing just that. */

import type { Pair } from "../data/pair.js";
import { type Key, threefry } from "../tensor/random.js";
import { DAMAGE_KINDS, type DamageKind, damagedPairs, PROBE_KINDS } from "./damage.js";
import type { Reward } from "./reward.js";

/** One reference and its damaged version, both scored. */
export interface ProbeCase {
  kind: DamageKind;
  source: string;
  reference: string;
  /** The damaged reference. */
  damaged: string;
  referenceReward: number;
  damagedReward: number;
}

/** What a reward makes of one kind of damage. */
export interface ProbeRow {
  kind: DamageKind;
  /** References that this damage could be done to. */
  pairs: number;
  /** Share of them whose damaged version scores below the reference itself; NaN where `pairs` is 0. */
  noticed: number;
  /** Share of them where both score the same; NaN where `pairs` is 0. */
  tied: number;
  /** Mean reward lost by the damage; NaN where `pairs` is 0. */
  meanLoss: number;
}

export interface ProbeOptions {
  kinds?: readonly DamageKind[];
}

/** Share of references from which a reward counts as seeing a kind of damage; one that guesses notices half. */
export const NOTICED_ENOUGH = 0.8;

/** Each kind as words that follow "does not notice". */
export const DAMAGE_WORDS: Readonly<Record<DamageKind, string>> = {
  dropped: "words dropped",
  doubled: "words doubled",
  swapped: "words swapped",
  repeatedSpan: "a stretch repeated",
  cut: "the end cut off",
  inventedTail: "an invented tail",
  copiedSource: "the source copied untranslated",
  otherTranslation: "the translation of another source",
  garbled: "letters garbled",
  oneWord: "one word alone",
  numbers: "a number changed",
  negation: "a negation put in or taken out",
  shuffled: "all words shuffled",
  names: "a name changed",
  wrongLanguage: "the text of another source, untranslated",
  empty: "an empty text",
};

/**
 * Scores each reference of `pairs` and one damaged version of it a kind; a few dozen pairs are enough to see which
 * damage a reward is blind to. The same pairs and key probe with the same damages. One row a kind, in their order.
 *
 * @example probeReward(chrfReward(), pairs, deriveKey(1), { kinds: PROBE_KINDS })
 */
export async function probeReward(
  reward: Reward,
  pairs: readonly Pair[],
  key: Key,
  { kinds = DAMAGE_KINDS }: ProbeOptions = {},
): Promise<ProbeRow[]> {
  return probeRows(await probeCases(reward, pairs, key, { kinds }), kinds);
}

/** Every reference and damaged version that `probeReward` counts, kind by kind. */
export async function probeCases(
  reward: Reward,
  pairs: readonly Pair[],
  key: Key,
  { kinds = PROBE_KINDS }: ProbeOptions = {},
): Promise<ProbeCase[]> {
  const references = pairs.map(({ source, target }) => ({ source, candidate: target, reference: target }));
  const intact = await reward.score(references);
  // By source and reference, as damaged pairs carry both: pairs that are alike score alike.
  const scoreOfReference = new Map(references.map((input, i) => [pairKey(input), intact[i]!]));

  const cases: ProbeCase[] = [];
  for (const kind of kinds) {
    const kindKey = threefry(key, PROBE_KINDS.indexOf(kind), 0);
    const damaged = [...damagedPairs(pairs, kindKey, { perPair: 1, kinds: [kind] })];
    const scores = await reward.score(
      damaged.map(({ source, candidate, reference }) => ({ source, candidate, reference })),
    );
    damaged.forEach(({ source, candidate, reference }, i) => {
      const referenceReward = scoreOfReference.get(pairKey({ source, reference }))!;
      cases.push({ kind, source, reference, damaged: candidate, referenceReward, damagedReward: scores[i]! });
    });
  }
  return cases;
}

/** One row for each of `kinds`, in their order. */
export function probeRows(cases: readonly ProbeCase[], kinds: readonly DamageKind[]): ProbeRow[] {
  return kinds.map((kind) => {
    const losses = cases.filter((one) => one.kind === kind).map(loss);
    return {
      kind,
      pairs: losses.length,
      noticed: share(losses, (lost) => lost > 0),
      tied: share(losses, (lost) => lost === 0),
      meanLoss: losses.reduce((sum, lost) => sum + lost, 0) / losses.length,
    };
  });
}

/** The `most` cases of a kind in which the damage was noticed least, the worst first. */
export function worstCases(cases: readonly ProbeCase[], kind: DamageKind, most: number): ProbeCase[] {
  return cases
    .filter((one) => one.kind === kind)
    .sort((a, b) => loss(a) - loss(b))
    .slice(0, most);
}

/** The kinds that are noticed too seldom, the least noticed first. */
export function blindSpots<Row extends Pick<ProbeRow, "noticed">>(rows: readonly Row[]): Row[] {
  return rows.filter(({ noticed }) => noticed < NOTICED_ENOUGH).sort((a, b) => a.noticed - b.noticed);
}

/** `words doubled (12 %), a name changed (40 %)`. */
export function blindSpotWords(rows: readonly Pick<ProbeRow, "kind" | "noticed">[]): string {
  return blindSpots(rows)
    .map(({ kind, noticed }) => `${DAMAGE_WORDS[kind]} (${(100 * noticed).toFixed(0)} %)`)
    .join(", ");
}

function loss({ referenceReward, damagedReward }: ProbeCase): number {
  return referenceReward - damagedReward;
}

function pairKey({ source, reference }: { source: string; reference: string }): string {
  return JSON.stringify([source, reference]);
}

function share(values: readonly number[], holds: (value: number) => boolean): number {
  return values.filter(holds).length / values.length;
}
