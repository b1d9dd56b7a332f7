/** Splits a corpus so that no sentence of one part, on either side, stands in another. */

import { UserError } from "../errors.js";
import { hashUnit } from "./hash.js";
import { normalized } from "./normalized.js";
import type { Pair } from "./pair.js";

/** How much each held-out part gets: below 1 a share of the pairs, from 1 a number of pairs, 0 nothing. */
export interface SplitSizes {
  validation: number;
  test: number;
  /** The part that teaches the learned reward; Grow does not use it. */
  reward: number;
  seed: number;
}

export interface Split {
  train: Pair[];
  reward: Pair[];
  validation: Pair[];
  test: Pair[];
}

type HeldOut = Exclude<keyof Split, "train">;

/**
 * Pairs with the same source or the same target (lower case, spaces folded, final punctuation dropped) form
 * a group, and so do groups that share a pair; a group goes into one part. Groups are ordered by a hash of
 * their targets and the seed, and test, validation and reward take theirs in this order; train gets the
 * rest. Within a part pairs keep the corpus' order. Lines appended later move only groups at the borders.
 *
 * A part may hold a few pairs less than asked for when groups don't fit.
 *
 * @throws UserError when the corpus is too small for the parts asked for.
 */
export function splitPairs(pairs: readonly Pair[], sizes: SplitSizes): Split {
  const order = ["test", "validation", "reward"] as const satisfies readonly HeldOut[];
  const wanted = Object.fromEntries(
    order.map((part) => [part, wantedPairs(part, sizes[part], pairs.length)]),
  );
  const groups = sortedGroups(pairs, sizes.seed);
  const partOf = new Map<number, HeldOut>();

  for (const part of order) {
    const size = wanted[part] ?? 0;
    let taken = 0;
    for (const group of groups) {
      if (taken === size) break;
      // A group of paraphrases as large as the part would be all that the part holds: it stays in training.
      const swamps = group.length > 1 && group.length > size / 2;
      if (swamps || taken + group.length > size || partOf.has(group[0] ?? -1)) continue;
      for (const index of group) partOf.set(index, part);
      taken += group.length;
    }
    if (taken < size / 2) throw tooSmall(pairs.length, groups.length, part, size);
  }

  const split: Split = { train: [], reward: [], validation: [], test: [] };
  pairs.forEach((pair, index) => {
    split[partOf.get(index) ?? "train"].push(pair);
  });
  if (split.train.length === 0) throw tooSmall(pairs.length, groups.length, "train", 1);
  return split;
}

function wantedPairs(part: HeldOut, size: number, total: number): number {
  if (!Number.isFinite(size) || size < 0 || (size > 1 && !Number.isInteger(size))) {
    throw new UserError(
      `the size of the ${part} part is ${size}, expected a share below 1 or a whole number of pairs.`,
    );
  }
  return size > 0 && size < 1 ? Math.max(1, Math.round(size * total)) : size;
}

function tooSmall(pairs: number, groups: number, part: keyof Split, size: number): UserError {
  const have = `the corpus has ${pairs} ${pairs === 1 ? "pair" : "pairs"}`;
  const grouped = groups < pairs ? ` in ${groups} groups that share a sentence` : "";
  return new UserError(
    `${have}${grouped}, too few to leave ${size} for ${part} beside the other parts; give more pairs or ask for smaller parts.`,
  );
}

/** Groups of pair indices, ordered by the smallest hash among their targets. */
function sortedGroups(pairs: readonly Pair[], seed: number): number[][] {
  const parent = pairs.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (parent[at] !== at) {
      const next = parent[at] ?? at;
      parent[at] = parent[next] ?? next;
      at = next;
    }
    return at;
  };
  const targets = pairs.map(({ target }) => normalized(target));
  const sources = pairs.map(({ source }) => normalized(source));
  for (const sentences of [targets, sources]) {
    const first = new Map<string, number>();
    sentences.forEach((sentence, index) => {
      const earlier = first.get(sentence);
      if (earlier === undefined) first.set(sentence, index);
      else parent[root(index)] = root(earlier);
    });
  }
  const groups = new Map<number, { members: number[]; key: number }>();
  targets.forEach((target, index) => {
    const key = hashUnit(seed, target);
    const group = groups.get(root(index));
    if (group) {
      group.members.push(index);
      group.key = Math.min(group.key, key);
    } else groups.set(root(index), { members: [index], key });
  });
  return [...groups.values()].sort((a, b) => a.key - b.key).map(({ members }) => members);
}
