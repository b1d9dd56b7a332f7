import fc from "fast-check";
import { Component, type ComponentChildren, Fragment, h } from "preact";
import { describe, expect, test } from "vitest";
import { visible } from "../../src/report/escape.js";
import { Drawing, renderMarkup } from "../../src/report/render-markup.js";
import { badlyNested, tags } from "./markup.js";

/** What a page is read back as; text that stands together is one. */
type Tree = string | { name: string; attributes: [string, string][]; children: Tree[] };

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const decoded = (text: string): string =>
  text.replace(/&(.*?);/g, (reference, name: string) => {
    const character = NAMED[name];
    if (character === undefined) throw new Error(`unknown reference ${reference}`);
    return character;
  });

/** Reads elements and text as a parser of HTML would, for pages that close what they open. */
function parsed(html: string): Tree[] {
  const root: Tree[] = [];
  const open: Tree[][] = [root];
  for (const [, closing, name, attributes, text] of html.matchAll(
    /<(\/?)([a-z0-9]+)((?: [a-zA-Z-]+="[^"]*")*)>|([^<]+)/g,
  )) {
    if (text !== undefined) open.at(-1)!.push(decoded(text));
    else if (closing === "/") open.pop();
    else {
      const children: Tree[] = [];
      open.at(-1)!.push({
        name: name!,
        attributes: Array.from(attributes!.matchAll(/ ([a-zA-Z-]+)="([^"]*)"/g), ([, key, value]) => [
          key!,
          decoded(value!),
        ]),
        children,
      });
      if (name !== "br") open.push(children);
    }
  }
  expect(open).toEqual([root]);
  return root;
}

/** What a tree must be read back as: acting characters written out, text that touches joined, empty text gone. */
function expected(trees: readonly Tree[]): Tree[] {
  const found: Tree[] = [];
  for (const tree of trees) {
    if (typeof tree !== "string") {
      const attributes = tree.attributes.map(([key, value]): [string, string] => [key, visible(value)]);
      found.push({ ...tree, attributes, children: expected(tree.children) });
      continue;
    }
    const text = tree.split("\n").map(visible).join("\n");
    const last = found.at(-1);
    if (typeof last === "string") found[found.length - 1] = last + text;
    else if (text !== "") found.push(text);
  }
  return found;
}

const vnode = (tree: Tree): ComponentChildren =>
  typeof tree === "string"
    ? tree
    : h(tree.name, Object.fromEntries(tree.attributes), ...tree.children.map(vnode));

const markupLike = fc.constantFrom(
  "<script>alert(1)</script>",
  "</p><img src=x onerror=alert(1)>",
  '" onclick="x',
  "' autofocus '",
  "&lt;b&gt; &amp;#39; &quot",
  "]]><!-- -->",
  "\u202Eabc\u0000",
  "\n",
);
const anyText = fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), markupLike);
const { tree: anyTree } = fc.letrec<{ tree: Tree; element: Tree }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, anyText, tie("element")),
  element: fc.record({
    name: fc.constantFrom("p", "bdi", "table", "td", "section"),
    attributes: fc.uniqueArray(
      fc.tuple(fc.constantFrom("title", "aria-label", "class", "data-testid"), anyText),
      { selector: ([key]) => key },
    ),
    children: fc.array(tie("tree"), { maxLength: 4 }),
  }),
}));

test("whatever stands in text and attributes, the page is read back as the elements that were written", () => {
  fc.assert(
    fc.property(fc.array(anyTree, { maxLength: 4 }), (trees) => {
      expect(parsed(renderMarkup(trees.map(vnode)))).toEqual(expected(trees));
    }),
    { numRuns: 200 },
  );
});

test("hostile text is text, in an element and in an attribute", () => {
  const html = renderMarkup(h("p", { title: `"><script>'&` }, "</p><script>alert(1)</script>\u202E"));
  expect(html).toBe(
    '<p title="&quot;&gt;&lt;script&gt;&#39;&amp;">&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]</p>',
  );
  expect(badlyNested(tags(html))).toEqual([]);
});

test("components, fragments and lists are what they return; nothing is written for what is absent", () => {
  const Name = ({ of }: { of: string }) => h(Fragment, null, "name: ", h("b", null, of));
  expect(renderMarkup(h("p", null, [h(Name, { of: "a" }), false, null, undefined, true, "", 0, 7n]))).toBe(
    "<p>name: <b>a</b>07</p>",
  );
});

test("void elements are not closed, and an empty one of another kind is", () => {
  expect(renderMarkup(h("p", null, "a", h("br", null), h("span", null)))).toBe("<p>a<br><span></span></p>");
});

test("a boolean attribute is there or not; of ARIA it is a word", () => {
  expect(renderMarkup(h("details", { open: true, hidden: false, "aria-busy": false }))).toBe(
    '<details open="" aria-busy="false"></details>',
  );
});

test("names of attributes are in lower case in HTML, as they are in SVG", () => {
  expect(
    renderMarkup(h("p", { tabIndex: 0 }, h("svg", { viewBox: "0 0 1 1" }, h("g", { tabIndex: 1 })))),
  ).toBe('<p tabindex="0"><svg viewBox="0 0 1 1"><g tabIndex="1"></g></svg></p>');
});

test("line breaks of preformatted text stay, the first too", () => {
  expect(renderMarkup(h("pre", null, "\na: 1\n\tb: 2"))).toBe("<pre>\n\na: 1\n b: 2</pre>");
});

test("a drawing stands as it is; only an SVG element is one", () => {
  const svg = '<svg class="x"><path d="M0,0"/></svg>';
  expect(renderMarkup(h("figure", null, new Drawing(svg)))).toBe(`<figure>${svg}</figure>`);
  expect(() => new Drawing("<p>text</p>")).toThrow(/one SVG element/);
});

describe("what a page without scripts cannot keep is refused", () => {
  class Old extends Component {
    override render() {
      return null;
    }
  }
  test.each<[string, ComponentChildren]>([
    ["a handler", h("button", { onClick: () => {} })],
    ["a handler as text", h("p", { onclick: "alert(1)" })],
    ["raw markup", h("p", { dangerouslySetInnerHTML: { __html: "<b>" } })],
    ["a style of its own", h("p", { style: { color: "red" } })],
    ["another name of an attribute", h("p", { className: "a" })],
    ["an attribute that would end its name", h("p", { "a b=": "c" })],
    ["a value that is no text", h("p", { title: ["a"] })],
    ["a script", h("script", null, "alert(1)")],
    ["a style sheet", h("style", null, "p {}")],
    ["an element that would end its name", h("p onclick=x", null)],
    ["content of a void element", h("br", null, "a")],
    ["a class", h(Old, null)],
    ["an object", { toString: () => "<b>" }],
  ])("%s", (_, node) => {
    expect(() => renderMarkup(node)).toThrow(
      /cannot be (written|shown) on a page|must be (text|a function)|has no content/,
    );
  });
});
