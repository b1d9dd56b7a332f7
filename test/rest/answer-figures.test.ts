import { expect, test } from "vitest";
import { answerFigures } from "../../src/rest/steps/evaluate.js";

const said = (...texts: string[]) => texts.map((text) => ({ text }));

test("exact match, pass@k and maj@k over sources, by hand", () => {
  const { exact, attempts } = answerFigures(
    "number",
    {
      references: ["5 + 2 = 7\n#### 7", "3", "no number"],
      hypotheses: ["It is 7.00.", "4", "no number"],
      pool: [
        said("7", "so 7", "8", "I cannot say"),
        said("3", "The answer is 3, not 4.", "5", "3.0"),
        // A reference without a number is right for nobody.
        said("no number", "1", "no number", "no number"),
      ],
    },
    [1, 2, 8],
    1,
  );
  expect(exact.value).toBeCloseTo(1 / 3, 12);
  // 8 is more than there are samples.
  expect(attempts.map(({ k }) => k)).toEqual([1, 2]);
  // 2 of 4 and 3 of 4 are right.
  expect(attempts[0]!.pass.value).toBeCloseTo((2 / 4 + 3 / 4) / 3, 12);
  expect(attempts[0]!.majority.value).toBeCloseTo((2 / 4 + 3 / 4) / 3, 12);
  // 1 of 6 pairs of the first holds no 7; every pair of the second holds a 3.
  expect(attempts[1]!.pass.value).toBeCloseTo((5 / 6 + 1) / 3, 12);
  // {7,7} 1, twice {7,8} 1/2, twice {7,none} 1, {8,none} 0; thrice {3,3} 1, thrice {3,5} 1/2.
  expect(attempts[1]!.majority.value).toBeCloseTo((4 / 6 + 4.5 / 6) / 3, 12);
});
