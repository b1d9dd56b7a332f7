/** A program of the user's that answers every line on its standard input by one on its standard output. */

import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { Interrupted, UserError } from "../../errors.js";
import { type Command, endedBy, killProcess, startProcess } from "../../remote/process.js";

export interface ProgramOptions extends Command {
  /** Seconds without a line after which it counts as hung. */
  timeoutSeconds: number;
}

/** Characters of standard error that are remembered, and shown. */
const ERRORS_KEPT = 4000;
const ERRORS_SHOWN = 300;
/** A line that is longer, in characters, is no answer. */
const LONGEST_LINE = 2 ** 20;
/** Milliseconds that the program has to end by itself when its input ends. */
const GRACE = 2000;
/** Milliseconds after its first batch in which a program that writes too much gives itself away. */
const SECOND_LOOK = 200;

interface Running {
  child: ChildProcessWithoutNullStreams;
  /** Whole lines that nobody has read yet. */
  lines: string[];
  /** The beginning of the next one. */
  partial: string;
  errors: string;
  /** Whether it has answered a batch. */
  proven: boolean;
  /** How it ended, as words that follow its name. */
  ended?: string;
  /** Called at every line and at the end. */
  wake: () => void;
}

/** Started at the first exchange, kept running, started again after a failure. */
export class Program {
  readonly #who: string;
  readonly #options: ProgramOptions;
  #running: Running | undefined;

  /** @param who The reward's name, for messages. */
  constructor(who: string, options: ProgramOptions) {
    this.#who = who;
    this.#options = options;
  }

  /**
   * Writes `lines` and returns as many that come back. Where the program does not start, ends, writes another number of lines
   * or falls silent, `failure` says so with what standard error said, and `lines` holds the first that came until then.
   * Throws `Interrupted` where `interrupted` fires.
   */
  async exchange(
    lines: readonly string[],
    interrupted?: AbortSignal,
  ): Promise<{ lines: string[]; failure?: UserError }> {
    this.#running ??= start(this.#options);
    const running = this.#running;
    const [stray] = running.lines;
    if (stray !== undefined)
      return this.#failed(
        [],
        `wrote more lines than it was given, one of them ${JSON.stringify(stray.slice(0, 60))}`,
      );
    running.child.stdin.write(lines.map((line) => `${line}\n`).join(""));
    const seconds = this.#options.timeoutSeconds;
    while (running.lines.length < lines.length) {
      const got = `${running.lines.length} of ${lines.length} lines`;
      if (running.ended !== undefined) return this.#failed(running.lines, `${running.ended} after ${got}`);
      if (running.partial.length > LONGEST_LINE)
        return this.#failed(running.lines, `wrote a line of more than ${LONGEST_LINE} characters`);
      const seen = await change(running, seconds * 1000, interrupted);
      if (interrupted?.aborted) {
        this.#kill();
        throw new Interrupted();
      }
      if (seen === "silence")
        return this.#failed(
          running.lines,
          `wrote ${got} and then nothing for ${seconds} seconds (does it flush its output after each line?)`,
        );
    }
    if (!running.proven) await sleep(SECOND_LOOK);
    running.proven = true;
    if (running.lines.length > lines.length)
      return this.#failed([], `wrote ${running.lines.length} lines for ${lines.length}`);
    return { lines: running.lines.splice(0) };
  }

  /** The end of what standard error said, as words in brackets; empty where it said nothing. */
  said(): string {
    return saidBy(this.#running);
  }

  /** Ends the program's input and waits for it to go; kills it where it does not. */
  async close(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.child.stdin.end();
    const deadline = performance.now() + GRACE;
    while (running.ended === undefined && performance.now() < deadline)
      await change(running, deadline - performance.now());
    this.#kill();
  }

  #failed(lines: string[], problem: string): { lines: string[]; failure: UserError } {
    const said = saidBy(this.#running);
    this.#kill();
    const failure = new UserError(
      `reward "${this.#who}": ${this.#options.command.join(" ")} ${problem}${said}; mend the program, which has to answer ` +
        "every line by one line, and run the same command again: a run keeps what it has got",
    );
    return { lines, failure };
  }

  #kill(): void {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined || running.ended !== undefined) return;
    killProcess(running.child);
  }
}

function start(options: ProgramOptions): Running {
  const child = startProcess(options);
  const running: Running = {
    child,
    lines: [],
    partial: "",
    errors: "",
    proven: false,
    wake: () => undefined,
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (running.partial + text).split("\n");
    running.partial = lines.pop()!;
    running.lines.push(...lines);
    running.wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    running.errors = (running.errors + text).slice(-ERRORS_KEPT);
  });
  // A program that has ended reads no more; how it ended is told below.
  child.stdin.on("error", () => undefined);
  const end = (words: string) => {
    if (running.ended !== undefined) return;
    if (running.partial !== "") running.lines.push(running.partial);
    running.partial = "";
    running.ended = words;
    running.wake();
  };
  child.on("error", (error) => end(`did not start (${error.message})`));
  child.on("close", (code, signal) => end(endedBy(code, signal)));
  // A process that it left behind can hold its output open.
  child.on("exit", (code, signal) => setTimeout(() => end(endedBy(code, signal)), 500).unref());
  return running;
}

/** Waits until the program writes a line or ends, for so many milliseconds at most. */
function change(
  running: Running,
  milliseconds: number,
  interrupted?: AbortSignal,
): Promise<"change" | "silence"> {
  return new Promise((done) => {
    const finish = (what: "change" | "silence") => {
      clearTimeout(timer);
      interrupted?.removeEventListener("abort", stop);
      running.wake = () => undefined;
      done(what);
    };
    const stop = () => finish("change");
    const timer = setTimeout(() => finish("silence"), milliseconds);
    interrupted?.addEventListener("abort", stop);
    running.wake = stop;
    if (interrupted?.aborted) stop();
  });
}

function saidBy(running: Running | undefined): string {
  const text = (running?.errors ?? "").replace(/\s+/g, " ").trim();
  if (text === "") return "";
  return `; it said on standard error: ${text.length > ERRORS_SHOWN ? `…${text.slice(1 - ERRORS_SHOWN)}` : text}`;
}
