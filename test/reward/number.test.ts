import { expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { numberReward } from "../../src/reward/number.js";

test("the final number is right or wrong, however it is written", async () => {
  const reward = numberReward();
  const score = (candidate: string, reference: string) =>
    reward.score([{ source: "?", candidate, reference }]);
  expect(await score("3 + 4 = 7", "7")).toEqual([1]);
  expect(await score("It costs $1,250.00.", "She pays 5 * 250 = 1250. #### 1250")).toEqual([1]);
  expect(await score("7, I think, or 8", "7")).toEqual([0]);
  expect(await score("seven", "7")).toEqual([0]);
  expect(await score("", "0")).toEqual([0]);
});

test("a reference without a number is refused", async () => {
  await expect(numberReward().score([{ source: "?", candidate: "7", reference: "seven" }])).rejects.toThrow(
    new UserError(
      'reward "number" finds no number in the reference "seven"; give it one, or leave the pair out',
    ),
  );
});
