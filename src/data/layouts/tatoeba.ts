/** Tatoeba's sentences in the layouts in which they are handed out. */

import { join } from "node:path";
import type { Refusal } from "../check.js";
import { checkedPair, unlessRefused } from "../check.js";
import { linesOf } from "../lines.js";
import type { Pair } from "../pair.js";
import { alignedParts, filesOf, type Languages, noSuchLayout, type Part } from "./folder.js";

/** ISO 639-3, which Tatoeba's files are named by; other languages are given by their three letters. */
const THREE_LETTERS = new Map(
  Object.entries({
    ...{ ar: "ara", cs: "ces", de: "deu", en: "eng", es: "spa", fi: "fin", fr: "fra", he: "heb", hu: "hun" },
    ...{ it: "ita", ja: "jpn", ko: "kor", nl: "nld", pl: "pol", pt: "por", ru: "rus", sv: "swe", tr: "tur" },
    ...{ uk: "ukr", zh: "cmn" },
  }),
);

interface TatoebaText {
  parts: Part[];
  /** Who wrote the sentences, as far as the files say so: complete once the parts are read. */
  authors: Set<string>;
}

/**
 * One part, `pairs`, out of the first of these that the folder holds: `deu.txt` of manythings.org/anki (English first),
 * `deu_sentences.tsv` with `eng_sentences.tsv` and `deu-eng_links.tsv`, `sentences.csv` with `links.csv`, and
 * `Tatoeba.de-en.de` with `Tatoeba.de-en.en` of OPUS.
 */
export async function tatoebaText(folder: string, languages: Languages): Promise<TatoebaText> {
  const files = await filesOf(folder);
  const authors = new Set<string>();
  const codes: [string, string] = [threeLetters(languages[0]), threeLetters(languages[1])];
  const one = (pairs: Part["pairs"]): TatoebaText => ({ parts: [{ name: "pairs", pairs }], authors });
  const has = (...names: string[]) => names.every((name) => files.includes(name));
  const at = (name: string) => join(folder, name);

  const english = codes.indexOf("eng");
  const anki = english < 0 ? undefined : `${codes[1 - english]}.txt`;
  if (anki !== undefined && has(anki))
    return one((refused) => ankiPairs(at(anki), english === 0, authors, refused));

  const sentences = codes.map((code) => `${code}_sentences.tsv`);
  for (const reversed of [false, true]) {
    const links = `${(reversed ? codes.toReversed() : codes).join("-")}_links.tsv`;
    if (has(...sentences, links))
      return one((refused) => linkedPairs(sentences.map(at), { file: at(links), reversed }, codes, refused));
  }
  if (has("sentences.csv", "links.csv")) {
    const links = { file: at("links.csv"), reversed: false };
    return one((refused) => linkedPairs([at("sentences.csv")], links, codes, refused));
  }

  const [aligned] = (await alignedParts(folder, languages)).filter(({ name }) => /^tatoeba/i.test(name));
  if (aligned) return one(aligned.pairs);
  throw noSuchLayout(
    folder,
    `${anki ?? `${codes[0]}.txt`}, ${sentences.join(" with ")} and ${codes.join("-")}_links.tsv, sentences.csv with links.csv, or Tatoeba.${languages.join("-")}.${languages[0]}`,
  );
}

function threeLetters(language: string): string {
  return THREE_LETTERS.get(language) ?? language;
}

/** Names in `CC-BY 2.0 (France) Attribution: tatoeba.org #2877272 (CM) & #8597805 (Roujin)`. */
const AUTHOR = /#\d+ \(([^()]+)\)/g;

async function* ankiPairs(
  file: string,
  englishFirst: boolean,
  authors: Set<string>,
  refused: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  for await (const { text, number } of linesOf(file)) {
    const [english = "", other = "", credit = ""] = text.split("\t");
    const [source, target] = englishFirst ? [english, other] : [other, english];
    for (const [, author = ""] of credit.matchAll(AUTHOR)) authors.add(author);
    const pair = unlessRefused(() => checkedPair(source, target, { file, line: number }), refused);
    if (pair) yield pair;
  }
}

/** Sentences as `id<TAB>language<TAB>text`, joined by lines of `id<TAB>id`; memory holds those of both languages. */
async function* linkedPairs(
  sentenceFiles: readonly string[],
  links: { file: string; reversed: boolean },
  [source, target]: readonly [string, string],
  refused: Refusal,
): AsyncGenerator<Pair, void, undefined> {
  // A map: a language of the file may be called as what every object has (`constructor`).
  const texts = new Map([source, target].map((language) => [language, new Map<string, string>()]));
  for (const file of sentenceFiles)
    for await (const { text: line } of linesOf(file)) {
      const [id = "", language = "", text = ""] = line.split("\t");
      texts.get(language)?.set(id, text);
    }
  for await (const { text: line, number } of linesOf(links.file)) {
    const [left = "", right = ""] = line.split("\t");
    const [from, to] = [
      texts.get(source)?.get(links.reversed ? right : left),
      texts.get(target)?.get(links.reversed ? left : right),
    ];
    // The whole of `links.csv` names each link twice, once in each direction, and those of other languages.
    if (from === undefined || to === undefined) continue;
    const pair = unlessRefused(() => checkedPair(from, to, { file: links.file, line: number }), refused);
    if (pair) yield pair;
  }
}
