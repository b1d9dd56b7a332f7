/** Progress of one step: a bar on a terminal, a plain line every ten seconds elsewhere, nothing with --quiet. */
import cliProgress from "cli-progress";
import { duration } from "../report/format.js";
import { Rate } from "../rest/rate.js";

export interface Progress {
  /** `done` of the total so far; `detail` is a few words such as `loss 2.31`. */
  update(done: number, detail?: string): void;
  /** A line of its own above the bar. */
  note(text: string): void;
  /** Ends the bar, or prints the last line. */
  finish(): void;
  /** Leaves the bar as it stands: its work has stopped. */
  abandon(): void;
}

export interface ProgressOptions {
  /** What is going on: `Grow 1`. */
  label: string;
  total: number;
  /** Of what, in the plural: `candidates`. */
  unit: string;
  quiet?: boolean;
  /** Standard error when absent. */
  stream?: NodeJS.WritableStream & { isTTY?: boolean };
  /** Milliseconds; the clock when absent. */
  now?: () => number;
}

/** Milliseconds between two lines where there is no terminal. */
const lineEvery = 10_000;

/** @example const progress = createProgress({ label: "Grow 1", total: 16_000, unit: "candidates" }); */
export function createProgress(options: ProgressOptions): Progress {
  const stream = options.stream ?? process.stderr;
  if (options.quiet) return silent;
  return stream.isTTY ? bar(options, stream) : lines(options, stream);
}

const silent: Progress = { update: () => {}, note: () => {}, finish: () => {}, abandon: () => {} };

function bar({ label, total, unit, now }: ProgressOptions, stream: NodeJS.WritableStream): Progress {
  const rate = new Rate(total, now);
  const single = new cliProgress.SingleBar({
    stream,
    // Redrawn when values change and after a note, not more than four times a second.
    fps: 4,
    forceRedraw: true,
    hideCursor: false,
    barsize: 24,
    format: (options, params, payload: { tail?: string }) => {
      const share = `${Math.floor(params.progress * 100)}`.padStart(3);
      return `${label} ${cliProgress.Format.BarFormat(params.progress, options)} ${share} % ${payload.tail ?? ""}`;
    },
  });
  single.start(total, 0, { tail: unit });
  return {
    update: (done, detail) => {
      rate.update(done);
      single.update(Math.min(done, total), { tail: tailOf(rate, unit, detail) });
    },
    note: (text) => {
      stream.write(`\r\u001b[K${text}\n`);
    },
    finish: () => single.stop(),
    abandon: () => single.stop(),
  };
}

function lines(
  { label, total, unit, now = Date.now }: ProgressOptions,
  stream: NodeJS.WritableStream,
): Progress {
  const rate = new Rate(total, now);
  let printedAt = now();
  let lastDetail: string | undefined;
  const print = () => {
    printedAt = now();
    stream.write(`${label}: ${tailOf(rate, unit, lastDetail)}\n`);
  };
  return {
    update: (done, detail) => {
      rate.update(done);
      lastDetail = detail;
      if (now() - printedAt >= lineEvery) print();
    },
    note: (text) => {
      stream.write(`${text}\n`);
    },
    finish: () => {
      const { done, elapsed } = rate;
      stream.write(`${label}: ${thousands(done)} ${unit} in ${duration(elapsed)}\n`);
    },
    abandon: () => {},
  };
}

/** `3,200/16,000 candidates, 210/s, 1 min 01 s left, loss 2.31`. */
function tailOf(rate: Rate, unit: string, detail: string | undefined): string {
  const parts = [`${thousands(rate.done)}/${thousands(rate.total)} ${unit}`];
  if (rate.perSecond > 0) parts.push(`${speed(rate.perSecond)}/s`);
  if (Number.isFinite(rate.left)) parts.push(`${duration(rate.left)} left`);
  if (detail) parts.push(detail);
  return parts.join(", ");
}

const thousands = (value: number) => value.toLocaleString("en-US");
const speed = (value: number) => (value < 10 ? value.toFixed(1) : thousands(Math.round(value)));
