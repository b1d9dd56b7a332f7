/** What a changed configuration no longer fits, thrown away: work that a stopped step left to go on from, and results. */

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Continuation, Manifest } from "../store/manifest.js";
import type { RunFolder } from "../store/run-folder.js";
import { dependenciesOf } from "./dependencies.js";
import { stepNames } from "./names.js";

/**
 * Removes training states and candidates of steps that the change from the manifest's configuration to `now` touches,
 * and where it touches a finished step, the summary and the report, which tell of a run that is no more.
 * Call it before the manifest takes `now`: a kill in between is then made good by the next call.
 */
export async function discardStaleWork(
  folder: RunFolder,
  manifest: Manifest,
  now: Continuation,
): Promise<void> {
  const stale = (step: string) => manifest.differs(now, dependenciesOf(step));
  for (const file of await names(folder.policies)) {
    const [, policy] = /^(.+?)(?:\.value-\d+)?\.training$/.exec(file) ?? [];
    if (policy && stale(policy)) await rm(join(folder.policies, file), { force: true });
  }
  for (const name of await names(folder.root)) {
    const [lessons, member] = /^(?:reward-\d+|reward(-member-\d+)?)(?=\.training$)/.exec(name) ?? [];
    if (lessons && stale(member === undefined ? lessons : stepNames.reward))
      await rm(join(folder.root, name), { recursive: true, force: true });
    const [, grow] = /^grow-(\d+)$/.exec(name) ?? [];
    const [value] = /^value-\d+(?=\.training$)/.exec(name) ?? [];
    if (value && stale(value)) await rm(join(folder.root, name), { force: true });
    if (grow && stale(stepNames.grow(Number(grow)))) await rm(join(folder.root, name), { recursive: true });
  }
  if (manifest.firstStale(now) !== undefined)
    for (const file of [folder.summary, folder.report]) await rm(file, { force: true });
}

function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
