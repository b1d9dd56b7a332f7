/** Where a command's words go: results to standard output, everything else to standard error. */
import { createProgress, type Progress } from "./progress.js";

export interface OutputOptions {
  json?: boolean;
  quiet?: boolean;
}

export interface Terminal {
  /** The result: `value` as one line of JSON with --json, otherwise the text, ended by a line break. */
  result(value: unknown, text: (colour: boolean) => string): void;
  /** A remark for people, on standard error; nothing with --quiet. */
  note(text: string): void;
  /** Starts a bar (or its lines) for `total` of `unit`. One at a time. */
  progress(label: string, total: number, unit: string): Progress;
}

export function openTerminal({ json = false, quiet = false }: OutputOptions): Terminal {
  return {
    result: (value, text) => {
      process.stdout.write(`${json ? JSON.stringify(value) : text(hasColour(process.stdout))}\n`);
    },
    note: (text) => {
      if (!quiet) process.stderr.write(`${text}\n`);
    },
    progress: (label, total, unit) => createProgress({ label, total, unit, quiet }),
  };
}

/** Colour on a terminal only, and not where NO_COLOR (no-color.org) is set. */
export function hasColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}
