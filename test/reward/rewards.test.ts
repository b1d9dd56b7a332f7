import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checked } from "../../src/reward/contract.js";
import { createReward, type RewardOptions } from "../../src/reward/create.js";
import type { RewardInput } from "../../src/reward/reward.js";

/** The kinds share their cases: whatever scores candidates keeps these laws. */
const configFile = fileURLToPath(new URL("../../examples/coppice.yaml", import.meta.url));
const kinds: Record<string, RewardOptions> = {
  chrF2: { kind: "chrf" },
  "chrF2++": { kind: "chrf", wordOrder: 2 },
  BLEU: { kind: "bleu" },
  "BLEU of Chinese": { kind: "bleu", tokenize: "zh" },
  places: { kind: "places" },
  "a module": { kind: "module", path: "reward-module.mjs" },
  "a sum": {
    kind: "sum",
    parts: [
      { kind: "chrf", weight: 2 },
      { kind: "module", path: "reward-module.mjs", weight: 1 },
    ],
  },
};

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.lorem({ maxCount: 8 }),
  fc.constantFrom("", " ", "。", "他说你好吗。", "👩‍👧", "\ud800", "<skipped>", "&amp;", "\u2028"),
);
const batches = fc.array(fc.record({ source: text, candidate: text, reference: text }), { maxLength: 8 });

describe.each(Object.entries(kinds))("%s", (_, options) => {
  it("gives one number in [0, 1] for each input, whatever the texts, and the same at a second call", async () => {
    const reward = await createReward(options, { configFile });
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        // What `createReward` returns throws on a breach of the contract.
        const scores = await reward.score(batch);
        expect(scores).toHaveLength(batch.length);
        expect(await reward.score(batch)).toEqual(scores);
      }),
      { numRuns: 100 },
    );
  });

  it("gives the same numbers in batches of any size and order", async () => {
    const reward = await createReward(options, { configFile });
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 1, max: 8 }), async (batch, batchSize) => {
        const scores = await reward.score(batch);
        expect(await checked(reward, { batchSize }).score(batch)).toEqual(scores);
        expect(await reward.score(batch.toReversed())).toEqual(scores.toReversed());
      }),
      { numRuns: 50 },
    );
  });

  it("gives the reference itself the highest reward", async () => {
    const reward = await createReward(options, { configFile });
    const pairs: RewardInput[] = [
      { source: "Ein Hund spielt im Schnee.", candidate: "", reference: "A dog is playing in the snow." },
      { source: "Is it open?", candidate: "", reference: "它开着吗？" },
    ].slice(0, options.kind === "chrf" || options.kind === "bleu" || options.kind === "places" ? 2 : 1);
    const best = await reward.score(pairs.map((pair) => ({ ...pair, candidate: pair.reference! })));
    for (const score of best) expect(score).toBeCloseTo(1, 12);
    const cut = await reward.score(
      pairs.map((pair) => ({ ...pair, candidate: pair.reference!.slice(0, 3) })),
    );
    for (const score of cut) expect(score).toBeLessThan(0.9);
  });
});
