/** Makes the folder of a demonstration: its pairs and its configuration. */

import { type DemoPairsOptions, writeDemoPairs } from "../data/recipes/demo-pairs.js";
import { exists } from "../exists.js";
import { commentedConfig } from "../rest/config-pages.js";
import { writeFileAtomic } from "../store/atomic.js";
import { runFolder } from "../store/run-folder.js";

export interface DemoOptions extends DemoPairsOptions {
  dir: string;
}

/** Writes pairs and `coppice.yaml`; leaves a folder that has one as it is, so that its run goes on. */
export async function startDemo({ dir, ...options }: DemoOptions): Promise<void> {
  const { config, root } = runFolder(dir);
  if (await exists(config)) return;
  await writeDemoPairs(root, options);
  // Last: a folder with a configuration is complete.
  await writeFileAtomic(
    config,
    commentedConfig({ preset: options.toy ? "toy" : "demo", data: { train: ["pairs.tsv"] } }),
  );
}
