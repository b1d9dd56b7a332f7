/** Parsers for the text in Debian's packages and indexes; text in, pairs or texts by key out. */

import { decodeReferences } from "../clean/markup.js";
import type { Pair } from "../pair.js";

/**
 * Sentences in a line of the dictionary Ding, `de | de :: en | en`: alternatives that stand at the same place on both sides,
 * of which both are sentences. Where a side has several for the same (`A.; B.`), the first is taken.
 */
export function dictionarySentences(line: string): Pair[] {
  if (line.startsWith("#")) return [];
  const [german, english, ...more] = line.split(" :: ");
  if (german === undefined || english === undefined || more.length > 0) return [];
  const [sources, targets] = [german, english].map((side) =>
    side.split("|").map((text) => withoutNotes(text).split(/; */)[0] ?? ""),
  );
  if (!sources || !targets || sources.length !== targets.length) return [];
  return sources.flatMap((source, place) => {
    const target = targets[place] ?? "";
    return isSentence(source) && isSentence(target) ? [{ source, target }] : [];
  });
}

/** Without grammar `{n}`, fields `[med.]`, hints `<…>`, and explanations in parentheses at the end. */
function withoutNotes(text: string): string {
  return text
    .replace(/\{[^{}]*\}|\[[^\][]*\]|<[^<>]*>/g, " ")
    .replace(/\s+/g, " ")
    .replace(/\s*\([^()]*\)\s*$/, "")
    .replace(/ ([.,;:!?])/g, "$1")
    .trim();
}

/** From a capital to a full stop, two words or more, without choices (`turmoil/tumult`) or gaps (`sb.`). */
function isSentence(text: string): boolean {
  if (!/^["“„‚‘'¿(]?\p{Lu}.*\s.*[.!?]["”“’')]?$/u.test(text)) return false;
  return !/\p{L} ?\/ ?\p{L}|\b(etw|jdm|jds|jdn|jd|sb|sth)\b/u.test(text);
}

/**
 * Paragraphs, headings and cells of a page of LibreOffice's help by their ids; where an id comes again, its further texts are
 * numbered. Words for macOS alone are left out: they stand beside those for the other systems.
 */
export function helpParagraphs(html: string): Map<string, string> {
  const paragraphs = new Map<string, string>();
  for (const [, tag = "", id = "", inner = ""] of html.matchAll(
    /<(h[1-6]|p|li|dt|dd)\s[^<>]*\bid="((?:hd|par|tit)[\w.-]*)"[^<>]*>([\s\S]*?)<\/\1>/g,
  )) {
    const text = decodeReferences(
      inner
        .replace(/<span[^<>]*class="MAC"[^<>]*>[\s\S]*?<\/span>/g, "")
        .replace(/<br\b[^<>]*>/g, " ")
        .replace(/<[^<>]+>/g, ""),
    )
      .replace(/\s+/g, " ")
      .trim();
    let key = `${tag} ${id}`;
    for (let again = 2; paragraphs.has(key); again++) key = `${tag} ${id} ${again}`;
    paragraphs.set(key, text);
  }
  return paragraphs;
}

/** Between two sentences: an end and a capital, or an end in Chinese, behind which there is no space. */
const BETWEEN = /(?<=[.!?]["”“’»)]?) +(?=["“„‚«(]?\p{Lu})|(?<=[。！？][”’」』）]?)(?=[^”’」』）])/u;

/** Sentences of two paragraphs beside each other where both have as many, else the paragraphs as they are. */
export function sentencePairs({ source, target }: Pair): Pair[] {
  const [sources, targets] = [source, target].map((text) =>
    text.split(BETWEEN).map((sentence) => sentence.trim()),
  );
  if (!sources || !targets || sources.length !== targets.length) return [{ source, target }];
  return sources.map((sentence, place) => ({ source: sentence, target: targets[place] ?? "" }));
}

/** A package's description in an index: the short line, then paragraphs of running text and the lines of lists. */
export interface Description {
  md5: string;
  short: string;
  paragraphs: string[];
}

/** A stanza of `Translation-de`: `Package`, `Description-md5` and `Description-de` (deb822; Policy 5.6.13 says how lines fold). */
export function descriptionOf(stanza: string, language: string): Description | undefined {
  const md5 = /^Description-md5: ([0-9a-f]{32})$/m.exec(stanza)?.[1];
  const [, short = "", long = ""] =
    new RegExp(`^Description-${language}(?:_[A-Z]+)?: (.*)\\n((?: .*(?:\\n|$))*)`, "m").exec(stanza) ?? [];
  if (md5 === undefined || short === "") return undefined;
  const paragraphs: string[] = [];
  let running: string[] = [];
  const close = () => {
    if (running.length > 0) paragraphs.push(running.join(" "));
    running = [];
  };
  for (const line of long.split("\n")) {
    // One space: running text, which is wrapped. More: a line as it stands, a list mostly. A dot alone: a blank line.
    if (/^ \.\s*$/.test(line) || line === "") close();
    else if (/^ {2,}/.test(line) || /^ [*+-] /.test(line)) {
      close();
      paragraphs.push(line.trim().replace(/^[*+-] +/, ""));
    } else running.push(line.trim());
  }
  close();
  return { md5, short: short.trim(), paragraphs };
}

/** Short lines, and paragraphs where both have as many. */
export function joinedDescriptions(source: Description, target: Description): Pair[] {
  const pairs = [{ source: source.short, target: target.short }];
  if (source.paragraphs.length === target.paragraphs.length)
    for (const [i, text] of source.paragraphs.entries())
      pairs.push({ source: text, target: target.paragraphs[i] ?? "" });
  return pairs.filter((pair) => pair.source !== "" && pair.target !== "");
}
