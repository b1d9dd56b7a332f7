/** Errors that a user can mend: the command line prints their one sentence and exits with code 2. */

export interface Place {
  /** File that was read, as the user named it. */
  file?: string;
  /** Line in that file, from 1. */
  line?: number;
}

/**
 * Something the user gave is wrong (a file, a key, an argument). The message says what was found, what was
 * expected and what to do; `place` puts `file:line: ` in front of it. Anything else that is thrown is a bug.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly place: Place;

  constructor(message: string, place: Place = {}, options?: ErrorOptions) {
    const where = place.file ? `${place.file}${place.line === undefined ? "" : `:${place.line}`}: ` : "";
    super(where + message, options);
    this.place = place;
  }
}

/** Work that was asked to stop (Ctrl-C, SIGTERM) and did so at a safe point; exit code 130. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(message = "Stopped. Run the same command again to go on from here.") {
    super(message);
  }
}
