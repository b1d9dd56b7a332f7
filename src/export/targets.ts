/** Where the record of a run can be handed to: figures for trackers and tables, candidates for others to train on. */

import { basename, resolve } from "node:path";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { writeAside, writeFolderAtomic } from "../store/atomic.js";
import { writeDataset } from "./datasets.js";
import { sendToMlflow } from "./mlflow.js";
import type { RecordTarget } from "./names.js";
import { type RunRecord, readRun } from "./record.js";
import { scalarsOf } from "./scalars.js";
import { writeTable } from "./tables.js";
import { writeEventFiles } from "./tensorboard.js";
import { writeWandbFolder } from "./wandb.js";

export interface RecordExport {
  dir: string;
  /** The file or folder to write, which must not be there; for MLflow the server's address. */
  out: string;
  to: RecordTarget;
  /** MLflow's experiment. */
  experiment: string;
  env: NodeJS.ProcessEnv;
}

export interface RecordExported {
  to: RecordTarget;
  out: string;
  /** Figures, or candidates. */
  rows: number;
  /** What to do with it, in a sentence. */
  next: string;
}

type Write = (record: RunRecord, options: RecordExport) => Promise<Omit<RecordExported, "to" | "out">>;

/** A new file or folder of the user's, whole or not at all. */
async function fresh(path: string): Promise<void> {
  if (await exists(path))
    throw new UserError("this is there already and is left as it is. Choose another name, or move it away.", {
      file: path,
    });
}

const table =
  (format: "csv" | "jsonl" | "parquet"): Write =>
  async (record, { out }) => {
    await fresh(out);
    const scalars = scalarsOf(record);
    await writeAside(resolve(out), (aside) => writeTable(aside, format, scalars));
    return { rows: scalars.length, next: "A line a figure; docs/exports.md says what the columns are." };
  };

const targets: Record<RecordTarget, Write> = {
  csv: table("csv"),
  jsonl: table("jsonl"),
  parquet: table("parquet"),
  tensorboard: async (record, { out }) => {
    await fresh(out);
    const scalars = scalarsOf(record);
    await writeFolderAtomic(resolve(out), (aside) => writeEventFiles(aside, scalars));
    return { rows: scalars.length, next: `Look at them with: tensorboard --logdir ${out}` };
  },
  wandb: async (record, { out, dir }) => {
    await fresh(out);
    await writeFolderAtomic(resolve(out), (aside) => writeWandbFolder(aside, record, basename(resolve(dir))));
    return { rows: scalarsOf(record).length, next: `Hand them over with: python ${out}/upload.py PROJECT` };
  },
  mlflow: async (record, { out, dir, experiment, env }) => {
    const name = basename(resolve(dir));
    const { metrics, run } = await sendToMlflow(record, { address: out, experiment, name, env });
    return { rows: metrics, next: `They are in the experiment ${experiment}, run ${run}.` };
  },
  datasets: async (record, { out }) => {
    await fresh(out);
    let rows = 0;
    await writeFolderAtomic(resolve(out), async (aside) => {
      ({ rows } = await writeDataset(aside, record, basename(resolve(out))));
    });
    return {
      rows,
      next: "Its card, README.md, has lines at the top for you to fill in: licence and languages.",
    };
  },
};

/** Reads the files of the run and writes or sends; the run itself may be going on. Throws a UserError where it cannot. */
export async function exportRecord(options: RecordExport): Promise<RecordExported> {
  const { to, out, dir } = options;
  return { to, out, ...(await targets[to](await readRun(dir), options)) };
}
