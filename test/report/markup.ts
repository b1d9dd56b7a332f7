/** Reads the tags out of a page as a browser would, for tests that ask what is really in it. */

export interface Tag {
  name: string;
  kind: "open" | "close" | "alone";
  attributes: Map<string, string>;
}

const TAG = /<(\/?)([a-zA-Z!][a-zA-Z0-9-]*)((?:\s+[^\s=>"'/]+(?:="[^"]*")?)*)\s*(\/?)>/y;
const ATTRIBUTE = /([^\s=>"'/]+)(?:="([^"]*)")?/g;
const ALONE = new Set(["!doctype", "meta"]);

/** Every tag in order; the text of a `style` element is skipped. Throws at a `<` that starts no tag of the plain form above. */
export function tags(page: string): Tag[] {
  const found: Tag[] = [];
  for (let at = page.indexOf("<"); at !== -1; at = page.indexOf("<", at)) {
    TAG.lastIndex = at;
    const match = TAG.exec(page);
    if (match === null) throw new Error(`stray "<" at ${at}: ${page.slice(at, at + 60)}`);
    const name = match[2]!.toLowerCase();
    found.push({
      name,
      kind: match[1] === "/" ? "close" : match[4] === "/" || ALONE.has(name) ? "alone" : "open",
      attributes: new Map(Array.from(match[3]!.matchAll(ATTRIBUTE), (each) => [each[1]!, each[2] ?? ""])),
    });
    at = TAG.lastIndex;
    if (name === "style" && match[1] !== "/") at = page.indexOf("</style", at);
  }
  return found;
}

/** The names of tags that are closed out of order or never; empty when the page nests as it should. */
export function badlyNested(all: Tag[]): string[] {
  const open: string[] = [];
  const bad: string[] = [];
  for (const { name, kind } of all) {
    if (kind === "open") open.push(name);
    else if (kind === "close" && open.pop() !== name) bad.push(name);
  }
  return [...bad, ...open];
}

/** The text between tags, entities resolved. */
export function words(page: string): string {
  return page
    .replace(/<style>[\s\S]*?<\/style>/, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&")
    .replace(/[\s\u00a0]+/g, " ");
}
