/** How examples become batches. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { newConfig } from "../../src/model/config.js";
import { type Group, packBatches, withTwin } from "../../src/policy/batches.js";
import { BatchFeeder } from "../../src/policy/network.js";

/** Groups whose targets are told apart by their weight. */
const groups: fc.Arbitrary<Group[]> = fc
  .array(
    fc.record({
      source: fc.integer({ min: 1, max: 40 }),
      targets: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((drafts) => {
    let weight = 0;
    return drafts.map(({ source, targets }) => ({
      source: new Int32Array(source).fill(7),
      targets: targets.map((length) => ({ tokens: new Int32Array(length), weight: ++weight })),
    }));
  });

const longest = (group: Group) => Math.max(...group.targets.map(({ tokens }) => tokens.length));
const positions = (batch: readonly Group[]) =>
  batch.length * Math.max(...batch.map(({ targets }) => targets.length)) * Math.max(...batch.map(longest));
const weightsOf = (batches: readonly Group[][]) =>
  batches.flat().flatMap(({ targets }) => targets.map(({ weight }) => weight));

test("every target is in one batch once, beside its own source", () => {
  fc.assert(
    fc.property(
      groups,
      fc.integer({ min: 1, max: 2000 }),
      fc.nat(5),
      fc.nat(5),
      (all, tokens, seed, epoch) => {
        const batches = packBatches(all, tokens, seed, epoch);
        expect(weightsOf(batches).sort((a, b) => a - b)).toEqual(weightsOf([all]));
        const sources = new Map(all.flatMap(({ source, targets }) => targets.map((t) => [t.weight, source])));
        for (const { source, targets } of batches.flat())
          for (const { weight } of targets) expect(source).toBe(sources.get(weight));
        expect(batches.every((batch) => batch.length > 0)).toBe(true);
      },
    ),
  );
});

test("no batch has more positions than asked for, padding included, unless it is one group alone", () => {
  fc.assert(
    fc.property(groups, fc.integer({ min: 1, max: 2000 }), (all, tokens) => {
      for (const batch of packBatches(all, tokens, 1, 0))
        if (batch.length > 1) expect(positions(batch)).toBeLessThanOrEqual(tokens);
    }),
  );
});

test("groups that meet are neighbours by number of targets, then by length", () => {
  fc.assert(
    fc.property(groups, fc.integer({ min: 1, max: 2000 }), (all, tokens) => {
      const batches = packBatches(all, tokens, 1, 0);
      // [least, most] of each batch, in the order of its class: no batch reaches into another.
      const place = (group: Group) => group.targets.length * 100 + (longest(group) >> 1);
      const ranges = batches
        .map((batch) => batch.map(place))
        .map((places) => [Math.min(...places), Math.max(...places)] as const)
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      for (const [i, [least]] of ranges.entries())
        if (i > 0) expect(least).toBeGreaterThanOrEqual(ranges[i - 1]![1]);
    }),
  );
});

test("batches follow from seed and epoch: the same for both, others for another of either", () => {
  const all = Array.from({ length: 200 }, (_, i) => ({
    source: new Int32Array(5),
    targets: [{ tokens: new Int32Array(1 + (i % 7)), weight: i + 1 }],
  }));
  const packed = (seed: number, epoch: number) => weightsOf(packBatches(all, 40, seed, epoch));
  expect(packed(1, 0)).toEqual(packed(1, 0));
  expect(packed(1, 1)).not.toEqual(packed(1, 0));
  expect(packed(2, 0)).not.toEqual(packed(1, 0));
});

test("a lone token is given twice with half the weight, so that no matrix has one row; others stay as they are", () => {
  const config = newConfig({
    width: 8,
    inner: 8,
    heads: 2,
    encoderLayers: 1,
    decoderLayers: 1,
    vocabulary: 10,
    targetVocabulary: 10,
    shared: true,
    eosId: 0,
    padId: 1,
    dropout: 0,
    maxPositions: 16,
  });
  const lone: Group = { source: [4, 0], targets: [{ tokens: [0], weight: 3 }] };
  const { symbols, feeds } = new BatchFeeder(config).batch(withTwin([lone]), 1);
  expect(symbols.token).toBe(2);
  expect(Array.from(feeds.weight!.data as Float32Array)).toEqual([1.5, 1.5]);
  const two: Group = { source: [4, 0], targets: [{ tokens: [5, 0], weight: 3 }] };
  for (const batch of [[lone, lone], [two], [{ ...lone, targets: [...lone.targets, ...two.targets] }]])
    expect(withTwin(batch)).toBe(batch);
});
