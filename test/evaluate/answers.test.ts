import { expect, test } from "vitest";
import { answerIn, finalNumber } from "../../src/evaluate/answers.js";

test.each<[string, number | undefined]>([
  ["3 + 4 = 7", 7],
  ["So she has 5-3 = 2 left. #### 2", 2],
  ["He pays $1,234.50 in all.", 1234.5],
  ["#### 18\nThat was step 4 of 5.", 18],
  ["The answer is **12**. (I used 3 steps.)", 12],
  ["The answer to the question is: 1,000 apples, not 20.", 1000],
  ["Answer: -4", -4],
  ["It falls to −4 degrees", -4],
  ["10 - 4", 4],
  ["thus \\boxed{42} and not 7", 42],
  ["\\boxed{x}: the answer is 9", 9],
  ["0.50", 0.5],
  [".5 left", 0.5],
  ["50%", 50],
  ["7.", 7],
  ["-0", 0],
  ["none at all", undefined],
  ["", undefined],
])("the final number of %j is %s", (text, value) => {
  expect(finalNumber(text)).toBe(value);
});

test("answers are compared by their value, or by their words", () => {
  expect(answerIn("number", "It is 7.00")).toBe(answerIn("number", "7"));
  expect(answerIn("number", `${0.1 + 0.2}`)).toBe("0.3");
  expect(answerIn("number", "seven")).toBeUndefined();
  expect(answerIn("text", "  a  dog\n")).toBe("a dog");
  expect(answerIn("text", " ")).toBeUndefined();
});
