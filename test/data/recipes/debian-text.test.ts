import { expect, test } from "vitest";
import {
  descriptionOf,
  dictionarySentences,
  helpParagraphs,
  joinedDescriptions,
  sentencePairs,
} from "../../../src/data/recipes/debian-text.js";

test.each([
  ["a word", "Baum {m} [bot.] | Bäume {pl} :: tree | trees", []],
  [
    "a sentence among words",
    "Baum {m} | Der Baum ist alt. :: tree | The tree is old.",
    [["Der Baum ist alt.", "The tree is old."]],
  ],
  [
    "notes",
    "Der Baum {m} ist <sein> alt [ugs.]. (Natur) :: The tree is old. [coll.]",
    [["Der Baum ist alt.", "The tree is old."]],
  ],
  [
    "the first of several",
    "Der Baum blüht.; Es blüht der Baum. :: The tree blossoms.; The tree is in bloom.",
    [["Der Baum blüht.", "The tree blossoms."]],
  ],
  ["a choice between words", "Er sieht den Baum/Strauch. :: He sees the tree/bush.", []],
  ["a gap for a person", "Er hat jdn. gesehen. :: He has seen sb. there.", []],
  ["sides with other numbers of alternatives", "Der Baum ist alt. | Er steht da. :: The tree is old.", []],
  ["a sentence beside a phrase", "Der Baum ist alt. :: old tree", []],
  ["a comment", "# Der Baum ist alt. :: The tree is old.", []],
])("the dictionary, %s", (_, line, pairs) => {
  expect(dictionarySentences(line).map(({ source, target }) => [source, target])).toEqual(pairs);
});

test("help pages give paragraphs with ids, without tags and without the words for macOS", () => {
  const html = `
    <h1 id="hd_id1" dir="auto">A &amp; B</h1>
    <p id="bm_module" dir="auto">not text</p>
    <p id="par_id2" class="paragraph">Press <span hidden="true" id="MACx" class="MAC"><span class="key">Command</span></span><span id="defaultx">Ctrl</span>+<b>A</b>,<br>then
      go on.</p>
    <p id="par_id2">Again.</p>
    <p class="paragraph">without an id</p>`;
  expect([...helpParagraphs(html)]).toEqual([
    ["h1 hd_id1", "A & B"],
    ["p par_id2", "Press Ctrl+A, then go on."],
    ["p par_id2 2", "Again."],
  ]);
});

test("descriptions give a short line, running text and lists, joined where both have as much", () => {
  const md5 = "0123456789abcdef0123456789abcdef";
  const german = descriptionOf(
    `Package: garden\nDescription-md5: ${md5}\nDescription-de: Ein Garten\n Ein Garten mit\n Bäumen.\n .\n  * Beete\n  * Wege\n`,
    "de",
  );
  expect(german).toEqual({
    md5,
    short: "Ein Garten",
    paragraphs: ["Ein Garten mit Bäumen.", "Beete", "Wege"],
  });
  const english = { md5, short: "garden", paragraphs: ["A garden with trees.", "beds", "paths"] };
  expect(joinedDescriptions(german!, english)).toEqual([
    { source: "Ein Garten", target: "garden" },
    { source: "Ein Garten mit Bäumen.", target: "A garden with trees." },
    { source: "Beete", target: "beds" },
    { source: "Wege", target: "paths" },
  ]);
  expect(joinedDescriptions(german!, { ...english, paragraphs: ["All of it."] })).toHaveLength(1);
  expect(
    descriptionOf("Package: garden\nDescription-md5: x\nDescription-de: Ein Garten\n", "de"),
  ).toBeUndefined();
  expect(
    descriptionOf(`Package: garden\nDescription-md5: ${md5}\nDescription-en: garden\n`, "de"),
  ).toBeUndefined();
});

test.each([
  [
    "as many sentences on both sides",
    "Eins. Zwei!",
    "One. Two!",
    [
      ["Eins.", "One."],
      ["Zwei!", "Two!"],
    ],
  ],
  [
    "Chinese, without spaces",
    "一。二！",
    "One. Two!",
    [
      ["一。", "One."],
      ["二！", "Two!"],
    ],
  ],
  ["another number of sentences", "Eins. Zwei.", "One and two.", [["Eins. Zwei.", "One and two."]]],
  [
    "an abbreviation",
    "Eine z. B. gute Sache.",
    "A good thing, e.g. this.",
    [["Eine z. B. gute Sache.", "A good thing, e.g. this."]],
  ],
])("paragraphs with %s", (_, source, target, pairs) => {
  expect(sentencePairs({ source, target }).map((pair) => [pair.source, pair.target])).toEqual(pairs);
});
