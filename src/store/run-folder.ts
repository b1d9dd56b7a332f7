/** Where everything of a run lies, and the way into its folder. */

import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.js";
import { removeLeftovers } from "./atomic.js";
import { lockRun, type RunLock, workersIn } from "./lock.js";

/** `G0I0` and `G1I4` as in the paper, `BC`, `PPO` and `RLOO`, and a control's suffix: `G1I3-random`. */
const POLICY_NAME = /^(BC|PPO|RLOO|G\d+I\d+)(-[a-z0-9]+)*$/;

export interface RunFolder {
  root: string;
  /** The configuration as the user wrote it. */
  config: string;
  /** The same with every default filled in. */
  resolvedConfig: string;
  manifest: string;
  metrics: string;
  /** What is done in the folder now, while a process does. */
  live: string;
  summary: string;
  report: string;
  policies: string;
  /** Scores that servers, programs and judges have given. */
  scores: string;
  reward: string;
  /** What pretrained rewards are recognised by. */
  pretrained: string;
  /** Folder of one policy. Throws a UserError for a name that is not a policy's. */
  policy(name: string): string;
  /** Folder of one Grow step, from 1. */
  grow(grow: number): string;
  /** The merged candidates of one Grow step. */
  candidates(grow: number): string;
  /** A path in the run folder. Throws a UserError when it would leave it. */
  inside(path: string): string;
}

/** The paths of the run in `folder`; nothing is created. */
export function runFolder(folder: string): RunFolder {
  const root = resolve(folder);
  const inside = (path: string): string => {
    const full = resolve(root, path);
    const way = relative(root, full);
    if (way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way) || path.includes("\0"))
      throw new UserError(`the path ${JSON.stringify(path)} leaves the run folder. Give one inside it.`, {
        file: folder,
      });
    return full;
  };
  const grow = (number: number): string => {
    if (!Number.isSafeInteger(number) || number < 1)
      throw new UserError(`Grow steps are numbered 1, 2, …, but ${number} was asked for.`, { file: folder });
    return join(root, `grow-${number}`);
  };
  return {
    root,
    config: join(root, "coppice.yaml"),
    resolvedConfig: join(root, "coppice.resolved.yaml"),
    manifest: join(root, "manifest.json"),
    metrics: join(root, "metrics.jsonl"),
    live: join(root, "live.json"),
    summary: join(root, "summary.json"),
    report: join(root, "report.html"),
    policies: join(root, "policies"),
    scores: join(root, "scores.jsonl"),
    reward: join(root, "reward"),
    pretrained: join(root, "pretrained.json"),
    policy: (name) => {
      if (!POLICY_NAME.test(name))
        throw new UserError(
          `${JSON.stringify(name)} is not the name of a policy. Names look like G0I0, G1I4 or G1I3-random; ` +
            "`coppice status` lists those of a run.",
          { file: folder },
        );
      return join(root, "policies", name);
    },
    grow,
    candidates: (number) => join(grow(number), "candidates.parquet"),
    inside,
  };
}

/**
 * Enters a run folder to write in it: takes its lock and clears what a killed process left half written.
 * Throws a UserError when another process is in it, or workers of a Grow step are.
 */
export async function enterRunFolder(folder: string): Promise<RunFolder & RunLock> {
  const paths = runFolder(folder);
  const lock = lockRun(folder);
  try {
    const [worker] = workersIn(folder);
    if (worker)
      throw new UserError(
        `${worker.name} is at work in this folder (process ${worker.pid} on ${worker.host}). Wait until it ends; if it no longer ` +
          `runs there, delete ${worker.path}.`,
        { file: folder },
      );
    await removeLeftovers(paths.root);
  } catch (error) {
    lock.unlock();
    throw error;
  }
  return { ...paths, ...lock };
}
