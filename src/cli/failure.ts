/** What a command that failed says, and the exit code it ends with. */
import { CommanderError } from "commander";
import { Interrupted, UserError } from "../errors.js";
import { ReaderGone } from "./signals.js";

export interface Failure {
  /** 0: help or version was asked for, or the reader of the output left; 1: a bug; 2: bad input; 130: stopped. */
  exitCode: 0 | 1 | 2 | 130;
  /** For standard error; empty where it has been said already. */
  text: string;
}

export function failureOf(error: unknown): Failure {
  // Commander has printed its own: help, the version, or what is wrong with the arguments.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2, text: "" };
  if (error instanceof ReaderGone) return { exitCode: 0, text: "" };
  if (error instanceof Interrupted) return { exitCode: 130, text: `${error.message}\n` };
  if (error instanceof UserError) return { exitCode: 2, text: `${error.message}\n` };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    exitCode: 1,
    text: `${stack}\nThis is a bug in Coppice: please report it with the lines above.\n`,
  };
}
