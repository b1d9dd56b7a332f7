/** What every route knows of the dashboard: which runs there are, which one a request means, and when it all ends. */

import type { Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { type RunFolder, runFolder } from "../store/run-folder.js";
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
   * Throws 404 with a sentence where there is none.
   */
  run(context: Context): Promise<NamedRun>;
  /** Has `release` called when the dashboard closes. */
  onClose(release: () => void | Promise<void>): void;
}

export type NamedRun = RunFolder & { readonly name: string };

/** One page's part of the API, to be mounted at `/`. */
export type Route = (site: Site) => Hono;

/** An answer with a sentence that says what is not there. */
export function missing(message: string): HTTPException {
  return new HTTPException(404, { message });
}

/** `dir` must be an absolute path without links. */
export function openSite(dir: string): { site: Site; close(): Promise<void> } {
  const end = new AbortController();
  const held: (() => void | Promise<void>)[] = [];
  const site: Site = {
    dir,
    closing: end.signal,
    runs: () => findRuns(dir),
    run: async (context) => {
      const runs = await findRuns(dir);
      const asked = context.req.query("run");
      const found = asked === undefined ? runs[0] : runs.find(({ name }) => name === asked);
      if (!found)
        throw missing(
          runs.length === 0
            ? "This folder holds no run yet. Start one with coppice run, then reload."
            : "There is no run of that name here. Choose one from the list of runs.",
        );
      return { ...runFolder(found.folder), name: found.name };
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
