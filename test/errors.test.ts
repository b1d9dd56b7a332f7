import { expect, test } from "vitest";
import { UserError } from "../src/errors.js";

test("a message shows control characters of a damaged file as their numbers, other characters as they are", () => {
  const error = new UserError("the key \u001b[2J\u0000\u2028漢🙂 is unknown.", {
    file: "a\u0007.json",
    line: 3,
  });
  expect(error.message).toBe("a\\u0007.json:3: the key \\u001b[2J\\u0000\\u2028漢🙂 is unknown.");
  // What a file is called stays as it is where it is used as a name.
  expect(error.place.file).toBe("a\u0007.json");
});

test("a message is cut in its middle, so that a name of any length leaves what to do", () => {
  const { message } = new UserError(`the key ${"x".repeat(100_000)} is unknown. Remove it.`);
  expect(message.length).toBeLessThan(1600);
  expect(message).toMatch(/^the key x+ … x+ is unknown\. Remove it\.$/);
});
