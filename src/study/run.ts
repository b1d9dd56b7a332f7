/** Runs a study: every arm with every seed, what they have in common once, tables written anew after each. */

import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { writeDemoPairs } from "../data/recipes/demo-pairs.js";
import { Interrupted, UserError } from "../errors.js";
import { exists } from "../exists.js";
import { duration } from "../report/format.js";
import { renderConfig } from "../rest/config.js";
import type { Reporter } from "../rest/reporter.js";
import { runAll } from "../rest/run.js";
import { removeLeftovers, writeFileAtomic } from "../store/atomic.js";
import { lockRun } from "../store/lock.js";
import { runFolder } from "../store/run-folder.js";
import { type StudyOutcome, writeOutputs } from "./outputs.js";
import { planRuns, type StudyRun, secondsLeft } from "./plan.js";
import { type RunResult, readRun } from "./results.js";
import { MADE_PAIRS, parseStudy } from "./study.js";
import { viewOf } from "./view.js";

export interface StudyOptions {
  /** The study file. */
  file: string;
  /** Where runs, tables and figures go. */
  dir: string;
  reporter: Reporter;
  /** Aborting it stops the study at its next safe point with `Interrupted`; running again goes on from there. */
  signal?: AbortSignal;
}

/** Runs the study to its end, or what is left of it. Throws a UserError for a file that is not a study. */
export async function runStudy({ file, dir, reporter, signal }: StudyOptions): Promise<StudyOutcome> {
  const source = await readStudyFile(file);
  const study = parseStudy(source, file, {
    madePairs: resolve(dir, MADE_PAIRS),
  });
  const lock = lockRun(dir);
  try {
    await removeLeftovers(dir, "runs");
    const pairs = join(dir, MADE_PAIRS);
    if (study.made && !(await exists(pairs)))
      await writeDemoPairs(dirname(pairs), {
        toy: study.made === "toy",
        note: reporter.note,
        ...(signal && { signal }),
      });
    const runs = await planRuns(study, dir);
    const done: RunResult[] = [];
    for (const run of runs) {
      const found = await readRun(run);
      if (found) done.push(found);
    }
    const waiting = runs.filter((run) => !done.some((one) => one.run === run));
    reporter.note(
      `${runs.length} runs: ${study.arms.length} arms, ${study.seeds.length} seeds. ` +
        (done.length > 0 ? `${done.length} are finished already.` : ""),
    );
    let outcome = await write(dir);
    for (const [at, run] of waiting.entries()) {
      if (signal?.aborted) throw new Interrupted();
      reporter.note(`Run ${runs.indexOf(run) + 1} of ${runs.length}: ${relative(dir, run.dir)}.`);
      await doRun(run, { reporter, ...(signal ? { signal } : {}) });
      const result = await readRun(run);
      if (!result) throw new Error(`${run.dir} has ended but is not finished`);
      done.push(result);
      outcome = await write(dir);
      const left = secondsLeft(waiting.slice(at + 1), done);
      if (left !== undefined && at + 1 < waiting.length)
        reporter.note(
          `${run.arm.name} with seed ${run.seed} is finished; tables and figures are in ${dir}. ` +
            `About ${duration(left)} left for ${waiting.length - at - 1} runs.`,
        );
    }
    return outcome;

    function write(folder: string): Promise<StudyOutcome> {
      // In the order of the study, so that a table does not tell in which order runs ended.
      const ordered = runs.flatMap((run) => done.find((one) => one.run === run) ?? []);
      return writeOutputs(folder, viewOf(study, ordered, runs.length), source);
    }
  } finally {
    lock.unlock();
  }
}

async function readStudyFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UserError(
      "this study file cannot be read. Give the path of a YAML file such as examples/study.yaml.",
      { file },
      { cause },
    );
  }
}

/** The run as an ordinary run folder, done or gone on with. */
async function doRun(
  run: StudyRun,
  { reporter, signal }: { reporter: Reporter; signal?: AbortSignal },
): Promise<void> {
  await writeFileAtomic(runFolder(run.dir).config, renderConfig(run.config));
  await runAll({ dir: run.dir, donors: run.donors, reporter, ...(signal ? { signal } : {}) });
}
