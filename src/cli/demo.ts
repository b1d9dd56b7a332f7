/** Makes the folder of a demonstration: its pairs and its configuration. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type DemoPairsOptions, writeDemoPairs } from "../data/recipes/demo-pairs.js";
import { UserError } from "../errors.js";
import { commentedConfig } from "../rest/config-pages.js";
import { writeFileAtomic, writeFolderAtomic } from "../store/atomic.js";
import { runFolder } from "../store/run-folder.js";

export interface DemoOptions extends DemoPairsOptions {
  dir: string;
}

/**
 * Makes the folder with pairs and `coppice.yaml`, whole or not at all; leaves one that the same demonstration has made as
 * it is, so that its run goes on. Throws a UserError for a folder with anything else in it: that is the user's.
 */
export async function startDemo({ dir, ...options }: DemoOptions): Promise<void> {
  const { root, config } = runFolder(dir);
  const text = `${mark(options)}\n${commentedConfig({ preset: options.toy ? "toy" : "demo", data: { train: ["pairs.tsv"] } })}`;
  const fill = async (folder: string) => {
    await writeDemoPairs(folder, options);
    await writeFileAtomic(join(folder, "coppice.yaml"), text);
  };
  const held = await readdir(root).catch(() => undefined);
  if (held === undefined) return writeFolderAtomic(root, fill);
  // Not replaced by another folder: it may be the one that the shell stands in.
  if (held.length === 0) return fill(root);
  const found = await readFile(config, "utf8").catch(() => "");
  // Values below that line may have been changed since.
  if (!found.startsWith(`${mark(options)}\n`))
    throw new UserError(
      "this folder holds something else than this demonstration. Name another folder, or start a run of your own here with coppice init.",
      { file: dir },
    );
}

/** The first line of the configuration that a demonstration writes: no other command writes it. */
function mark({ toy }: DemoPairsOptions): string {
  return `# Written by \`coppice demo${toy ? " --toy" : ""}\`, with the pairs beside it.`;
}
