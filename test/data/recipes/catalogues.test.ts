import { describe, expect, test } from "vitest";
import {
  diagnosticCalls,
  helpBlocks,
  jsonStrings,
  localizeCalls,
  nlsArray,
  withoutTags,
} from "../../../src/data/recipes/catalogues.js";
import { readString } from "../../../src/data/recipes/javascript-strings.js";

describe("readString", () => {
  test.each([
    [`"plain"`, "plain"],
    ["'with \"quotes\" and \\' one'", `with "quotes" and ' one`],
    ["`over\ntwo lines`", "over\ntwo lines"],
    ['"Gro\\xDF, gr\\u00fcn, \\u{1f333}, a\\nb\\\\c"', "Groß, grün, 🌳, a\nb\\c"],
    ["\"joined \" + 'from'\n  + ` three`", "joined from three"],
    ['"continued \\\nhere"', "continued here"],
    ['""', ""],
  ])("%s is %j", (code, value) => {
    expect(readString(code, 0)).toEqual({ value, end: code.length });
  });

  test.each([
    ["a name", "message"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template is what is tested
    ["a template with an expression", "`a ${b}`"],
    ["a string joined with an expression", '"a" + b'],
    ["a string that does not end", '"a'],
    ["a string over a line end", '"a\nb"'],
  ])("%s is no string", (_, code) => {
    expect(readString(code, 0)).toBeUndefined();
  });
});

test("nlsArray gives each message its index, holes included", () => {
  const code = `var content = [\n\tundefined,\n\t"Fehler, \\"{0}\\"",\n\tnull,\n\t"OK]",\n];\nexport { content as default };`;
  expect([...nlsArray(code)]).toEqual([
    ["1", 'Fehler, "{0}"'],
    ["3", "OK]"],
  ]);
});

test("nlsArray reads the minified form and ends where the array ends", () => {
  const code = `define([],function(){globalThis._VSCODE_NLS_MESSAGES=["Gro\\xDF",'a'];globalThis.x=["b"]})`;
  expect([...nlsArray(code).values()]).toEqual(["Groß", "a"]);
});

test("nlsArray of other code is empty", () => {
  expect(nlsArray("const messages = load();").size).toBe(0);
});

test("localizeCalls finds both calls over lines, and nothing that must be run", () => {
  const code = `
    ( localize(7, "Run: {0}", title)), ( localize2(
        8,
        'Show or focus.'
    )), nls.localize(9, message), delocalize(10, "no"), localize(11, \`minified\`)`;
  expect([...localizeCalls(code)]).toEqual([
    ["7", "Run: {0}"],
    ["8", "Show or focus."],
    ["11", "minified"],
  ]);
});

test("diagnosticCalls gives the message under its key", () => {
  const code = `_0_expected: diag(1005, 1 /* Error */, "_0_expected_1005", "'{0}' expected."),\nfunction diag(code, key) {}`;
  expect([...diagnosticCalls(code)]).toEqual([["_0_expected_1005", "'{0}' expected."]]);
});

test("jsonStrings gives the strings of a document by path", () => {
  const json = `{"rules": {"alt": {"help": "Text", "tags": ["a"]}}, "n": 1, "none": null}`;
  expect([...jsonStrings(json)]).toEqual([
    ["rules/alt/help", "Text"],
    ["rules/alt/tags/0", "a"],
  ]);
});

test("helpBlocks gives the blocks of a page in order, without inline tags", () => {
  const html = `<!-- <p>licence</p> -->
    <script type="text/html" data-help-name="batch">
      <p>Puts <code>msg.x</code> &lt; 3
         into <b>one</b> list.<p>Next
      <dl><dt>Name <span class="type">string</span></dt><dd>Value</dd></dl>
      <pre><p>code</p></pre>
    </script>`;
  const folded = [...helpBlocks(html)].map(([key, text]) => [key, text.replace(/\s+/g, " ").trim()]);
  expect(folded).toEqual([
    ["0 script", ""],
    ["1 p", "Puts msg.x < 3 into one list."],
    ["2 p", "Next"],
    ["3 dl", ""],
    ["4 dt", "Name string"],
    ["5 dd", "Value"],
  ]);
});

test("withoutTags leaves tags that are the subject of a sentence", () => {
  expect(withoutTags("<strong>Error:</strong> no <table><br/>here &amp; there")).toBe(
    "Error: no <table> here & there",
  );
});
