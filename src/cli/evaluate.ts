/** The figures of a run's policies: as stored, or measured on other pairs. */
import { readFile } from "node:fs/promises";
import { columnsFrom } from "../data/formats/columns.js";
import type { Pair } from "../data/pair.js";
import { readPairs } from "../data/read.js";
import { UserError } from "../errors.js";
import { policyTable, toText } from "../report/tables.js";
import { gamingByPolicy } from "../report/verdict.js";
import type { RunContext } from "../rest/context.js";
import { stepNames } from "../rest/names.js";
import { onePolicy, policiesOf } from "../rest/policies.js";
import { withFinished } from "../rest/run.js";
import { type Evaluation, measurePolicy } from "../rest/steps/evaluate.js";
import { loadPrepared } from "../rest/steps/prepare.js";
import { costs, summarise } from "../rest/steps/summarise.js";
import { writeJsonAtomic } from "../store/atomic.js";
import type { PolicySummary } from "../store/summary.js";
import { policyRow } from "../store/summary-file.js";
import type { FolderOptions } from "./command.js";
import { onFolder } from "./folder-work.js";

export interface EvaluateOptions extends FolderOptions {
  /** Pairs to evaluate on; the run's own test part when absent. */
  test?: string;
  /** Names of policies; all that were evaluated when absent. */
  policies?: string[];
  /** File for the result as JSON. */
  out?: string;
}

/** Writes nothing into the run folder. */
export async function evaluateCommand(options: EvaluateOptions): Promise<void> {
  await onFolder(options, undefined, (work, terminal) =>
    withFinished(work, async (run) => {
      const names = chosenPolicies(run, options.policies);
      const pairs = options.test === undefined ? undefined : await readTest(run, options.test);
      const policies: PolicySummary[] = [];
      for (const name of names) {
        const stored = pairs === undefined ? await storedEvaluation(run, name) : undefined;
        const { summary } =
          stored ?? (await measurePolicy(run, name, pairs ?? (await loadPrepared(run)).test));
        policies.push({ ...summary, ...costs(run, summary) });
      }
      const result = { policies: policies.map(policyRow) };
      if (options.out !== undefined) await writeJsonAtomic(options.out, result);
      const { differences, ...frame } = await summarise(run);
      // Those of the run's own test part say nothing of other pairs.
      const shown = { ...frame, ...(differences && pairs === undefined && { differences }), policies };
      terminal.result(result, (colour) =>
        [
          toText(policyTable(shown), { colour }),
          ...gamingByPolicy(shown).map(({ policy, text }) => `Warning: ${policy}: ${text}`),
        ].join("\n"),
      );
    }),
  );
}

/** Pairs of another file, in the columns that the run's own files have. */
function readTest({ config }: RunContext, file: string): Promise<Pair[]> {
  const columns = columnsFrom(config.data.sourceColumn, config.data.targetColumn);
  return readPairs(file, columns ? { columns } : {});
}

/** Those asked for, or all that were evaluated. Throws a UserError for one that the run does not have. */
function chosenPolicies(run: RunContext, asked: readonly string[] | undefined): string[] {
  const chosen =
    asked?.map((name) => onePolicy(run.manifest, name)) ??
    policiesOf(run.manifest).filter((name) => run.manifest.isDone(stepNames.evaluate(name)));
  if (chosen.length === 0)
    throw new UserError(
      `no policy of this run is evaluated yet. Go on with: coppice run ${run.folder.root}`,
      {
        file: run.folder.root,
      },
    );
  return chosen;
}

async function storedEvaluation(run: RunContext, name: string): Promise<Evaluation | undefined> {
  if (!run.manifest.isDone(stepNames.evaluate(name))) return undefined;
  // Written whole by the run's own step, and its size is checked.
  return JSON.parse(await readFile(run.folder.inside(`evaluation/${name}.json`), "utf8")) as Evaluation;
}
