/** Recipes for corpora that cannot be fetched by a program: they read the copy that the user has. */

import { UserError } from "../../errors.js";
import type { Languages, Part } from "../layouts/folder.js";
import { iwsltParts } from "../layouts/iwslt.js";
import { multi30kParts } from "../layouts/multi30k.js";
import { tatoebaText } from "../layouts/tatoeba.js";
import { wmtParts } from "../layouts/wmt.js";
import type { BuildOptions, Built, Recipe, RecipeAbout } from "./recipe.js";

type Layout = (folder: string, languages: Languages) => Promise<{ parts: Part[]; authors?: Set<string> }>;

function local(about: Omit<RecipeAbout, "from">, layout: Layout): Recipe {
  return {
    ...about,
    from: "folder",
    async build({ from, languages }: BuildOptions): Promise<Built> {
      if (from === undefined)
        throw new UserError(
          `the recipe ${about.name} reads a copy that you have: get it from ${about.address}, then add --from FOLDER.`,
        );
      const { parts, authors } = await layout(from, languages);
      return {
        parts,
        madeFrom: [`the files in ${from}`],
        ...(authors && {
          files: (): Record<string, string> =>
            authors.size === 0 ? {} : { "AUTHORS.txt": `${[...authors].sort().join("\n")}\n` },
        }),
      };
    },
  };
}

const partsOnly =
  (layout: (folder: string, languages: Languages) => Promise<Part[]>): Layout =>
  async (folder, languages) => ({ parts: await layout(folder, languages) });

export const iwslt14 = local(
  {
    name: "iwslt14",
    what: "TED talks, subtitles: the paper's German-English corpus",
    languages: { usual: "de-en" },
    expect: "de-en: 160,000 train, 7,000 validation, 6,750 test",
    licence: "CC BY-NC-ND 3.0",
    terms: "No commercial use, and no handing on of what is derived from it.",
    attribution: "TED Conference LLC; collected by WIT3 (Cettolo, Girardi and Federico 2012)",
    address: "https://wit3.fbk.eu/2014-01",
  },
  partsOnly(iwsltParts),
);

export const wmt = local(
  {
    name: "wmt",
    what: "news: the test sets of the WMT shared tasks, and their training text",
    languages: { usual: "zh-en" },
    expect: "each set as it is: newstest2020 zh-en has 2,000",
    licence: "free for research",
    terms:
      "The organisers give the test sets for research, to be cited; each training corpus has terms of its own.",
    attribution: "Conference on Machine Translation (WMT), and the newspapers and corpora named on its pages",
    address: "https://www.statmt.org/wmt20/translation-task.html",
  },
  partsOnly(wmtParts),
);

export const multi30k = local(
  {
    name: "multi30k",
    what: "captions of pictures, in short sentences of few words",
    languages: { usual: "de-en" },
    expect: "29,000 train, 1,014 validation, 1,000 in each test",
    licence: "non-commercial research and education",
    terms:
      "The repository names no licence; the pictures and English captions (Flickr30k) are for research and education.",
    attribution:
      "Elliott, Frank, Sima'an and Specia 2016; captions of Young, Lai, Hodosh and Hockenmaier 2014",
    address: "https://github.com/multi30k/dataset",
  },
  partsOnly(multi30kParts),
);

export const tatoeba = local(
  {
    name: "tatoeba",
    what: "everyday sentences by volunteers, many with several translations",
    languages: { usual: "de-en" },
    expect: "de-en: some 170,000 in the export of 2018, more since",
    licence: "CC BY 2.0 FR",
    terms: "Free to use and hand on, also for money, where Tatoeba and the authors are named.",
    attribution: "tatoeba.org and the authors of its sentences; the export for Anki by manythings.org/anki",
    address: "https://tatoeba.org/downloads",
  },
  tatoebaText,
);
