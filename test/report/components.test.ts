import { h } from "preact";
import { describe, expect, test } from "vitest";
import { Findings } from "../../src/report/components/findings.js";
import { ReportTable } from "../../src/report/components/report-table.js";
import { Reward } from "../../src/report/components/reward.js";
import { Translations } from "../../src/report/components/translations.js";
import { Marked, Words } from "../../src/report/components/words.js";
import { renderMarkup } from "../../src/report/render-markup.js";
import { tags, words } from "./markup.js";

describe("a reward", () => {
  const bar = (value: number | null) =>
    tags(renderMarkup(h(Reward, { value })))
      .filter(({ name, kind }) => name === "rect" && kind !== "close")
      .map(({ attributes }) => attributes.get("width"));

  test.each([
    [0.25, "12"],
    [1, "48"],
    [1.5, "48"],
    [-1, "0"],
    [Number.NaN, "0"],
  ])("%s fills its bar of 48 up to %s", (value, width) => {
    expect(bar(value)).toEqual(["48", width]);
  });
  test("that is not known yet has no bar", () => {
    expect(bar(null)).toEqual([]);
  });
  test("is said as a number beside", () => {
    expect(words(renderMarkup(h(Reward, { value: 0.873 })))).toContain("87.3");
  });
});

describe("text", () => {
  test("is cut where it is too long, and says how much is missing", () => {
    expect(renderMarkup(h(Words, { text: "abcdef", limit: 4 }))).toBe(
      '<bdi>abcd</bdi><span class="note"> … (2 more characters)</span>',
    );
    expect(renderMarkup(h(Words, { text: "abcd", limit: 4 }))).toBe("<bdi>abcd</bdi>");
  });
  test("marked against its reference is compared as far as both are shown", () => {
    expect(renderMarkup(h(Marked, { text: "a x c", reference: "a b c, and more", limit: 5 }))).toBe(
      "<bdi>a <mark>x</mark> c</bdi>",
    );
  });
  test("that is empty is said to be", () => {
    expect(words(renderMarkup(h(Marked, { text: " ", reference: "a" })))).toContain("(empty)");
  });
});

test("a finding is told good or bad by a sign with words, not by its colour", () => {
  const signs = tags(
    renderMarkup(
      h(Findings, {
        findings: [
          { kind: "good", text: "a" },
          { kind: "bad", text: "b" },
          { kind: "neutral", text: "c" },
        ],
      }),
    ),
  ).filter(({ attributes }) => attributes.get("class") === "sign");
  expect(signs.map(({ attributes }) => attributes.get("aria-label"))).toEqual(["Good: ", "Bad: ", undefined]);
});

test("a row of a report's table is named by its first cell", () => {
  const html = renderMarkup(
    h(ReportTable, {
      table: {
        title: "Small",
        columns: [
          { header: "name", align: "left" },
          { header: "n", align: "right" },
        ],
        rows: [{ cells: ["BC", "7"], mark: "best" }],
        notes: ["A note."],
      },
    }),
  );
  expect(html).toContain(
    '<tr class="best"><th scope="row" class="left"><span class="short"><bdi>BC</bdi></span></th><td class="right"><bdi>7</bdi></td></tr>',
  );
  expect(html).toContain('<p class="note">A note.</p>');
});

test("translations show chrF where it is known, and mark controls", () => {
  const shown = (chrf: { chrf?: number }) =>
    words(
      renderMarkup(
        h(Translations, {
          source: "Quelle",
          reference: "source",
          translations: [{ policies: ["BC", "G1I1"], text: "a source", reward: 0.5, control: true, ...chrf }],
        }),
      ),
    );
  expect(shown({ chrf: 51.25 })).toMatch(/chrF .*BC, G1I1 † .*50\.0 .*51\.3/);
  expect(shown({})).not.toContain("chrF");
});
