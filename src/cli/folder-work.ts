/** What the commands on a run folder share: a stop signal, a reporter, and what a stop says. */
import { Interrupted } from "../errors.js";
import type { RunOptions } from "../rest/run.js";
import type { FolderOptions } from "./command.js";
import { terminalReporter } from "./reporter.js";
import { stopSignal } from "./signals.js";
import { openTerminal, type Terminal } from "./terminal.js";

/**
 * Does `work` on a run folder so that Ctrl-C stops it at a safe point. `resume` is the command that goes on after that;
 * absent where there is nothing to go on with.
 */
export async function onFolder<T>(
  { dir, ...output }: FolderOptions,
  resume: string | undefined,
  work: (options: Required<Omit<RunOptions, "donors">>, terminal: Terminal) => Promise<T>,
): Promise<T> {
  const terminal = openTerminal(output);
  const signal = stopSignal();
  const reporter = terminalReporter(terminal);
  try {
    return await work({ dir, reporter, signal }, terminal);
  } catch (error) {
    // What fails because it was asked to stop is a stop, whatever it failed with first.
    if (!signal.aborted) throw error;
    if (!(signal.reason instanceof Interrupted)) throw signal.reason;
    throw new Interrupted(resume ? `Stopped. What is finished is kept; go on with: ${resume}` : "Stopped.");
  } finally {
    reporter.close();
  }
}
