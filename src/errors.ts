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
    super(shown(where + message), options);
    this.place = place;
  }
}

/** Characters of a message at most: a damaged file may hold a name of any length. */
const LONGEST = 1500;

/** Without what would act on the terminal that shows it, and no longer than can be read. */
function shown(message: string): string {
  const whole =
    message.length <= LONGEST ? message : `${message.slice(0, LONGEST - 300)} … ${message.slice(-300)}`;
  return whole.replace(
    /(?!\n)[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Work that was asked to stop (Ctrl-C, SIGTERM) and did so at a safe point; exit code 130. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(message = "Stopped. Run the same command again to go on from here.") {
    super(message);
  }
}
