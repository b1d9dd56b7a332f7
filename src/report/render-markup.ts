/** Writes components as HTML text: what a page that opens from disk needs in place of a browser's DOM. */

import { type ComponentChildren, type FunctionComponent, isValidElement } from "preact";
import { escapeHtml, visible } from "./escape.js";

/** A chart that this program drew, put on the page as it is; all else that is to be markup is made of elements. */
export class Drawing {
  /** Throws an Error where `svg` is not one SVG element. */
  constructor(readonly svg: string) {
    if (!/^<svg\s[\s\S]*<\/svg>\s*$/.test(svg)) throw new Error("a drawing must be one SVG element");
  }
}

/** HTML's elements without content or closing tag, as the standard lists them. */
const VOID = new Set("area base br col embed hr img input link meta source track wbr".split(" "));

/** What they hold is not read as markup, so that no escaping keeps text inside. */
const RAW_TEXT = new Set("iframe noembed noframes noscript plaintext script style xmp".split(" "));

const ELEMENT = /^[a-zA-Z][a-zA-Z0-9-]*$/;
const ATTRIBUTE = /^[a-zA-Z][a-zA-Z0-9:-]*$/;

/** They mean something to preact in a browser, or are other names of attributes, and would be lost in silence. */
const REFUSED = new Set(["className", "htmlFor", "dangerouslySetInnerHTML", "ref", "style"]);

/**
 * `children` as HTML. Text and attributes are escaped, and characters that act instead of being seen are written out;
 * line breaks in text stay. Components are functions without hooks. Throws an Error at what a page without scripts and
 * inline styles cannot keep: handlers, `style`, raw markup other than a `Drawing`, elements whose text is not escaped.
 */
export function renderMarkup(children: ComponentChildren): string {
  return render(children, false);
}

/** `svg`: inside an SVG element, where upper and lower case of an attribute's name differ. */
function render(node: ComponentChildren, svg: boolean): string {
  if (node === null || node === undefined || typeof node === "boolean") return "";
  if (typeof node === "object") {
    if (Array.isArray(node)) return node.map((each) => render(each, svg)).join("");
    if (node instanceof Drawing) return node.svg;
    if (!isValidElement(node)) throw new Error("an object that is no element cannot be shown on a page");
    const { type, props } = node;
    if (typeof type === "string") return element(type, props, svg);
    if (typeof type.prototype?.render === "function") throw new Error("a component must be a function");
    // Not a class, as has just been seen.
    return render((type as FunctionComponent)(props), svg);
  }
  return String(node).split("\n").map(visible).map(escapeHtml).join("\n");
}

function element(
  name: string,
  { children, ...attributes }: { children?: ComponentChildren; [attribute: string]: unknown },
  outside: boolean,
): string {
  if (!ELEMENT.test(name) || RAW_TEXT.has(name)) throw new Error(`<${name}> cannot be written on a page`);
  const svg = outside || name === "svg";
  const opening = `<${name}${Object.entries(attributes)
    .map(([key, value]) => attribute(key, value, svg))
    .join("")}>`;
  const content = render(children, svg);
  if (VOID.has(name)) {
    if (content !== "") throw new Error(`<${name}> has no content`);
    return opening;
  }
  // A parser drops the line break that follows the opening tag of these.
  const kept = (name === "pre" || name === "textarea") && content.startsWith("\n") ? "\n" : "";
  return `${opening}${kept}${content}</${name}>`;
}

function attribute(key: string, value: unknown, svg: boolean): string {
  if (REFUSED.has(key) || /^on/i.test(key) || !ATTRIBUTE.test(key))
    throw new Error(`the attribute ${key} cannot be written on a page`);
  if (value === null || value === undefined) return "";
  const spoken = /^(aria|data)-/.test(key);
  if (value === false && !spoken) return "";
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
    throw new Error(`the attribute ${key} must be text, a number or a boolean`);
  const text = value === true && !spoken ? "" : String(value);
  return ` ${svg ? key : key.toLowerCase()}="${escapeHtml(visible(text))}"`;
}
