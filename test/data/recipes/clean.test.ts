import { describe, expect, test } from "vitest";
import { cleanMessage, wordsOf, worthLearning } from "../../../src/data/recipes/clean.js";
import { cleanPairs } from "../../../src/data/recipes/demo-corpus.js";

test.each([
  ["&&Neue Datei", "Neue Datei"],
  ["Sear&&ch", "Search"],
  ["文件(&&F)", "文件"],
  ["$(info) Remote  has\nno tags.", "Remote has no tags."],
  ["See [the manual](https://example.org/a#b) now.", "See the manual now."],
  ["**Note**: careful", "Note: careful"],
  ["must not end in ('**')", "must not end in ('**')"],
  ["a && b", "a && b"],
])("%j becomes %j", (message, clean) => {
  expect(cleanMessage(message)).toBe(clean);
});

describe("a pair is dropped", () => {
  test.each([
    ["the same on both sides but for case", "Status", "status"],
    ["longer than 200 characters", `Satz ${"wort ".repeat(50)}`, `Sentence ${"word ".repeat(48)}`],
    ["mostly a value", "{0} ({1}): {2} an", "{0} ({1}): {2} on"],
    ["mostly code", "siehe `tsconfig.json`", "see `tsconfig.json`"],
    ["different values", "{0} Dateien", "{1} files"],
    ["a value on one side only", "Fehler: {0}", "Failure"],
    ["a plural form", "{n, plural, =1 {Datei} other {Dateien}}", "{n, plural, =1 {file} other {files}}"],
    ["a far longer translation", "Ja", "Yes, and you will find more about it in the manual"],
    ["no words", "→ 12", "→ 13"],
  ])("%s", (_, source, target) => {
    expect(worthLearning({ source, target }, "de")).toBe(false);
  });
  test("Chinese that was left in English", () => {
    expect(worthLearning({ source: "Open the file now", target: "Open this file now" }, "zh")).toBe(false);
  });
});

describe("a pair is kept", () => {
  test.each([
    ["a short label", "Schließen", "Close"],
    ["a value among words", 'Die Datei "{0}" fehlt.', "The file '{0}' is missing."],
    ["values in another order", "{1} von {0} Dateien", "{1} of {0} files"],
    ["a name with capitals inside", "JavaScript komprimieren", "Minify JavaScript"],
  ])("%s", (_, source, target) => {
    expect(worthLearning({ source, target }, "de")).toBe(true);
  });
  test("Chinese, which is shorter", () => {
    expect(worthLearning({ source: "打开文件", target: "Open the file" }, "zh")).toBe(true);
  });
});

test("words are counted on the longer side, two Chinese characters as one", () => {
  expect(wordsOf({ source: "Datei - öffnen", target: "Open the file" })).toBe(3);
  expect(wordsOf({ source: "打开文件夹。", target: "Open" })).toBe(3);
});

test("pairs that are alike after cleaning come once", () => {
  const raw = [
    { source: "&&Datei", target: "&&File" },
    { source: "Datei", target: "File" },
    { source: "Datei", target: "The file" },
  ];
  expect(cleanPairs(raw, "de")).toEqual([
    { source: "Datei", target: "File" },
    { source: "Datei", target: "The file" },
  ]);
});
