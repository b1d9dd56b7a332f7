import { describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { checked } from "../../src/reward/contract.js";
import type { Reward, RewardInput } from "../../src/reward/reward.js";

const inputs: RewardInput[] = [
  { source: "Ein Hund", candidate: "a dog" },
  { source: "Eine Katze", candidate: "a cat" },
  { source: "Ein Haus", candidate: "a house" },
];

/** A reward as a user's JavaScript might return it: `scores` is whatever it is. */
function returning(scores: unknown): Reward {
  return { name: "mine", needsReference: false, score: async () => scores as number[] };
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

describe("checked", () => {
  it("passes good numbers on, 0 and 1 included", async () => {
    expect(await checked(returning([0, 0.25, 1])).score(inputs)).toEqual([0, 0.25, 1]);
  });

  it("scores an empty batch as an empty list without asking the reward", async () => {
    expect(await checked(returning(undefined)).score([])).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    [
      "too few numbers",
      [0.5, 0.5],
      'reward "mine" returned 2 numbers for 3 inputs, the first of them source "Ein Hund", candidate "a dog"; return one number for each input, in order',
    ],
    [
      "too many numbers",
      [0, 0, 0, 0],
      'reward "mine" returned 4 numbers for 3 inputs, the first of them source "Ein Hund", candidate "a dog"; return one number for each input, in order',
    ],
    [
      "no array",
      0.5,
      'reward "mine" returned 0.5 where an array of 3 numbers was expected; return one number for each input, in order',
    ],
    [
      "NaN",
      [0.5, Number.NaN, 0.5],
      'reward "mine" returned NaN for source "Eine Katze", candidate "a cat"; a reward must be a number from 0 to 1, so mend the reward for this input',
    ],
    [
      "a text",
      [0.5, 0.5, "0.5"],
      'reward "mine" returned the text "0.5" for source "Ein Haus", candidate "a house"; a reward must be a number from 0 to 1, so mend the reward for this input',
    ],
    [
      "null",
      [null, 0.5, 0.5],
      'reward "mine" returned null for source "Ein Hund", candidate "a dog"; a reward must be a number from 0 to 1, so mend the reward for this input',
    ],
    [
      "a hole in the array",
      // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
      [0.5, , 0.5],
      'reward "mine" returned undefined for source "Eine Katze", candidate "a cat"; a reward must be a number from 0 to 1, so mend the reward for this input',
    ],
    [
      "a number above 1",
      [0.5, 0.5, 71.3],
      'reward "mine" returned 71.3 for source "Ein Haus", candidate "a house"; a reward must lie in [0, 1], so scale or clamp it',
    ],
    [
      "a negative number",
      [-1e-9, 0.5, 0.5],
      'reward "mine" returned -1e-9 for source "Ein Hund", candidate "a dog"; a reward must lie in [0, 1], so scale or clamp it',
    ],
    [
      "infinity",
      [Number.POSITIVE_INFINITY, 0, 0],
      'reward "mine" returned Infinity for source "Ein Hund", candidate "a dog"; a reward must lie in [0, 1], so scale or clamp it',
    ],
  ])("%s is an error that names reward, input and number", async (_, scores, message) => {
    expect(await messageOf(checked(returning(scores)).score(inputs))).toBe(message);
  });

  it("a long source is quoted short and on one line", async () => {
    const long = { source: `${"ü".repeat(100)}`, candidate: "first\nsecond" };
    const message = await messageOf(checked(returning([2])).score([long]));
    expect(message).toContain(`source "${"ü".repeat(59)}…", candidate "first\\nsecond"`);
  });

  it("a missing reference is an error that names the source, before the reward is asked", async () => {
    let asked = 0;
    const reward: Reward = {
      name: "chrF2",
      needsReference: true,
      score: async (batch) => {
        asked++;
        return batch.map(() => 1);
      },
    };
    const message = await messageOf(
      checked(reward).score([{ ...inputs[0]!, reference: "a dog" }, inputs[1]!]),
    );
    expect(message).toBe(
      'reward "chrF2" compares with a reference, and source "Eine Katze" has none; give it a translation or use a reward that needs no reference',
    );
    expect(asked).toBe(0);
  });

  it("batches are no larger than asked for and keep the order", async () => {
    const sizes: number[] = [];
    const lengths: Reward = {
      name: "length",
      needsReference: false,
      score: async (batch) => {
        sizes.push(batch.length);
        return batch.map(({ candidate }) => candidate.length / 10);
      },
    };
    expect(await checked(lengths, { batchSize: 2 }).score(inputs)).toEqual([0.5, 0.5, 0.7]);
    expect(sizes).toEqual([2, 1]);
  });

  it.each([0, -1, 1.5, Number.NaN])("a batch size of %d is an error", (batchSize) => {
    expect(() => checked(returning([]), { batchSize })).toThrow(UserError);
  });

  it("a reward that changes its mind is an error when calls are repeated", async () => {
    let call = 0;
    const moody: Reward = {
      name: "moody",
      needsReference: false,
      score: async (batch) => batch.map(() => (++call % 2 === 0 ? 0.25 : 0.75)),
    };
    expect(await messageOf(checked(moody, { repeat: 1 }).score(inputs))).toBe(
      'reward "moody" returned 0.75 and then 0.25 for source "Ein Hund", candidate "a dog"; a reward must be the same at every call, so take chance and state out of it',
    );
  });

  it("only the first inputs are scored twice, and only once in a run", async () => {
    const sizes: number[] = [];
    const steady: Reward = {
      name: "steady",
      needsReference: false,
      score: async (batch) => {
        sizes.push(batch.length);
        return batch.map(() => 0.5);
      },
    };
    const reward = checked(steady, { repeat: 2 });
    await reward.score(inputs);
    await reward.score(inputs);
    expect(sizes).toEqual([3, 2, 3]);
  });

  it("closing the checked reward closes the reward", async () => {
    let closed = false;
    const open: Reward = {
      ...returning([]),
      close: async () => {
        closed = true;
      },
    };
    await checked(open).close?.();
    expect(closed).toBe(true);
    expect(checked(returning([]))).not.toHaveProperty("close");
  });
});
