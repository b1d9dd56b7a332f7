/** The pairs of the demonstrations, as a file in a folder: the toy's lists, or messages out of npm packages. */

import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../make-folder.js";
import { cacheFolder } from "../cache-folder.js";
import { toyPairs } from "../toy.js";
import { writePairs, writeWhole } from "../write.js";
import { fetchDemoCorpus } from "./demo-corpus.js";
import { reportOf } from "./get.js";
import { madeFromPackages, npmMessages } from "./npm-messages.js";

/** Lists for the toy: what BC sees of them leaves room above it. */
const TOY_PAIRS = 4000;

/** Short messages: a tiny model learns those in minutes. */
const MAX_WORDS = 10;

/** What the message catalogues can be translated from and to. */
export const demoLanguages = ["de-en", "zh-en", "en-de", "en-zh"] as const;
export type DemoLanguages = (typeof demoLanguages)[number];

export interface DemoPairsOptions {
  /** The toy (reverse a list of numbers) in place of translation. */
  toy: boolean;
  /** Source and target where it is translation; de-en when absent. */
  languages?: DemoLanguages;
  note: (sentence: string) => void;
  /** Aborting it stops the fetching. */
  signal?: AbortSignal;
}

/** Writes `pairs.tsv` into `folder`, and for messages of others their authors and licences beside it. */
export async function writeDemoPairs(
  folder: string,
  { toy, languages = "de-en", note, signal }: DemoPairsOptions,
): Promise<void> {
  const file = join(folder, "pairs.tsv");
  if (toy) {
    await writePairs(file, toyPairs({ pairs: TOY_PAIRS, seed: 1 }));
    return;
  }
  const language = languages.includes("zh") ? "zh" : "de";
  const corpus = await fetchDemoCorpus(cacheFolder(), {
    languages: [language, "en"],
    maxWords: MAX_WORDS,
    ...(signal ? { signal } : {}),
    onProgress: ({ program, done, total }) =>
      note(`Fetching messages of ${program} (${done + 1} of ${total})`),
  });
  // First: a folder with the pairs is complete.
  makeFolder(folder);
  await copyFile(corpus.attribution, join(folder, "ATTRIBUTION.md"));
  const reversed = languages.startsWith("en");
  const source = reportOf(
    npmMessages,
    reversed ? ["en", language] : [language, "en"],
    madeFromPackages(language),
    [],
  );
  await writeWhole(join(folder, "source.json"), `${JSON.stringify(source, null, 2)}\n`);
  await writePairs(
    file,
    reversed ? corpus.pairs.map(({ source, target }) => ({ source: target, target: source })) : corpus.pairs,
  );
}
