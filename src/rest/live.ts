/** A run's reporter that also keeps `live.json`, so that others can watch without asking the process. */

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { asideOf } from "../store/atomic.js";
import type { LiveState } from "../store/live-file.js";
import { Rate } from "./rate.js";
import type { Reporter } from "./reporter.js";

/** Least milliseconds between two writings of the file. */
const SPACING = 1000;

export interface LiveReporter extends Required<Reporter> {
  /** Removes the file: nothing is done here any more. */
  close(): void;
}

/**
 * Hands everything on to `reporter` and writes `path` at most once a second. A file that cannot be written is no reason
 * to stop a run, so failures are passed over.
 */
export function liveReporter(path: string, reporter: Reporter): LiveReporter {
  let step: LiveState["step"] = null;
  let said: LiveState["said"] = null;
  let measured: { label: string; unit: string; detail: string; rate: Rate } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  const write = () => {
    timer = undefined;
    writtenAt = performance.now();
    const state: LiveState = {
      pid: process.pid,
      step,
      progress: measured ? progressOf(measured) : null,
      said,
      updated: new Date().toISOString(),
    };
    const aside = asideOf(path);
    try {
      // Without asking the disk to keep it: after a crash of the machine it says nothing that is still true.
      writeFileSync(aside, `${JSON.stringify(state)}\n`);
      renameSync(aside, path);
    } catch {
      // The next run of the folder sweeps up what is left of it.
    }
  };
  const changed = () => {
    if (closed || timer !== undefined) return;
    const wait = writtenAt + SPACING - performance.now();
    if (wait <= 0) write();
    // What is still to be written must not keep a process from ending.
    else timer = setTimeout(write, wait).unref();
  };
  return {
    note: (sentence) => {
      reporter.note(sentence);
      said = sentence;
      changed();
    },
    step: (name) => {
      reporter.step?.(name);
      step = name;
      measured = undefined;
      changed();
    },
    progress: (label, total, unit) => {
      const outer = reporter.progress(label, total, unit);
      const mine = { label, unit, detail: "", rate: new Rate(total) };
      measured = mine;
      changed();
      return {
        update: (done, detail) => {
          outer.update(done, detail);
          mine.rate.update(done);
          mine.detail = detail ?? "";
          changed();
        },
        finish: () => {
          outer.finish();
          if (measured === mine) measured = undefined;
          changed();
        },
      };
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      try {
        rmSync(path, { force: true });
      } catch {
        // In a folder that has become read-only it stays; the lock says that nobody is here.
      }
    },
  };
}

function progressOf({
  label,
  unit,
  detail,
  rate,
}: {
  label: string;
  unit: string;
  detail: string;
  rate: Rate;
}): LiveState["progress"] {
  const { done, total, perSecond, left } = rate;
  return { label, done, total, unit, detail, perSecond, secondsLeft: Number.isFinite(left) ? left : null };
}
