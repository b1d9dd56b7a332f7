/** Groups of token ids as a few flat arrays, so that crossing to the worker costs a few copies, not millions. */

import type { Group } from "./batches.js";

export interface PackedGroups {
  /** All token ids: for each group its source, then its targets. */
  readonly tokens: Int32Array;
  /** For each group: source length, number of targets, then each target's length. */
  readonly lengths: Int32Array;
  /** One weight a target. */
  readonly weights: Float32Array;
}

export function packGroups(groups: readonly Group[]): PackedGroups {
  const lengths: number[] = [];
  const weights: number[] = [];
  let size = 0;
  for (const group of groups) {
    lengths.push(group.source.length, group.targets.length);
    size += group.source.length;
    for (const target of group.targets) {
      lengths.push(target.tokens.length);
      weights.push(target.weight);
      size += target.tokens.length;
    }
  }
  const tokens = new Int32Array(size);
  let at = 0;
  for (const group of groups)
    for (const part of [group.source, ...group.targets.map((target) => target.tokens)]) {
      tokens.set(part, at);
      at += part.length;
    }
  return { tokens, lengths: Int32Array.from(lengths), weights: Float32Array.from(weights) };
}

export function unpackGroups(packed: PackedGroups): Group[] {
  const groups: Group[] = [];
  let at = 0;
  let weight = 0;
  const take = (length: number): Int32Array => {
    at += length;
    return packed.tokens.subarray(at - length, at);
  };
  for (let i = 0; i < packed.lengths.length; ) {
    const source = take(packed.lengths[i++]!);
    const count = packed.lengths[i++]!;
    const targets = Array.from({ length: count }, () => ({
      tokens: take(packed.lengths[i++]!),
      weight: packed.weights[weight++]!,
    }));
    groups.push({ source, targets });
  }
  return groups;
}
