/** Recipes for text out of Debian: a dictionary's sentences, LibreOffice's help, descriptions of packages. */

import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { filesOf } from "../layouts/folder.js";
import { linesOf } from "../lines.js";
import type { Pair } from "../pair.js";
import { decompressed, fetchPinned, type PinnedFile, unpackDebs } from "./debian.js";
import {
  type Description,
  descriptionOf,
  dictionarySentences,
  helpParagraphs,
  joinedDescriptions,
  sentencePairs,
} from "./debian-text.js";
import type { Recipe } from "./recipe.js";

// All of Debian 12.15; sizes and hashes are those of its signed indexes.
const dictionary: PinnedFile = {
  path: "pool/main/d/ding/trans-de-en_1.9-6_all.deb",
  name: "trans-de-en=1.9-6",
  bytes: 6276816,
  sha256: "45f6b4cf1c434776fba6811d7bc522efabb5425c43ba8afd0e289bf9e2e53df4",
};

function help(language: string, bytes: number, sha256: string): PinnedFile {
  return {
    path: `pool/main/libr/libreoffice/libreoffice-help-${language}_7.4.7-1%2bdeb12u14_all.deb`,
    name: `libreoffice-help-${language}=4:7.4.7-1+deb12u14`,
    bytes,
    sha256,
  };
}

const englishHelp = help(
  "en-us",
  1753504,
  "8faa840285734d6cfe1ed25537b48f07e74bd6412e3917bf8e5f8a653f7b3712",
);
const translatedHelp: Record<string, { file: PinnedFile; folder: string }> = {
  de: {
    file: help("de", 3293908, "00490b63c509ac96f7f212d6a6e40452d3e0d1f97ccf4b824dd5ec4c01e8277f"),
    folder: "de",
  },
  zh: {
    file: help("zh-cn", 3435780, "db867cdece4c2f9c7eebe65e519c6cf386fdcf49d6e061db3dffec893b3e1dee"),
    folder: "zh-CN",
  },
};

const descriptions: Record<"de" | "en", PinnedFile> = {
  de: {
    path: "dists/bookworm/main/i18n/Translation-de.bz2",
    name: "Translation-de of bookworm",
    bytes: 1748338,
    sha256: "2cc65c7f8b85d8a2964c3735bbf86be79bfd3342ef8908150e268137fe5dac7f",
  },
  en: {
    path: "dists/bookworm/main/i18n/Translation-en.xz",
    name: "Translation-en of bookworm",
    bytes: 6107304,
    sha256: "a3d4a0bfd8e9242810b0885eda7c1a6e05dac15b333ddbaab03ba56f2dfa4bf0",
  },
};

const madeFrom = ({ name, sha256 }: PinnedFile) => `Debian ${name} (SHA-256 ${sha256})`;
const remove = (folder: string) => () => rm(folder, { recursive: true, force: true });

export const transDeEn: Recipe = {
  name: "trans-de-en",
  what: "example sentences of the German-English dictionary Ding",
  languages: ["de-en"],
  expect: "18,037",
  licence: "GPL-2.0-or-later",
  terms:
    "Free to use and hand on under the same licence, which asks for its text and the sources to go along.",
  attribution: "Copyright (c) Frank Richter, TU Chemnitz; packaged by Roland Rosenfeld",
  address: "https://packages.debian.org/bookworm/trans-de-en",
  from: "debian",
  async build(options) {
    const deb = await fetchPinned(dictionary, options);
    const members = ["usr/share/trans/de-en", "usr/share/doc/trans-de-en/copyright"];
    const folder = await unpackDebs([deb], members, options.cache, options.signal);
    const copyright = await readFile(join(folder, members[1] ?? ""), "utf8");
    return {
      parts: [{ name: "pairs", pairs: () => distinct(sentences(join(folder, members[0] ?? ""))) }],
      madeFrom: [madeFrom(dictionary)],
      files: () => ({ "COPYRIGHT.txt": copyright }),
      close: remove(folder),
    };
  },
};

async function* sentences(file: string): AsyncGenerator<Pair, void, undefined> {
  for await (const { text } of linesOf(file)) yield* dictionarySentences(text);
}

export const libreofficeHelp: Recipe = {
  name: "libreoffice-help",
  what: "the help pages of LibreOffice, sentence by sentence",
  languages: ["de-en", "zh-en"],
  expect: "44,252 de-en, 30,482 zh-en",
  licence: "MPL-2.0",
  terms: "Free to use and hand on under the same licence.",
  attribution: "The Document Foundation and the authors and translators of LibreOffice's help",
  address: "https://packages.debian.org/bookworm/libreoffice-help-de",
  from: "debian",
  async build(options) {
    const [source] = options.languages;
    const { file, folder: name } = translatedHelp[source] ?? translatedHelp.de!;
    const debs = [await fetchPinned(file, options), await fetchPinned(englishHelp, options)];
    const texts = "usr/share/libreoffice/help";
    const documents = "usr/share/doc";
    const folder = await unpackDebs(debs, [texts, documents], options.cache, options.signal);
    const english = "libreoffice-help-en-us";
    const copyright = await readFile(join(folder, documents, english, "copyright"), "utf8");
    return {
      parts: [{ name: "pairs", pairs: () => distinct(pages(join(folder, texts), name)) }],
      madeFrom: [file, englishHelp].map(madeFrom),
      files: () => ({ "COPYRIGHT.txt": copyright }),
      close: remove(folder),
    };
  },
};

/** Paragraphs of one id on the page of one name; those that are the same in both languages are left out. */
async function* pages(folder: string, language: string): AsyncGenerator<Pair, void, undefined> {
  const names = (await readdir(join(folder, language), { recursive: true })).filter((name) =>
    name.endsWith(".html"),
  );
  for (const name of names.sort()) {
    const english = await readFile(join(folder, "en-US", name), "utf8").catch(() => undefined);
    if (english === undefined) continue;
    const targets = helpParagraphs(english);
    for (const [key, source] of helpParagraphs(await readFile(join(folder, language, name), "utf8"))) {
      const target = targets.get(key);
      if (source && target && source !== target) yield* sentencePairs({ source, target });
    }
  }
}

export const debianDescriptions: Recipe = {
  name: "debian-descriptions",
  what: "descriptions of Debian's packages, translated by volunteers",
  languages: ["de-en"],
  expect: "44,034",
  licence: "each as its package, all free",
  terms: "The index names no licence of its own: use it on your machine, and do not hand it on.",
  attribution: "the Debian Description Translation Project and the packages' maintainers",
  address: "https://www.debian.org/international/l10n/ddtp",
  from: "debian",
  async build(options) {
    const { from, cache, signal } = options;
    if (from !== undefined) {
      const [german, english] = [await indexIn(from, "de"), await indexIn(from, "en")];
      return {
        parts: [{ name: "pairs", pairs: () => distinct(described(german, english)) }],
        madeFrom: [german, english],
      };
    }
    const german = await decompressed(await fetchPinned(descriptions.de, options), cache, signal);
    const english = await decompressed(await fetchPinned(descriptions.en, options), cache, signal);
    return {
      parts: [{ name: "pairs", pairs: () => distinct(described(german.path, english.path)) }],
      madeFrom: [descriptions.de, descriptions.en].map(madeFrom),
      close: async () => {
        for (const { folder } of [german, english]) await remove(folder)();
      },
    };
  },
};

/** As apt keeps it, `…_dists_bookworm_main_i18n_Translation-de`, or under that name alone. */
async function indexIn(folder: string, language: string): Promise<string> {
  const found = (await filesOf(folder)).find((name) =>
    new RegExp(`(^|_)Translation-${language}$`).test(name),
  );
  if (found !== undefined) return join(folder, found);
  throw new UserError(
    `there is no Translation-${language} here, expected apt's index of descriptions (in /var/lib/apt/lists after apt update ` +
      'with Acquire::Languages {"de"; "en"}); or leave --from out.',
    { file: folder },
  );
}

async function* described(germanFile: string, englishFile: string): AsyncGenerator<Pair, void, undefined> {
  const german = new Map<string, Description>();
  for await (const found of descriptionsIn(germanFile, "de")) german.set(found.md5, found);
  for await (const english of descriptionsIn(englishFile, "en")) {
    const source = german.get(english.md5);
    if (source) yield* joinedDescriptions(source, english).flatMap(sentencePairs);
  }
}

async function* descriptionsIn(file: string, language: string): AsyncGenerator<Description, void, undefined> {
  let stanza = "";
  const close = function* () {
    const found = descriptionOf(stanza, language);
    if (found) yield found;
    stanza = "";
  };
  for await (const { text } of linesOf(file)) {
    if (text === "") yield* close();
    else stanza += `${text}\n`;
  }
  yield* close();
}

/** Each pair the first time that it comes. */
async function* distinct(pairs: AsyncIterable<Pair>): AsyncGenerator<Pair, void, undefined> {
  const seen = new Set<string>();
  for await (const pair of pairs) {
    const key = JSON.stringify([pair.source, pair.target]);
    if (seen.has(key)) continue;
    seen.add(key);
    yield pair;
  }
}
