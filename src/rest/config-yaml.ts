/** YAML in, with the line of every key kept for error messages. */
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { UserError } from "../errors.js";
import type { KeyPath } from "./config-words.js";

/** What a file holds, and where. */
export interface Located {
  value: unknown;
  /** Line of the key or list entry at `path`, or of the nearest one around it that the file holds. */
  lineOf(path: KeyPath): number;
  /** Whether the file itself holds `path`. */
  holds(path: KeyPath): boolean;
  /** The value at `path` as the file writes it, where it is a plain one. */
  sourceOf(path: KeyPath): string | undefined;
}

/** Reads one YAML document; `file` is for messages. Throws a UserError at the line of a mistake in the YAML. */
export function readYaml(text: string, file: string): Located {
  const lines = new LineCounter();
  // What is wrong is thrown below; the library would print warnings beside it.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    version: "1.2",
    logLevel: "error",
  });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const error = document.errors[0];
  if (error) throw new UserError(syntaxSentence(error, text), { file, line: lineAt(error.pos[0]) });

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    throw new UserError(
      "this *name stands for no &name before it, or for too much. Write the value out, or put it in quotes.",
      { file, line: lineAt(firstBadAlias(document)) },
    );
  }
  return {
    value,
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const offset = offsetOf(document, path.slice(0, length));
        if (offset !== undefined) return lineAt(offset);
      }
      const root = document.contents?.range?.[0];
      return root === undefined ? 1 : lineAt(root);
    },
    holds: (path) => path.length === 0 || document.hasIn(path),
    sourceOf(path) {
      const node = document.getIn(path, true);
      return isScalar(node) ? node.source : undefined;
    },
  };
}

/** Where the key, or the list entry, at `path` begins; undefined where the file does not hold it. */
function offsetOf(document: Document.Parsed, path: KeyPath): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (!isCollection(parent)) return undefined;
  const key = isMap(parent)
    ? parent.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(last))?.key
    : parent.items[Number(last)];
  return isNode(key) ? key.range?.[0] : undefined;
}

/** Where the first alias stands that leads nowhere, or else the first of all. */
function firstBadAlias(document: Document.Parsed): number {
  let first: number | undefined;
  let bad: number | undefined;
  visit(document, {
    Alias(_, alias) {
      first ??= alias.range?.[0];
      if (alias.resolve(document) === undefined) bad ??= alias.range?.[0];
    },
  });
  return bad ?? first ?? 0;
}

const misaligned =
  "the indentation does not fit the lines above. Keys of one group start in the same column.";

/** What is wrong with the YAML, and what to do: the parser's words are for people who know its grammar. */
function syntaxSentence(error: YAMLError, text: string): string {
  const [start, end] = error.pos;
  const found = text.slice(start, end).split("\n")[0].trim();
  switch (error.code) {
    case "DUPLICATE_KEY": {
      const key = /^[^\s:]+/.exec(text.slice(start))?.[0] ?? found;
      return `the key ${key} stands here a second time in the same group. Remove one of them.`;
    }
    case "TAB_AS_INDENT":
      return "this line is indented by a tab, but YAML wants spaces. Replace the tab.";
    case "BAD_INDENT":
      if (/end with a [\]}]/.test(error.message)) {
        return "the [ or { that opens above is not closed before this line. Close it.";
      }
      return misaligned;
    case "BLOCK_IN_FLOW":
      return misaligned;
    case "MULTIPLE_DOCS":
      return "a second document starts here (---), but a configuration is one. Remove that line.";
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
      return "a key and its value should stand here as `key: value`, with a space after the colon. Check this line, its quotes and its indentation.";
    case "MISSING_CHAR":
      if (error.message.includes("quote")) return "the quote that opens this text is never closed. Close it.";
      return `${lowerFirst(firstLine(error.message))}. Add what is missing, or put the text in quotes.`;
    default:
      return `this is not YAML: ${lowerFirst(firstLine(error.message))}. Mend the line, or put the text in quotes.`;
  }
}

const firstLine = (text: string) => text.split("\n")[0].replace(/[.:]$/, "");
const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
