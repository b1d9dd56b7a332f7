/** Makes the folder of a demonstration: its pairs and its configuration. */

import { copyFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fetchDemoCorpus } from "../data/recipes/demo-corpus.js";
import { toyPairs } from "../data/toy.js";
import { writePairs } from "../data/write.js";
import { exists } from "../exists.js";
import { commentedConfig } from "../rest/config-pages.js";
import { writeFileAtomic } from "../store/atomic.js";
import { runFolder } from "../store/run-folder.js";

/** Lists for the toy: what BC sees of them leaves room above it. */
const TOY_PAIRS = 4000;

/** Short messages: a tiny model learns those in minutes. */
const MAX_WORDS = 10;

export interface DemoOptions {
  dir: string;
  /** The toy (reverse a list of numbers) in place of translation. */
  toy: boolean;
  note: (sentence: string) => void;
}

/** Writes pairs and `coppice.yaml`; leaves a folder that has one as it is, so that its run goes on. */
export async function startDemo({ dir, toy, note }: DemoOptions): Promise<void> {
  const { config, inside } = runFolder(dir);
  if (await exists(config)) return;
  if (toy) {
    await writePairs(inside("pairs.tsv"), toyPairs({ pairs: TOY_PAIRS, seed: 1 }));
  } else {
    const corpus = await fetchDemoCorpus(cacheFolder(), {
      languages: ["de", "en"],
      maxWords: MAX_WORDS,
      onProgress: ({ program, done, total }) =>
        note(`Fetching messages of ${program} (${done + 1} of ${total})`),
    });
    await writePairs(inside("pairs.tsv"), corpus.pairs);
    await copyFile(corpus.attribution, inside("ATTRIBUTION.md"));
  }
  // Last: a folder with a configuration is complete.
  await writeFileAtomic(
    config,
    commentedConfig({ preset: toy ? "toy" : "demo", data: { train: ["pairs.tsv"] } }),
  );
}

/** As the XDG base directory specification has it. */
function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base ? base : join(homedir(), ".cache"), "coppice");
}
