import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createReward } from "../../src/reward/create.js";
import type { Reward } from "../../src/reward/reward.js";
import type { SumReward } from "../../src/reward/sum.js";

const configFile = fileURLToPath(new URL("../../examples/coppice.yaml", import.meta.url));
const learned: Reward = {
  name: "learned",
  needsReference: false,
  score: async (batch) => batch.map(({ candidate }) => candidate.length / 10),
};
const input = { source: "Ein Hund", candidate: "a dog", reference: "a dog" };

describe("createReward", () => {
  it("a learned reward is the one that the caller made ready", async () => {
    const reward = await createReward({ kind: "learned" }, { configFile, learned });
    expect(reward.name).toBe("learned");
    expect(await reward.score([input])).toEqual([0.5]);
  });

  it("a learned reward that has not been trained is an error that names the command", async () => {
    await expect(createReward({ kind: "learned" }, { configFile })).rejects.toThrow(
      `${configFile}: the configuration asks for a learned reward and none has been trained yet; run \`coppice train-reward\` first`,
    );
  });

  it("what it makes is checked", async () => {
    const wrong = { ...learned, score: async () => [7] };
    const reward = await createReward({ kind: "learned" }, { configFile, learned: wrong });
    await expect(reward.score([input])).rejects.toThrow('reward "learned" returned 7');
  });

  it("a sum has any other kinds as its parts and tells their scores apart", async () => {
    const reward = (await createReward(
      {
        kind: "sum",
        parts: [
          { kind: "learned", weight: 1 },
          { kind: "chrf", weight: 3 },
        ],
      },
      { configFile, learned },
    )) as SumReward;
    expect(await reward.scoreParts([input])).toEqual({
      total: [0.875], // ¼·½ + ¾·1
      parts: { learned: [0.5], chrF2: [1] },
    });
  });

  it("the context's tokenizer serves a BLEU that names none", async () => {
    const chinese = [{ source: "x", candidate: "他说你好", reference: "他说你好吗" }];
    const bleu = async (options: { kind: "bleu"; tokenize?: "13a" }) =>
      (await createReward(options, { configFile, tokenize: "zh" })).score(chinese);
    expect((await bleu({ kind: "bleu" }))[0]).toBeCloseTo(Math.exp(-0.25), 12); // all match, brevity 4 of 5
    expect(await bleu({ kind: "bleu", tokenize: "13a" })).toEqual([0]);
  });

  it("the check's options reach the reward and the parts of a sum", async () => {
    const sizes: number[] = [];
    const watched: Reward = {
      ...learned,
      score: async (batch) => {
        sizes.push(batch.length);
        return batch.map(() => 0.5);
      },
    };
    const context = { configFile, learned: watched, check: { batchSize: 2 } };
    await (await createReward({ kind: "learned" }, context)).score([input, input, input]);
    const sum = await createReward({ kind: "sum", parts: [{ kind: "learned", weight: 1 }] }, context);
    await sum.score([input, input, input]);
    expect(sizes).toEqual([2, 1, 2, 1]);
  });
});
