/** Readers of corpora as others lay them out, and of what recipes unpack. */

import { readFileSync, writeFileSync } from "node:fs";
import type { Languages, Part } from "../src/data/layouts/folder.js";
import { iwsltParts } from "../src/data/layouts/iwslt.js";
import { multi30kParts } from "../src/data/layouts/multi30k.js";
import { tatoebaText } from "../src/data/layouts/tatoeba.js";
import { wmtParts } from "../src/data/layouts/wmt.js";
import { readPairs } from "../src/data/read.js";
import { helpBlocks, jsonStrings, localizeCalls, nlsArray } from "../src/data/recipes/catalogues.js";
import { arMembers } from "../src/data/recipes/debian.js";
import {
  descriptionOf,
  dictionarySentences,
  helpParagraphs,
  joinedDescriptions,
  sentencePairs,
} from "../src/data/recipes/debian-text.js";
import { beside, type ForeignReader, seed } from "./foreign-reader.js";

const ENGLISH: Languages = ["de", "en"];

/** A file of the corpus in fixtures/corpora/`folder`, in which all pairs are read. */
function corpus(
  name: string,
  folder: string,
  file: string,
  layout: (folder: string) => Promise<readonly Part[]>,
): ForeignReader {
  return {
    name,
    file,
    seeds: [seed(`corpora/${folder}/${file}`)],
    text: !file.endsWith(".gz"),
    prepare: beside(`corpora/${folder}`),
    read: async (_path, place) => {
      let pairs = 0;
      for (const part of await layout(place)) for await (const _ of part.pairs(() => undefined)) pairs++;
      return pairs;
    },
    gate: 60,
  };
}

const iwslt = (folder: string) => iwsltParts(folder, ENGLISH);
const chinese = (folder: string) => wmtParts(folder, ["zh", "en"]);
const tatoeba = async (folder: string) => (await tatoebaText(folder, ENGLISH)).parts;

/** Text that any content is read from as far as it goes: nothing is refused. */
function anyText(name: string, text: string, read: (text: string) => unknown): ForeignReader {
  return {
    name,
    file: "text.txt",
    seeds: [Buffer.from(text)],
    text: true,
    read: async (path) => read(readFileSync(path, "utf8")),
    gate: 100,
  };
}

const help =
  '<h1 id="hd_id1" dir="auto">A &amp; B</h1>\n<p id="par_id2" class="x">Press <span class="MAC">⌘</span>+<b>A</b>,<br>then. So.</p>\n';
const stanza =
  "Package: a\nDescription-md5: 0123456789abcdef0123456789abcdef\nDescription-de: kurz\n Ein Satz,\n der geht.\n .\n  * eins\n  * zwei\n";

/** One member of the kinds that a package has, as ar(1) writes them. */
function archive(): Buffer {
  const members = [
    ["debian-binary", "2.0\n"],
    ["data.tar.xz", "not unpacked here"],
  ].map(([name = "", content = ""]) => {
    const header = `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(content.length).padEnd(10)}\`\n`;
    return header + content + (content.length % 2 === 1 ? "\n" : "");
  });
  return Buffer.from(`!<arch>\n${members.join("")}`);
}

export const foreignCorpora: readonly ForeignReader[] = [
  {
    name: "two texts line by line",
    file: "train.de",
    seeds: [Buffer.from("Die Datei ist neu.\nöffnen\n漢字 🙂\n")],
    text: true,
    prepare: (folder) => writeFileSync(`${folder}/train.en`, "The file is new.\nopen\nwords\n"),
    read: (path, folder) => readPairs(`${path},${folder}/train.en`),
    gate: 100,
  },
  corpus("IWSLT's XML", "iwslt", "IWSLT14.TED.dev2010.de-en.de.xml", iwslt),
  corpus("IWSLT's tagged text", "iwslt", "train.tags.de-en.de", iwslt),
  corpus("WMT's SGML", "wmt", "newstest2001-zhen-src.zh.sgm", chinese),
  corpus("WMT's XML", "wmt", "newstest2002.zh-en.xml", chinese),
  corpus("WMT's TSV", "wmt", "news-commentary-v0.en-zh.tsv", chinese),
  corpus("Multi30k", "multi30k", "train.de.gz", (folder) => multi30kParts(folder, ENGLISH)),
  corpus("Tatoeba for Anki", "tatoeba-anki", "deu.txt", tatoeba),
  corpus("Tatoeba's sentences", "tatoeba-all", "sentences.csv", tatoeba),
  corpus("Tatoeba's links", "tatoeba-all", "links.csv", tatoeba),
  corpus("Tatoeba's sentences of one language", "tatoeba-links", "deu_sentences.tsv", tatoeba),
  corpus("Tatoeba's links of two languages", "tatoeba-links", "eng-deu_links.tsv", tatoeba),
  {
    name: "a Debian package",
    file: "a.deb",
    seeds: [archive()],
    text: true,
    read: async (path) => arMembers(readFileSync(path), path),
    gate: 300,
  },
  anyText(
    "the dictionary Ding",
    "Baum {m} [bot.] | Der Baum ist <sein> alt. (Natur) :: tree | The tree is old.; So.\n",
    (text) => text.split("\n").flatMap(dictionarySentences),
  ),
  anyText("descriptions of packages", stanza, (text) => {
    const found = descriptionOf(text, "de");
    return found && joinedDescriptions(found, found);
  }),
  anyText("help pages of LibreOffice", help, (text) =>
    [...helpParagraphs(text).values()].flatMap((source) => sentencePairs({ source, target: source })),
  ),
  anyText(
    "messages in JavaScript",
    'var content=[undefined,"a\\n"+"\\u{1f600}",\'b\\x41\',`c\\\n`];localize(12,"d");localize2( 3 , `e`)',
    (text) => [nlsArray(text), localizeCalls(text)],
  ),
  anyText(
    "messages in HTML",
    '<p>A <b>b</b> &amp; c<ul><li>d</li></ul><!-- x --><pre>y</pre><script type="text/javascript">z</script>',
    helpBlocks,
  ),
  {
    name: "messages in JSON",
    file: "a.json",
    seeds: [Buffer.from('{"a": {"b": "c", "d": ["e", 1, null]}, "f": "g"}')],
    text: true,
    read: async (path) => jsonStrings(readFileSync(path, "utf8")),
    gate: 100,
  },
];
