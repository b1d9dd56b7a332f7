/**
 * A folder that Weights & Biases takes. Its own offline file is an internal format without a description, which changes with
 * its versions; so this is JSON lines and a short program that hands them to the public interface of the installed version.
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunRecord } from "./record.js";
import { type Scalar, scalarsOf } from "./scalars.js";
import { settingsOf } from "./settings.js";

/** Writes `config.json`, `history.jsonl` and `upload.py` into an existing folder. */
export async function writeWandbFolder(folder: string, record: RunRecord, name: string): Promise<void> {
  const { config, runId } = record.manifest;
  const rows = historyOf(scalarsOf(record));
  const about = { name, id: runId, config: Object.fromEntries(settingsOf(config)) };
  await writeFile(join(folder, "config.json"), `${JSON.stringify(about, null, 2)}\n`);
  await writeFile(join(folder, "history.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await writeFile(join(folder, "upload.py"), UPLOAD);
}

/** One row a step of a curve: its figures under their names, the step under `CURVE/step`, the time under `_timestamp`. */
export function historyOf(scalars: readonly Scalar[]): Record<string, number>[] {
  const rows = new Map<string, Record<string, number>>();
  for (const { curve, series, step, at, value } of scalars) {
    // A curve's figures of one group at one step arrive together: evaluations and trainings have different steps.
    const key = JSON.stringify([curve, series.split("/")[0], step]);
    const row = rows.get(key) ?? { [`${curve}/step`]: step, _timestamp: at };
    row[`${curve}/${series}`] = value;
    rows.set(key, row);
  }
  return [...rows.values()];
}

const UPLOAD = `"""Hands history.jsonl to Weights & Biases: pip install wandb, then python upload.py [PROJECT].

With WANDB_MODE=offline it asks nothing of the network, and \`wandb sync\` uploads later.
"""
import json
import pathlib
import sys

import wandb

here = pathlib.Path(__file__).parent
about = json.loads((here / "config.json").read_text(encoding="utf-8"))
rows = [json.loads(line) for line in (here / "history.jsonl").read_text(encoding="utf-8").splitlines()]
project = sys.argv[1] if len(sys.argv) > 1 else "coppice"
with wandb.init(project=project, name=about["name"], id=about["id"], config=about["config"], resume="allow") as run:
    for curve in sorted({key[: -len("/step")] for row in rows for key in row if key.endswith("/step")}):
        run.define_metric(f"{curve}/*", step_metric=f"{curve}/step")
    for row in rows[run.step :]:
        run.log(row)
`;
