/** Where a run stands, from its files alone: what a finished run shows does not depend on who watched it. */

import { readFile, stat } from "node:fs/promises";
import { UserError } from "../errors.js";
import { plannedSteps } from "../rest/algorithm.js";
import { type Config, parseConfig } from "../rest/config.js";
import { readLiveFile } from "../store/live-file.js";
import { lockOwner } from "../store/lock.js";
import { Manifest } from "../store/manifest.js";
import type { RunFolder } from "../store/run-folder.js";
import type { RunState } from "./protocol.js";
import type { NamedRun } from "./site.js";
import { stagesOf } from "./stages.js";

/** Never throws for what stands in the folder: that is a state too. */
export async function readRunState(run: NamedRun): Promise<RunState> {
  try {
    return await readable(run);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      ...nothing(run),
      state: "broken",
      advice: error.message,
      owner: lockOwner(run.root) ?? null,
      version: `broken ${error.message}`,
    };
  }
}

async function readable(run: NamedRun): Promise<RunState> {
  // Before the files: a process that ends in between has then written its last ones.
  const owner = lockOwner(run.root) ?? null;
  const manifest = await Manifest.read(run.root);
  const config = await runConfig(run);
  const plan = await plannedSteps(config);
  const steps = manifest?.steps ?? [];
  const next = plan.find(({ name }) => !manifest?.isDone(name))?.name;
  const left = await readLiveFile(run.live);
  // A file of a process that was killed says what was, not what is.
  const live = owner && left?.pid === owner.pid ? left : undefined;
  const running = owner ? (live?.step ?? next) : undefined;
  const state = owner
    ? "running"
    : next === undefined
      ? "finished"
      : steps.length > 0 || left
        ? "stopped"
        : "new";
  const summary = await stat(run.summary).catch(() => undefined);
  return {
    ...nothing(run),
    state,
    advice: advice(run, state, { owner, killed: left?.pid }),
    owner,
    live: live ? { step: live.step, progress: live.progress, said: live.said, updated: live.updated } : null,
    stages: stagesOf(plan, steps, running),
    done: plan.filter(({ name }) => manifest?.isDone(name)).length,
    total: plan.length,
    seconds: manifest?.seconds ?? 0,
    version: [steps.length, steps.at(-1)?.time.finishedAt, state === "finished", summary?.mtimeMs].join(" "),
  };
}

function nothing({ name, root }: NamedRun): RunState {
  return {
    name,
    folder: root,
    state: "new",
    advice: "",
    owner: null,
    live: null,
    stages: [],
    done: 0,
    total: 0,
    seconds: 0,
    version: "",
  };
}

/** The configuration by which the run's steps were done; before the first, the user's own. Throws a UserError. */
export async function runConfig(run: RunFolder): Promise<Config> {
  for (const file of [run.resolvedConfig, run.config]) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined) return parseConfig(text, file);
  }
  throw new UserError("the configuration of this run is gone. Put coppice.yaml back from a copy.", {
    file: run.config,
  });
}

function advice(
  { root }: NamedRun,
  state: RunState["state"],
  { owner, killed }: { owner: RunState["owner"]; killed: number | undefined },
): string {
  const command = `coppice run ${shellWord(root)}`;
  switch (state) {
    case "running":
      return `Process ${owner?.pid} on ${owner?.host} works on it; to stop it at a safe point: kill ${owner?.pid}`;
    case "finished":
      return "Every step is done. report.html in the run's folder shows the same figures as one file.";
    case "stopped":
      return killed === undefined
        ? `Nobody works on it now. It goes on where it was left with: ${command}`
        : `Process ${killed} ended before the run did. What was finished is kept; go on with: ${command}`;
    default:
      return `It has not begun. Start it with: ${command}`;
  }
}

/** As a POSIX shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
