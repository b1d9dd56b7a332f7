/** What a run has measured so far, ready to show: the report's charts and tables, and those of its training. */

import { charts } from "../report/charts.js";
import { visible } from "../report/escape.js";
import { baseline, lastStep } from "../report/figures.js";
import { count, points, rewardPoints, signed } from "../report/format.js";
import {
  answersTable,
  bestOfNTable,
  effectsTable,
  improveTable,
  onlineTable,
  policyTable,
  type Table,
} from "../report/tables.js";
import { verdict } from "../report/verdict.js";
import { stepNames } from "../rest/names.js";
import { summariseSoFar } from "../rest/steps/summarise.js";
import { Manifest } from "../store/manifest.js";
import { type MetricRecord, readMetrics } from "../store/metrics.js";
import type { RunSummary } from "../store/summary.js";
import { readSummaryFile } from "../store/summary-file.js";
import { insideFolder } from "./inside.js";
import { learningCharts } from "./learning-charts.js";
import type { RunFigures, TableView } from "./protocol.js";
import { runConfig } from "./run-state.js";
import type { NamedRun } from "./site.js";

/** Throws a UserError where a file of the run is not what Coppice wrote. */
export async function runFigures(run: NamedRun): Promise<RunFigures> {
  const manifest = await Manifest.read(run.root);
  // Once it is there it is the whole truth; before, the same is gathered from the finished steps.
  const written = await readSummaryFile(run.summary);
  const trained = learningCharts(manifest ? metricsOf(run, manifest) : []);
  if (!manifest?.isDone(stepNames.prepare) && !written)
    return { verdict: null, tiles: [], charts: trained, tables: [] };
  if (!written) await checkEvaluations(run, manifest!);
  const summary =
    written ?? (await summariseSoFar({ config: await runConfig(run), folder: run, manifest: manifest! }));
  return {
    verdict: written ? verdict(written) : null,
    tiles: tiles(summary),
    charts: [...charts(summary), ...trained],
    tables: [
      policyTable(summary),
      answersTable(summary),
      improveTable(summary),
      effectsTable(summary),
      onlineTable(summary),
      bestOfNTable(summary),
    ]
      .filter(({ rows }) => rows.length > 0)
      .map(tableView),
  };
}

/** What is gathered from must lie in the run's folder. */
async function checkEvaluations(run: NamedRun, { steps }: Manifest): Promise<void> {
  for (const { name } of steps)
    if (name.startsWith("evaluate-"))
      await insideFolder(run.root, run.inside(`evaluation/${name.slice("evaluate-".length)}.json`));
}

/** The lines of finished steps; those of the step that runs may be taken back. */
function metricsOf(run: NamedRun, { metricsLines }: Manifest): readonly MetricRecord[] {
  try {
    return readMetrics(run.metrics).slice(0, metricsLines);
  } catch (error) {
    // A run whose first step is on its way has none yet.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

function tiles(summary: RunSummary): RunFigures["tiles"] {
  const first = baseline(summary);
  if (!first) return [];
  const last = lastStep(summary) ?? first;
  const beside = (now: number, then: number) =>
    last === first ? "of the first policy" : `${signed(now - then)} against ${first.name}`;
  return [
    {
      label: `Mean reward of ${last.name}`,
      value: rewardPoints(last.reward.value),
      note: beside(100 * last.reward.value, 100 * first.reward.value),
    },
    { label: "BLEU", value: points(last.bleu.value), note: beside(last.bleu.value, first.bleu.value) },
    { label: "chrF", value: points(last.chrf.value), note: beside(last.chrf.value, first.chrf.value) },
    ...(last.judge
      ? [
          {
            label: `Judge ${last.judge.name}`,
            value: rewardPoints(last.judge.mean.value),
            note: first.judge ? beside(100 * last.judge.mean.value, 100 * first.judge.mean.value) : "of 100",
          },
        ]
      : []),
    { label: "KL from BC", value: points(last.klFromBc), note: "nats a sequence" },
    {
      label: "Samples drawn",
      value: count(last.samplesDrawn),
      note: `${count(last.rewardCalls)} reward calls`,
    },
  ];
}

/** Cells come from files: what acts instead of being seen is written out. */
export function tableView({ title, columns, rows, notes }: Table): TableView {
  return {
    title,
    columns,
    rows: rows.map(({ cells, ...row }) => ({ cells: cells.map(visible), ...row })),
    notes: notes.map(visible),
  };
}
