/** IWSLT's folders of TED talks: tagged training text, and evaluation sets in XML. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import type { Refusal } from "../check.js";
import { checkedPair, unlessRefused } from "../check.js";
import { type Line, linesOf } from "../lines.js";
import type { Pair } from "../pair.js";
import { filesOf, type Languages, noSuchLayout, type Part } from "./folder.js";
import { joinedSegments, segmentSets } from "./segments.js";

/** The sets that make up the usual IWSLT14 test, 6,750 sentences of de-en. */
const USUAL_TEST = ["TED.dev2010", "TEDX.dev2012", "TED.tst2010", "TED.tst2011", "TED.tst2012"];
/** Every so many-th pair is for validation, as in fairseq's preparation of this corpus. */
const VALIDATION_STRIDE = 23;

/**
 * `train` and `validation` out of `train.tags.de-en.*`, `test` out of the usual sets, and each further set by its own name.
 * Text stays cased and untokenised. Titles and descriptions of talks are kept, as is usual; the other tagged lines are not.
 */
export async function iwsltParts(folder: string, languages: Languages): Promise<Part[]> {
  const files = await filesOf(folder);
  const names = [languages.join("-"), languages.toReversed().join("-")];
  const parts: Part[] = [];
  const training = names.find((name) =>
    languages.every((language) => files.includes(`train.tags.${name}.${language}`)),
  );
  if (training !== undefined) {
    const [source, target] = languages.map((language) => join(folder, `train.tags.${training}.${language}`));
    const every = (validation: boolean) => (refused: Refusal) =>
      strided(taggedPairs(source ?? "", target ?? "", refused), validation);
    parts.push({ name: "train", pairs: every(false) }, { name: "validation", pairs: every(true) });
  }
  const sets = new Map<string, [source: string, target: string]>();
  for (const file of files) {
    const [, set, name, language] = /^IWSLT\d+\.(.+)\.([a-z]+-[a-z]+)\.([a-z]+)\.xml$/.exec(file) ?? [];
    if (!set || !name || !names.includes(name) || language !== languages[0]) continue;
    const other = file.replace(new RegExp(`${language}\\.xml$`), `${languages[1]}.xml`);
    if (files.includes(other)) sets.set(set, [join(folder, file), join(folder, other)]);
  }
  const usual = USUAL_TEST.flatMap((set) => sets.get(set)?.slice() ?? []);
  if (usual.length > 0) parts.push({ name: "test", pairs: () => xmlPairs(usual) });
  for (const [set, both] of sets)
    if (!USUAL_TEST.includes(set)) parts.push({ name: set, pairs: () => xmlPairs(both) });
  if (parts.length === 0)
    throw noSuchLayout(
      folder,
      `train.tags.${names[0]}.${languages[0]} or IWSLT14.TED.tst2010.${names[0]}.${languages[0]}.xml`,
    );
  return parts;
}

async function* strided(
  pairs: AsyncIterable<Pair>,
  validation: boolean,
): AsyncGenerator<Pair, void, undefined> {
  let number = 0;
  for await (const pair of pairs) if ((++number % VALIDATION_STRIDE === 0) === validation) yield pair;
}

/** Pairs of two training files whose tagged lines are not the same: what is left of them stands beside each other. */
async function* taggedPairs(
  sourceFile: string,
  targetFile: string,
  refused: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  const [sources, targets] = [spoken(sourceFile), spoken(targetFile)];
  try {
    for (;;) {
      const [source, target] = [await sources.next(), await targets.next()];
      if (source.done && target.done) return;
      if (source.done || target.done)
        throw new UserError(
          `this file has ${source.done ? "fewer" : "more"} sentences than ${targetFile}, expected as many; unpack both again.`,
          { file: sourceFile },
        );
      const place = { file: sourceFile, line: source.value.number };
      const pair = unlessRefused(() => checkedPair(source.value.text, target.value.text, place), refused);
      if (pair) yield pair;
    }
  } finally {
    await sources.return();
    await targets.return();
  }
}

async function* spoken(file: string): AsyncGenerator<Line, void, undefined> {
  for await (const { text, number } of linesOf(file)) {
    const inside = /^\s*<(title|description)>(.*)<\/\1>\s*$/.exec(text)?.[2];
    if (inside === undefined && /^\s*<\/?[a-z]+(\s[^>]*)?>/i.test(text)) continue;
    yield { text: (inside ?? text).trim(), number };
  }
}

/** Pairs of several sets, source and target file by turns. */
async function* xmlPairs(files: readonly string[]): AsyncGenerator<Pair, void, undefined> {
  for (let i = 0; i + 1 < files.length; i += 2) {
    const [[source], [target]] = (await Promise.all(
      [files[i]!, files[i + 1]!].map(async (file) => segmentSets(await readFile(file, "utf8"))),
    )) as [ReturnType<typeof segmentSets>, ReturnType<typeof segmentSets>];
    if (!source || !target)
      throw new UserError("there is no <seg> in this file, expected sentences; unpack it again.", {
        file: (source ? files[i + 1] : files[i]) ?? "",
      });
    yield* joinedSegments(source, target);
  }
}
