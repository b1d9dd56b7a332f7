/** Hands the figures or candidates of a run to another program. */
import { exportRecord, type RecordExport } from "../export/targets.js";
import { plural } from "../report/format.js";
import { type OutputOptions, openTerminal } from "./terminal.js";

export async function exportRecordCommand(options: Omit<RecordExport, "env"> & OutputOptions): Promise<void> {
  const exported = await exportRecord({ ...options, env: process.env });
  const { to, out, rows, next } = exported;
  openTerminal(options).result(exported, () => {
    const what = plural(rows, to === "datasets" ? "candidate" : "figure");
    return `${to === "mlflow" ? `Sent ${what} to` : `Wrote ${what} to`} ${out}. ${next}`;
  });
}
