/** A run's reporter for the terminal: sentences on lines of their own, one bar at a time below them. */
import type { Reporter } from "../rest/reporter.js";
import type { Progress } from "./progress.js";
import type { Terminal } from "./terminal.js";

/** Everything goes to standard error; nothing with --quiet. */
export function terminalReporter(terminal: Terminal): Reporter & { close(): void } {
  let current: Progress | undefined;
  const end = () => {
    current?.finish();
    current = undefined;
  };
  return {
    note: (sentence) => {
      if (current) current.note(sentence);
      else terminal.note(sentence);
    },
    progress: (label, total, unit) => {
      end();
      const progress = terminal.progress(label, total, unit);
      current = progress;
      return {
        update: (done, detail) => progress.update(done, detail),
        finish: () => {
          if (current === progress) end();
        },
      };
    },
    // A bar that an error left standing would be drawn over what is said next.
    close: () => {
      current?.abandon();
      current = undefined;
    },
  };
}
