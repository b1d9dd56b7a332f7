import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { differences } from "../../src/report/differences.js";
import { abridged, escapeHtml, escapeMarkdown, shorten, visible } from "../../src/report/escape.js";
import { count, decimal, duration, percent, rewardPoints, signed } from "../../src/report/format.js";

describe("escaping", () => {
  test("HTML: the five characters with a meaning become entities", () => {
    expect(escapeHtml(`<a href="x" title='y'>&`)).toBe("&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;");
  });
  test("a direction override, a control character and half a surrogate pair are written out", () => {
    expect(visible("a\u202Eb\u0000c\uD800d\u2028e")).toBe("a[U+202E]b[U+0000]c[U+D800]d[U+2028]e");
  });
  test("line breaks and tabs become one space; letters of any script, joiners and emoji stay", () => {
    expect(visible("a\r\n\tb")).toBe("a b");
    expect(visible("שלום نص 中文 क्‍ष 👩‍🚀")).toBe("שלום نص 中文 क्‍ष 👩‍🚀");
  });
  test("Markdown: bars, stars and links are words", () => {
    expect(escapeMarkdown("a|b *c* [d](e) <f>")).toBe("a\\|b \\*c\\* \\[d\\](e) &lt;f&gt;");
  });
  test("nothing that acts is left in any string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (text) => {
        const safe = escapeHtml(visible(text));
        expect(safe).not.toMatch(/[<>"'\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
  test("shortening counts characters, not halves of them", () => {
    expect(shorten("👍👍👍", 2)).toEqual({ text: "👍👍", left: 1 });
    expect(abridged("abcdef", 4)).toBe("abcd … (2 more characters)");
    expect(abridged("abcd", 4)).toBe("abcd");
  });
});

describe("numbers", () => {
  test.each([
    [rewardPoints(0.7312), "73.1"],
    [rewardPoints(Number.NaN), "–"],
    [decimal(-0.04, 1), "0.0"],
    [signed(1.24), "+1.2"],
    [signed(-1.24), "−1.2"],
    [signed(-0.01), "0.0"],
    [percent(0.004), "0.4 %"],
    [percent(0.3), "30 %"],
    [percent(0), "0 %"],
    [percent(1), "100 %"],
    [count(1234567), "1,234,567"],
    [count(999), "999"],
    [duration(4.2), "4.2 s"],
    [duration(59.6), "1 min 00 s"],
    [duration(214), "3 min 34 s"],
    [duration(7620), "2 h 07 min"],
    [duration(3599.7), "1 h 00 min"],
  ])("%s is %s", (written, expected) => {
    expect(written).toBe(expected);
  });
});

describe("differences from the reference", () => {
  const marks = (text: string, reference: string): string =>
    differences(text, reference)
      .map(({ text: part, kind }) => (kind === "differs" ? `[${part}]` : kind === "missing" ? "^" : part))
      .join("");

  test("the same sentence has none, upper and lower case held equal", () => {
    expect(marks("The disk is full.", "the disk is full.")).toBe("The disk is full.");
  });
  test("replaced words are marked, each by itself", () => {
    expect(marks("the data carrier is full", "the disk is full")).toBe("the [data] [carrier] is full");
  });
  test("a left-out word leaves a gap: a dropped 'not' is seen", () => {
    expect(marks("could be saved", "could not be saved")).toBe("could ^be saved");
    expect(marks("it is", "it is full")).toBe("it is^");
  });
  test("a doubled word is marked once", () => {
    expect(
      differences("installed installed", "installed").filter(({ kind }) => kind === "differs"),
    ).toHaveLength(1);
  });
  test("Chinese is compared character by character", () => {
    expect(marks("他说你好", "他说您好")).toBe("他说[你]好");
  });
  test("joined again, the stretches are the text, for any two texts", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (text, reference) => {
        expect(
          differences(text, reference)
            .map((part) => part.text)
            .join(""),
        ).toBe(text);
      }),
    );
  });
  test("two texts of 10,000 words are not compared, and quickly so", () => {
    const long = "word ".repeat(10_000);
    expect(differences(long, `x ${long}`)).toEqual([{ text: long, kind: "same" }]);
  });
});
