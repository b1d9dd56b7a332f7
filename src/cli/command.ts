/** What every command has: help with examples, `--json`, `--quiet`, and checked numbers. */
import { type Command, InvalidArgumentError } from "commander";
import type { OutputOptions } from "./terminal.js";

interface About {
  /** A few words for the list of commands. */
  summary: string;
  /** What the command does, for its own help. */
  description: string;
  /** Lines to paste, each with what it does. */
  examples: readonly (readonly [line: string, what: string])[];
}

/** Adds a command with the options that all have; `usage` is its name and arguments, as in `run <dir>`. */
export function addCommand(
  program: Command,
  usage: string,
  { summary, description, examples }: About,
): Command {
  const lines = examples.map(([line, what]) => `  $ ${line}\n      ${what}`);
  return program
    .command(usage)
    .summary(summary)
    .description(description)
    .option("--json", "print the result as JSON on standard output (progress goes to standard error)")
    .option("-q, --quiet", "print no progress")
    .addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** What a command on a run folder is given. */
export interface FolderOptions extends OutputOptions {
  /** The run folder, as the user named it. */
  dir: string;
}

/** Reads a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be a whole number of ${least} or more.`);
    }
    return value;
  };
}

/** Reads a port to listen on; 0 stands for any that is free. */
export function portNumber(text: string): number {
  const value = wholeNumber(0)(text);
  if (value > 65_535) throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
  return value;
}

/** Reads a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError("It must be a number above 0.");
  }
  return value;
}
