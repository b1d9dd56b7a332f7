import fc from "fast-check";
import { expect, test } from "vitest";
import { lengthBatches } from "../../../src/reward/pretrained/batches.js";
import { packSequences, unpackSequences } from "../../../src/reward/pretrained/packed.js";

test("batches hold every input once, the longest first, and no more positions than asked for", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 })),
      fc.integer({ min: 1, max: 200 }),
      (lengths, most) => {
        const batches = lengthBatches(lengths, most);
        expect(batches.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
        const order = batches.flat().map((place) => lengths[place]!);
        expect(order).toEqual([...order].sort((a, b) => b - a));
        for (const batch of batches)
          if (batch.length > 1) expect(batch.length * lengths[batch[0]!]!).toBeLessThanOrEqual(most);
        // No two neighbours would have fitted into one.
        batches.slice(1).forEach((batch, i) => {
          const before = batches[i]!;
          expect((before.length + 1) * lengths[before[0]!]!).toBeGreaterThan(most);
          expect(batch.length).toBeGreaterThan(0);
        });
      },
    ),
  );
});

test("sequences come back as they were packed", () => {
  const sequences = [[5, 6, 7], [], [8]];
  expect(unpackSequences(packSequences(sequences)).map((ids) => Array.from(ids))).toEqual(sequences);
});
