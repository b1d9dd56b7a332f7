/** What a run was computed on: results are the same bytes on the same kind of machine only. */

import { availableParallelism, cpus, release, totalmem, type } from "node:os";

export interface Machine {
  /** CPU model, as the system names it. */
  cpu: string;
  /** Cores this process may use. */
  cores: number;
  /** Threads of the arithmetic where COPPICE_THREADS sets them; else one for every core. */
  threads?: number | undefined;
  memoryGb: number;
  /** Version of Node.js. */
  node: string;
  os: string;
}

/** The machine this process runs on. */
export function thisMachine(): Machine {
  const threads = Number(process.env.COPPICE_THREADS);
  return {
    cpu: cpus()[0]?.model.trim() || "unknown",
    cores: availableParallelism(),
    ...(threads > 0 ? { threads } : {}),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    os: `${type()} ${release()}`,
  };
}
