/** What every route knows of the dashboard: which runs there are, which one a request means, and when it all ends. */

import { lstat } from "node:fs/promises";
import type { Context, Hono } from "hono";
import { type RunFolder, runFolder } from "../store/run-folder.js";
import { insideFolder } from "./inside.js";
import { missing } from "./missing.js";
import type { RunEntry } from "./protocol.js";
import { findRuns } from "./runs.js";

export interface Site {
  /** The folder that `coppice ui` was given, links resolved. */
  readonly dir: string;
  /** Aborted when the dashboard closes; ends streams. */
  readonly closing: AbortSignal;
  /** The runs in `dir` as they are now. */
  runs(): Promise<RunEntry[]>;
  /**
   * The run that a request names by `?run=`, or the first where it names none. Only names from `runs` lead to a folder.
   * Throws 404 with a sentence where there is none, or where one of its files is a link out of its folder.
   */
  run(context: Context): Promise<NamedRun>;
  /** Has `release` called when the dashboard closes. */
  onClose(release: () => void | Promise<void>): void;
}

export type NamedRun = RunFolder & { readonly name: string };

/** One page's part of the API, to be mounted at `/`. */
export type Route = (site: Site) => Hono;

/** Milliseconds for which a list of runs holds: a page asks several questions at once. */
const REMEMBERED = 1000;

/** A run from the list. Throws 404 where one of its files is a link out of its folder. */
export async function openRun({ name, folder }: RunEntry): Promise<NamedRun> {
  const run = runFolder(folder);
  await checkLinks(run);
  return { ...run, name };
}

/** What is read of a run by a name that is fixed; what has another name is checked where it is read. */
async function checkLinks(run: RunFolder): Promise<void> {
  const { config, resolvedConfig, manifest, metrics, live, summary } = run;
  for (const path of [config, resolvedConfig, manifest, metrics, live, summary, run.inside("run.lock")])
    if ((await lstat(path).catch(() => undefined))?.isSymbolicLink()) await insideFolder(run.root, path);
}

/** `dir` must be an absolute path without links. */
export function openSite(dir: string): { site: Site; close(): Promise<void> } {
  const end = new AbortController();
  const held: (() => void | Promise<void>)[] = [];
  let known: { at: number; runs: Promise<RunEntry[]> } | undefined;
  const runsNow = () => {
    if (known === undefined || performance.now() - known.at > REMEMBERED)
      known = { at: performance.now(), runs: findRuns(dir) };
    return known.runs;
  };
  const site: Site = {
    dir,
    closing: end.signal,
    runs: runsNow,
    run: async (context) => {
      const runs = await runsNow();
      const asked = context.req.query("run");
      const found = asked === undefined ? runs[0] : runs.find(({ name }) => name === asked);
      if (!found)
        throw missing(
          runs.length === 0
            ? "This folder holds no run yet. Start one with coppice run, then reload."
            : "There is no run of that name here. Choose one from the list of runs.",
        );
      return openRun(found);
    },
    onClose: (release) => {
      held.push(release);
    },
  };
  return {
    site,
    close: async () => {
      end.abort();
      for (const release of held) await release();
    },
  };
}
