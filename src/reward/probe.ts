/** Asks a reward whether it notices damage: a reward that does not can be gamed by doing just that. */

import type { Pair } from "../data/pair.js";
import { type Key, threefry } from "../tensor/random.js";
import { DAMAGE_KINDS, type DamageKind, damagedPairs } from "./damage.js";
import type { Reward } from "./reward.js";

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

/**
 * Scores each reference of `pairs` and one damaged version of it a kind; a few dozen pairs are enough to see which
 * damage a reward is blind to. The same pairs and key probe with the same damages. One row a kind, in their order.
 */
export async function probeReward(
  reward: Reward,
  pairs: readonly Pair[],
  key: Key,
  { kinds = DAMAGE_KINDS }: ProbeOptions = {},
): Promise<ProbeRow[]> {
  const references = pairs.map(({ source, target }) => ({ source, candidate: target, reference: target }));
  const intact = await reward.score(references);
  // By source and reference, as damaged pairs carry both: pairs that are alike score alike.
  const scoreOfReference = new Map(references.map((input, i) => [pairKey(input), intact[i]!]));

  const rows: ProbeRow[] = [];
  for (const kind of kinds) {
    const kindKey = threefry(key, DAMAGE_KINDS.indexOf(kind), 0);
    const damaged = [...damagedPairs(pairs, kindKey, { perPair: 1, kinds: [kind] })];
    const scores = await reward.score(
      damaged.map(({ source, candidate, reference }) => ({ source, candidate, reference })),
    );
    const losses = damaged.map((pair, i) => scoreOfReference.get(pairKey(pair))! - scores[i]!);
    rows.push({
      kind,
      pairs: damaged.length,
      noticed: share(losses, (loss) => loss > 0),
      tied: share(losses, (loss) => loss === 0),
      meanLoss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    });
  }
  return rows;
}

function pairKey({ source, reference }: { source: string; reference: string }): string {
  return JSON.stringify([source, reference]);
}

function share(values: readonly number[], holds: (value: number) => boolean): number {
  return values.filter(holds).length / values.length;
}
