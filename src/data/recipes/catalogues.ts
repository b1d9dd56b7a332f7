/** Parsers for the formats in which packages keep their messages; text in, messages by key out. */

import { UserError } from "../../errors.js";
import { readString } from "./javascript-strings.js";

/** Messages by their key: an index, an id, a path. */
export type Messages = Map<string, string>;

/** VS Code's array of translations, `var content = [undefined, "…", …]` or `_VSCODE_NLS_MESSAGES=[…]`; key is the index. */
export function nlsArray(code: string): Messages {
  const messages: Messages = new Map();
  const start = /(?:_VSCODE_NLS_MESSAGES|\bcontent)\s*=\s*\[/g;
  if (!start.test(code)) return messages;
  const between = /\s*(?:(undefined|null|void 0)\s*)?(,|\])?\s*/y;
  let at = start.lastIndex;
  for (let index = 0; ; index++) {
    const lead = /\s*/y;
    lead.lastIndex = at;
    lead.test(code);
    const literal = readString(code, lead.lastIndex);
    if (literal) messages.set(String(index), literal.value);
    between.lastIndex = literal?.end ?? at;
    const [, , separator] = between.exec(code) ?? [];
    if (separator !== ",") return messages;
    at = between.lastIndex;
  }
}

/** The English in VS Code's built code, `localize(12, "…")` and `localize2(12, '…')`; key is the index. */
export function localizeCalls(code: string): Messages {
  return literalsAfter(code, /\blocalize2?\(\s*(\d+)\s*,\s*/g);
}

/** The English in TypeScript's compiler, `diag(1005, 1, "key", "…")`. */
export function diagnosticCalls(code: string): Messages {
  return literalsAfter(code, /\bdiag\(\d+,\s*\d+[^"\n]*"(\w+)",\s*/g);
}

/** `call` captures the key and ends where the literal starts. */
function literalsAfter(code: string, call: RegExp): Messages {
  const messages: Messages = new Map();
  for (const match of code.matchAll(call)) {
    const literal = readString(code, match.index + match[0].length);
    if (literal && match[1] !== undefined) messages.set(match[1], literal.value);
  }
  return messages;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new UserError("the messages of a package are not JSON; fetch the package again.", {}, { cause });
  }
}

/** Strings of a JSON document by their path (`rules/area-alt/help`). Throws a UserError where it is none. */
export function jsonStrings(json: string): Messages {
  const messages: Messages = new Map();
  const walk = (value: unknown, path: string[]) => {
    if (typeof value === "string") messages.set(path.join("/"), value);
    else if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
    }
  };
  walk(parsed(json), []);
  return messages;
}

/**
 * Paragraphs, list items, terms and headings of a simple HTML help page, and the containers around them, by
 * `number tag`. Pages of two languages match when they have the same keys.
 */
export function helpBlocks(html: string): Messages {
  const messages: Messages = new Map();
  const body = html
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<(pre|script type="text\/javascript")[\s\S]*?<\/\1>/g, "");
  let open: string | undefined;
  let text = "";
  const close = () => {
    if (open !== undefined) messages.set(`${messages.size} ${open}`, withoutTags(text));
    open = undefined;
    text = "";
  };
  for (const [whole, slash, tag = ""] of body.matchAll(/<(\/?)([a-z]\w*)[^>]*>|[^<]+|</gi)) {
    if (blocks.test(tag)) {
      close();
      if (!slash) open = tag.toLowerCase();
    } else if (open !== undefined) text += whole;
  }
  close();
  return messages;
}

const blocks = /^(p|li|dt|dd|h[1-6]|ul|ol|dl|td|th|tr|table|script|div|pre|center)$/i;

/** Text of an HTML fragment: inline tags removed, the entities that the catalogues use decoded. */
export function withoutTags(html: string): string {
  return html
    .replace(/<\/?(a|b|br|code|em|i|kbd|p|span|strong|u)\b[^>]*>/gi, (tag) => (/^<br/i.test(tag) ? " " : ""))
    .replace(/&(lt|gt|amp|quot|nbsp|#39);/g, (_, name: string) => entities[name] ?? "");
}

const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', nbsp: " ", "#39": "'" };
