/** What a run has written down, as exporters read it: never while holding its lock, so that none can stall it. */

import { resolve } from "node:path";
import { UserError } from "../errors.js";
import { Manifest } from "../store/manifest.js";
import { type MetricRecord, readMetrics } from "../store/metrics.js";
import { type RunFolder, runFolder } from "../store/run-folder.js";

export interface RunRecord {
  folder: RunFolder;
  manifest: Manifest;
  /** Lines of metrics.jsonl of the finished steps, in order. */
  metrics: { line: number; record: MetricRecord; finishedAt: number; seconds: number }[];
}

/**
 * The lines of finished steps, each with when its step was finished (seconds since 1970) and how long that took.
 *
 * @throws UserError where the folder holds no run, or nothing of it is finished.
 */
export async function readRun(dir: string): Promise<RunRecord> {
  const manifest = await Manifest.read(dir);
  const folder = runFolder(dir);
  if (!manifest || manifest.metricsLines === 0)
    throw new UserError(
      `this folder holds no run of which a step is finished, expected one; start it with coppice run ${dir}.`,
      { file: resolve(dir) },
    );
  const records = readMetrics(folder.metrics).slice(0, manifest.metricsLines);
  let step = 0;
  const metrics = records.map((record, index) => {
    while ((manifest.steps[step]?.metricsLines ?? Number.POSITIVE_INFINITY) <= index) step++;
    const time = manifest.steps[step]?.time;
    const finishedAt = time ? Date.parse(time.finishedAt) / 1000 : 0;
    return { line: index + 1, record, finishedAt, seconds: time?.seconds ?? 0 };
  });
  return { folder, manifest, metrics };
}
