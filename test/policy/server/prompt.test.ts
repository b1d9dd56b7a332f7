/** What a trainer's file holds, by the layouts that TRL's documentation of dataset formats names. */

import { expect, test } from "vitest";
import { type PromptOptions, promptMessages, trainingLine } from "../../../src/policy/server/prompt.js";

const chat: PromptOptions = { api: "chat", template: "{source}\nEnd with the number.", system: "Be brief." };
const text: PromptOptions = { api: "completions", template: "Q: {source}\nA:", system: null };
const user = { role: "user", content: "1 + 1?\nEnd with the number." };
const system = { role: "system", content: "Be brief." };

test.each([
  ["chat", chat, { messages: [system, user, { role: "assistant", content: " 2" }] }],
  ["completion", chat, { prompt: [system, user], completion: [{ role: "assistant", content: " 2" }] }],
  ["plain", chat, { text: "1 + 1?\nEnd with the number. 2" }],
  [
    "chat",
    text,
    {
      messages: [
        { role: "user", content: "Q: 1 + 1?\nA:" },
        { role: "assistant", content: " 2" },
      ],
    },
  ],
  ["completion", text, { prompt: "Q: 1 + 1?\nA:", completion: " 2" }],
  ["plain", text, { text: "Q: 1 + 1?\nA: 2" }],
] as const)("layout %s of a prompt for %j is %j", (layout, options, line) => {
  expect(JSON.parse(trainingLine(layout, options, "1 + 1?", " 2"))).toEqual(line);
});

test("an answer stands on one line, whatever it holds, and a source's dollar signs and braces stay as they are", () => {
  const line = trainingLine("completion", text, "$& costs {source} $1", 'a\nb\u2028c "d"');
  expect(line.split("\n")).toHaveLength(1);
  expect(JSON.parse(line)).toEqual({ prompt: "Q: $& costs {source} $1\nA:", completion: 'a\nb\u2028c "d"' });
  expect(promptMessages({ ...chat, system: null }, "$&")).toEqual([
    { role: "user", content: "$&\nEnd with the number." },
  ]);
});
