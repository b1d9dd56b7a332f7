/** Sentences of evaluation sets as NIST's SGML and WMT's XML keep them: documents of numbered segments. */

import { decodeReferences } from "../clean/markup.js";
import type { Pair } from "../pair.js";

export interface SegmentSet {
  /** `src` or `ref`, of the element around the document or within it; empty where there is none. */
  kind: "src" | "ref" | "";
  /** As its element names it: `A`; empty where it names none. */
  translator: string;
  /** Text by document and number, white space folded. */
  segments: Map<string, string>;
}

const TAG = /<(\/?)(srcset|refset|doc|src|ref|seg|hyp)\b([^>]*)>/gi;

/**
 * The sets of segments in one file: one of SGML, one for the source and one for each translator in XML. System outputs
 * (`hyp`) are left out. What stands between the tags is not looked at otherwise: SGML of these sets is seldom valid.
 */
export function segmentSets(text: string): SegmentSet[] {
  const sets = new Map<string, SegmentSet>();
  let [kind, translator, document, number] = ["" as SegmentSet["kind"], "", "", ""];
  let [start, inOutput, unnamed] = [-1, false, 0];
  for (const { 0: whole, 1: slash, 2: name = "", 3: attributes = "", index } of text.matchAll(TAG)) {
    const tag = name.toLowerCase();
    if (slash) {
      if (tag === "hyp") inOutput = false;
      if (tag !== "seg" || start < 0) continue;
      const key = `${kind} ${translator}`;
      const set = sets.get(key) ?? { kind, translator, segments: new Map<string, string>() };
      sets.set(key, set);
      if (!inOutput) set.segments.set(`${document} ${number}`, folded(text.slice(start, index)));
      start = -1;
      continue;
    }
    if (tag === "srcset") kind = "src";
    else if (tag === "refset") kind = "ref";
    else if (tag === "hyp") inOutput = true;
    else if (tag === "doc") {
      document = attribute(attributes, "docid") ?? attribute(attributes, "id") ?? `#${++unnamed}`;
    } else if (tag === "seg") {
      number = attribute(attributes, "id") ?? "";
      start = index + whole.length;
    } else {
      kind = tag === "src" ? "src" : "ref";
      translator = attribute(attributes, "translator") ?? "";
    }
  }
  return [...sets.values()].filter(({ segments }) => segments.size > 0);
}

/** Pairs of the segments that both have, in the order of the source; one with an empty side is left out. */
export function joinedSegments(sources: SegmentSet, targets: SegmentSet): Pair[] {
  return [...sources.segments].flatMap(([key, source]) => {
    const target = targets.segments.get(key);
    return source && target ? [{ source, target }] : [];
  });
}

function attribute(text: string, name: string): string | undefined {
  const found = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, "i").exec(text);
  return found?.[1] ?? found?.[2];
}

function folded(text: string): string {
  return decodeReferences(text)
    .replace(/[\t\n\r ]+/g, " ")
    .trim();
}
