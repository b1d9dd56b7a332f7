/** Groups of token ids as a few flat arrays, so that crossing to the worker costs a few copies, not millions. */

import type { Group, Target } from "./batches.js";

export interface PackedGroups {
  /** All token ids: for each group its source, then its targets. */
  readonly tokens: Int32Array;
  /** For each group: source length, number of targets, then each target's length. */
  readonly lengths: Int32Array;
  /** One weight a target. */
  readonly weights: Float32Array;
  /** Each column over all target tokens, in order; every target has the same columns. */
  readonly columns: Readonly<Record<string, Float32Array>>;
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
  return {
    tokens,
    lengths: Int32Array.from(lengths),
    weights: Float32Array.from(weights),
    columns: packColumns(groups.flatMap((group) => group.targets)),
  };
}

function packColumns(targets: readonly Target[]): Record<string, Float32Array> {
  const size = targets.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const packed: Record<string, Float32Array> = {};
  for (const name of Object.keys(targets[0]?.columns ?? {})) {
    const column = new Float32Array(size);
    let at = 0;
    for (const { tokens, columns } of targets) {
      const part = columns?.[name];
      if (part?.length !== tokens.length)
        throw new Error(`column ${name} has ${part?.length ?? 0} numbers for ${tokens.length} tokens`);
      column.set(part, at);
      at += part.length;
    }
    packed[name] = column;
  }
  return packed;
}

export function unpackGroups(packed: PackedGroups): Group[] {
  const groups: Group[] = [];
  const columns = Object.entries(packed.columns);
  let at = 0;
  let weight = 0;
  let token = 0;
  const takeColumns = (length: number) => {
    token += length;
    return Object.fromEntries(columns.map(([name, all]) => [name, all.subarray(token - length, token)]));
  };
  const take = (length: number): Int32Array => {
    at += length;
    return packed.tokens.subarray(at - length, at);
  };
  for (let i = 0; i < packed.lengths.length; ) {
    const source = take(packed.lengths[i++]!);
    const count = packed.lengths[i++]!;
    const targets = Array.from({ length: count }, () => {
      const length = packed.lengths[i++]!;
      return {
        tokens: take(length),
        weight: packed.weights[weight++]!,
        ...(columns.length > 0 ? { columns: takeColumns(length) } : {}),
      };
    });
    groups.push({ source, targets });
  }
  return groups;
}
