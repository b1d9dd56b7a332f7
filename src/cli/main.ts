#!/usr/bin/env node
/** The command `coppice`: runs what the arguments ask for. */
import { failureOf } from "./failure.js";
import { createProgram } from "./program.js";
import { ReaderGone, stopFor } from "./signals.js";

/** Milliseconds after which a process that has said its last word ends, whatever it still holds open. */
const lastWord = 3000;

// A reader that has seen enough (`coppice inspect … | head`) is no mistake.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  // Work in the worker thread must end by itself: leaving in the middle of native code aborts the process.
  if (!stopFor(new ReaderGone())) process.exit(process.exitCode ?? 0);
});

const program = createProgram();
try {
  if (process.argv.length > 2) await program.parseAsync();
  else program.outputHelp();
} catch (error) {
  const { exitCode, text } = failureOf(error);
  process.stderr.write(text);
  process.exitCode = exitCode;
  setTimeout(() => process.exit(), lastWord).unref();
}
