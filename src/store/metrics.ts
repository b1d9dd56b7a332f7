/** `metrics.jsonl`: one JSON object a line, the same lines however often the run was killed. */

import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import { writeFailure } from "./atomic.js";

export type MetricValue =
  | string
  | number
  | boolean
  | null
  | readonly MetricValue[]
  | { readonly [key: string]: MetricValue };

/** One line. Whatever depends on the clock goes under `time`, so that two runs compare equal without it. */
export interface MetricRecord {
  readonly [key: string]: MetricValue | undefined;
  readonly time?: { readonly [key: string]: MetricValue };
}

/** Keys in alphabetical order, `time` last, so that equal records are equal bytes. NaN and infinities become null. */
function line(record: MetricRecord): string {
  const sorted = (value: MetricValue): MetricValue => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(sorted);
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, sorted(item)]),
    );
  };
  const { time, ...rest } = record;
  const known = Object.entries(rest).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  const ordered = sorted(Object.fromEntries(known));
  return `${JSON.stringify(time === undefined ? ordered : Object.assign({}, ordered, { time: sorted(time) }))}\n`;
}

/** The open end of a run's `metrics.jsonl`. */
export class MetricsLog {
  #lines: number;

  private constructor(
    readonly path: string,
    private readonly file: number,
    lines: number,
  ) {
    this.#lines = lines;
  }

  /** Complete lines in the file; the manifest records it when a step is finished. */
  get lines(): number {
    return this.#lines;
  }

  /**
   * Opens the file to go on after its first `keep` lines (those of finished steps); what a killed process wrote
   * later, a torn last line included, is dropped. Throws a UserError when the file holds fewer lines.
   */
  static open(path: string, keep: number): MetricsLog {
    try {
      makeFolder(dirname(path));
      const file = openSync(path, "a+");
      try {
        const bytes = readFileSync(path);
        let end = 0;
        for (let lines = 0; lines < keep; lines++) {
          const newline = bytes.indexOf(10, end);
          if (newline < 0)
            throw new UserError(
              `this file holds ${lines} whole ${lines === 1 ? "line" : "lines"}, but the manifest counts ${keep} from finished steps. ` +
                "Put the missing lines back, or start a new run folder.",
              { file: path },
            );
          end = newline + 1;
        }
        if (end < bytes.length) ftruncateSync(file, end);
        return new MetricsLog(path, file, keep);
      } catch (error) {
        closeSync(file);
        throw error;
      }
    } catch (error) {
      throw writeFailure(error, path);
    }
  }

  /** Adds one line. On disk for certain only after `sync`. */
  append(record: MetricRecord): void {
    try {
      // Not `writeSync`: on a nearly full disk that writes a part, without an error.
      writeFileSync(this.file, line(record));
    } catch (error) {
      throw writeFailure(error, this.path);
    }
    this.#lines++;
  }

  /** Puts all lines on disk; call it before the manifest counts them. */
  sync(): void {
    try {
      fsyncSync(this.file);
    } catch (error) {
      throw writeFailure(error, this.path);
    }
  }

  close(): void {
    closeSync(this.file);
  }
}

/** All whole lines of a metrics file, in order; a torn last line is left out. Throws a UserError at a broken line. */
export function readMetrics(path: string): MetricRecord[] {
  const lines = readFileSync(path, "utf8").split("\n");
  lines.pop();
  return lines.map((text, index) => {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value))
        // JSON.parse yields JSON values only, and an object is what a record is.
        return value as MetricRecord;
    } catch {
      // Told below, with its place.
    }
    throw new UserError("this line is not a JSON object. Delete the line.", { file: path, line: index + 1 });
  });
}
