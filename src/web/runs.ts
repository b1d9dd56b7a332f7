/** Finds the runs of a folder: the folder itself, or what lies below it (a study keeps them in `runs/seed-N/ARM`). */

import { access, readdir } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import type { RunEntry } from "./protocol.js";

/** Levels below the folder that are looked through: a folder of studies is three above their runs. */
const DEPTH = 4;

/** Bound what a page has to list, and how long a search through a folder of something else takes. */
const MOST_RUNS = 500;
const MOST_FOLDERS = 5000;

/** Runs in and below `dir`, by name. Links are not followed, so that none lies elsewhere. */
export async function findRuns(dir: string): Promise<RunEntry[]> {
  if (await isRun(dir)) return [{ name: basename(dir), folder: dir }];
  const found: string[] = [];
  let level = [dir];
  let seen = 0;
  for (let depth = 0; depth < DEPTH && level.length > 0 && found.length < MOST_RUNS; depth++) {
    const below = (await Promise.all(level.map(foldersIn))).flat().slice(0, MOST_FOLDERS - seen);
    seen += below.length;
    const are = await Promise.all(below.map(isRun));
    found.push(...below.filter((_, at) => are[at]));
    level = below.filter((_, at) => !are[at]);
  }
  return found
    .slice(0, MOST_RUNS)
    .map((folder) => ({ name: relative(dir, folder).split(sep).join("/"), folder }))
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** A folder that `coppice init` or `coppice run` has been in. */
async function isRun(folder: string): Promise<boolean> {
  const there = (name: string) =>
    access(join(folder, name)).then(
      () => true,
      () => false,
    );
  return (await there("coppice.yaml")) || (await there("manifest.json"));
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .map(({ name }) => join(folder, name));
}
