/** Makes the folder of a demonstration: its pairs and its configuration. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type DemoPairsOptions, writeDemoPairs } from "../data/recipes/demo-pairs.js";
import { UserError } from "../errors.js";
import type { ConfigInput } from "../rest/config.js";
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
  const text = `${mark(options)}\n${commentedConfig(demoConfig(options))}`;
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

function demoConfig({ toy, languages }: DemoPairsOptions): ConfigInput {
  return {
    preset: toy ? "toy" : "demo",
    data: { train: ["pairs.tsv"] },
    // Chinese is written without spaces: sacreBLEU's own tokenizer for it cuts it into characters.
    ...(languages === "en-zh" && { evaluate: { bleuTokenizer: "zh" } }),
  };
}

/** The first line of the configuration that a demonstration writes: no other command writes it. */
function mark(options: DemoPairsOptions): string {
  return `# Written by \`coppice demo${demoArguments(options)}\`, with the pairs beside it.`;
}

/** What was asked for beside the folder, as the command line takes it. */
export function demoArguments({ toy, languages }: Pick<DemoPairsOptions, "toy" | "languages">): string {
  if (toy) return " --toy";
  return languages === undefined || languages === "de-en" ? "" : ` --languages ${languages}`;
}
