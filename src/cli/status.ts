/** How far a run is: its finished steps, what is next, who works on it, what it has measured. */
import { stat } from "node:fs/promises";
import { UserError } from "../errors.js";
import { duration, plural } from "../report/format.js";
import { consoleTables, toText } from "../report/tables.js";
import { gamingByPolicy } from "../report/verdict.js";
import { plannedSteps } from "../rest/algorithm.js";
import { askedBy, askedWords } from "../rest/asked.js";
import { withoutTransport } from "../rest/reward-parts.js";
import { readConfig } from "../rest/run.js";
import { lockOwner } from "../store/lock.js";
import { type Json, Manifest } from "../store/manifest.js";
import { runFolder } from "../store/run-folder.js";
import type { AskedSummary, RunSummary } from "../store/summary.js";
import { readSummaryFile, summaryFile } from "../store/summary-file.js";

export interface RunStatus {
  dir: string;
  /** `new`: not begun; `unfinished`: `coppice run` goes on from the last step; `finished`: the report is written. */
  state: "new" | "unfinished" | "finished";
  /** The process that works in the folder now. */
  working: { pid: number; host: string; since: string } | null;
  /** Steps that `coppice run` would reuse. */
  steps: { name: string; seconds: number; finishedAt: string }[];
  /** Steps that it would do, in order. */
  next: string[];
  /** Seconds of work in finished steps. */
  seconds: number;
  /** What they asked of the policy's server; null where there is none. */
  asked: AskedSummary | null;
  /** The figures, once the run is finished. */
  summary: RunSummary | null;
}

/** Throws a UserError where `dir` holds no run, or its configuration does not hold. Changes nothing. */
export async function runStatus(dir: string): Promise<RunStatus> {
  const paths = runFolder(dir);
  const manifest = await Manifest.read(dir);
  if (manifest === undefined && !(await isFile(paths.config))) {
    throw new UserError(
      `this folder holds no run: coppice.yaml is not there. Start one with coppice init ${dir} --pairs FILE.`,
      { file: dir },
    );
  }
  const config = await readConfig(paths.config);
  const stale = manifest?.firstStale({
    seed: config.seed,
    config: withoutTransport(config) as unknown as Json,
  });
  const finished = manifest?.steps ?? [];
  const kept =
    stale === undefined
      ? finished
      : finished.slice(
          0,
          finished.findIndex(({ name }) => name === stale),
        );
  const done = new Set(kept.map(({ name }) => name));
  const next = (await plannedSteps(config)).map(({ name }) => name).filter((name) => !done.has(name));
  // Of a finished run only: after a change of the configuration it tells of another one.
  const written = await readSummaryFile(paths.summary);
  const summary = next.length === 0 ? written : undefined;
  return {
    dir,
    state: summary ? "finished" : kept.length > 0 ? "unfinished" : "new",
    working: lockOwner(dir) ?? null,
    steps: kept.map(({ name, time }) => ({ name, ...time })),
    next,
    seconds: kept.reduce((sum, { time }) => sum + time.seconds, 0),
    asked: askedBy(kept) ?? null,
    summary: summary ?? null,
  };
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** As --json prints it: the figures as `summary.json` holds them. */
export function statusJson(status: RunStatus): unknown {
  return { ...status, summary: status.summary && summaryFile(status.summary) };
}

/** For a terminal. */
export function statusText(
  { dir, state, working, steps, next, seconds, asked, summary }: RunStatus,
  colour: boolean,
): string {
  const parts: string[] = [];
  if (summary) {
    parts.push(consoleTables(summary, { colour }));
    const warnings = gamingByPolicy(summary).map(({ policy, text }) => `Warning: ${policy}: ${text}`);
    if (warnings.length > 0) parts.push(warnings.join("\n"));
  }
  if (steps.length > 0)
    parts.push(
      toText(
        {
          title: `${dir}: ${plural(steps.length, "step")} done in ${duration(seconds)}`,
          columns: [
            { header: "step", align: "left" },
            { header: "took", align: "right" },
            { header: "finished at", align: "left" },
          ],
          rows: steps.map((step) => ({ cells: [step.name, duration(step.seconds), step.finishedAt] })),
          notes: [],
        },
        { colour },
      ),
    );
  if (asked) parts.push(askedWords(asked));
  if (next.length > 0) parts.push(`Next: ${next.join(", ")}.`);
  const words = {
    new: `Not begun yet. Start it with: coppice run ${dir}`,
    unfinished: `Not finished. Go on with: coppice run ${dir}`,
    finished: `Finished. The report is ${runFolder(dir).report}`,
  };
  parts.push(
    working
      ? `Process ${working.pid} on ${working.host} is working on it, since ${working.since}.`
      : words[state],
  );
  return parts.join("\n\n");
}
