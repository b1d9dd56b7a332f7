/** WMT's folders: evaluation sets in SGML or XML, training text as TSV or as two line-aligned files. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import type { Refusal } from "../check.js";
import { checkedPair, unlessRefused } from "../check.js";
import { linesOf } from "../lines.js";
import type { Pair } from "../pair.js";
import { alignedParts, filesOf, type Languages, noSuchLayout, type Part } from "./folder.js";
import { joinedSegments, type SegmentSet, segmentSets } from "./segments.js";

/** Each set of the folder under its own name. Evaluation sets count only in the direction in which they were made. */
export async function wmtParts(folder: string, languages: Languages): Promise<Part[]> {
  const files = await filesOf(folder);
  const parts = [
    ...sgmlParts(folder, files, languages),
    ...xmlParts(folder, files, languages),
    ...tsvParts(folder, files, languages),
    ...(await alignedParts(folder, languages)),
  ];
  if (parts.length === 0) {
    const [source, target] = languages;
    throw noSuchLayout(
      folder,
      `newstest2014-${source}${target}-src.${source}.sgm, newstest2021.${source}-${target}.xml, ` +
        `news-commentary-v16.${source}-${target}.tsv, or europarl-v7.${source}-${target}.${source} with the other sides`,
    );
  }
  return parts;
}

/** `newstest2014-deen-src.de.sgm` and `-ref.en.sgm`; sets to 2013 have no `-deen`, since all directions shared them. */
function sgmlParts(folder: string, files: readonly string[], [source, target]: Languages): Part[] {
  return files.flatMap((file): Part[] => {
    const [, set, direction, language] = /^(.+?)(?:-([a-z]{4}))?-src\.([a-z]{2,3})\.sgm$/.exec(file) ?? [];
    if (!set || language !== source || (direction ?? source + target) !== source + target) return [];
    const reference = `${set}${direction ? `-${direction}` : ""}-ref.${target}.sgm`;
    if (!files.includes(reference)) return [];
    const pairs = async function* () {
      yield* joinedSegments(
        oneSet(await setsIn(join(folder, file)), join(folder, file), "src"),
        oneSet(await setsIn(join(folder, reference)), join(folder, reference), "ref"),
      );
    };
    return [{ name: set, pairs }];
  });
}

/** `newstest2021.de-en.xml`, with the source and its translations in one file; the first translator's are taken. */
function xmlParts(folder: string, files: readonly string[], [source, target]: Languages): Part[] {
  const name = new RegExp(`^(.+)\\.${source}-${target}(?:\\.all)?\\.xml$`);
  return files.flatMap((file): Part[] => {
    const set = name.exec(file)?.[1];
    if (set === undefined) return [];
    const pairs = async function* () {
      const path = join(folder, file);
      const sets = await setsIn(path);
      yield* joinedSegments(oneSet(sets, path, "src"), oneSet(sets, path, "ref"));
    };
    return [{ name: set, pairs }];
  });
}

/** `news-commentary-v16.de-en.tsv`, named in either order; columns beyond the second are not read. */
function tsvParts(folder: string, files: readonly string[], [source, target]: Languages): Part[] {
  const name = new RegExp(`^(.+)\\.(${source}-${target}|${target}-${source})\\.tsv(?:\\.gz)?$`);
  return files.flatMap((file): Part[] => {
    const [, set, order] = name.exec(file) ?? [];
    if (!set) return [];
    const reversed = order !== `${source}-${target}`;
    return [{ name: set, pairs: (refused) => columnPairs(join(folder, file), reversed, refused) }];
  });
}

async function* columnPairs(
  file: string,
  reversed: boolean,
  refused: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  for await (const { text, number } of linesOf(file)) {
    const [first = "", second = ""] = text.split("\t");
    const [source, target] = reversed ? [second, first] : [first, second];
    // Documents are parted by lines with nothing on one side or both.
    const pair = unlessRefused(() => checkedPair(source, target, { file, line: number }), refused);
    if (pair) yield pair;
  }
}

async function setsIn(file: string): Promise<SegmentSet[]> {
  return segmentSets(await readFile(file, "utf8"));
}

function oneSet(sets: readonly SegmentSet[], file: string, kind: "src" | "ref"): SegmentSet {
  const found = sets.find((set) => set.kind === kind);
  if (!found)
    throw new UserError(
      `there are no sentences of <${kind}set> or <${kind}> in this file, expected some; unpack it again.`,
      { file },
    );
  return found;
}
