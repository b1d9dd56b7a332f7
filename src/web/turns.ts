/** One piece of work at a time, a few in line behind it. */

import { Interrupted } from "../errors.js";

export class Turns {
  readonly #line: (() => void)[] = [];
  #taken = false;

  /** @param room how many may stand in line */
  constructor(private readonly room: number) {}

  /** Whether one more would find no place. */
  get full(): boolean {
    return this.#taken && this.#line.length >= this.room;
  }

  /** How many would be served before one who came now. */
  get ahead(): number {
    return this.#taken ? this.#line.length + 1 : 0;
  }

  /**
   * Waits for its turn; whoever has it calls the function returned when done, once or more often.
   * Throws `Interrupted` when `signal` is aborted while waiting; the place in line is free then.
   */
  async take(signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted) throw new Interrupted();
    if (this.#taken)
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          this.#line.splice(this.#line.indexOf(go), 1);
          reject(new Interrupted());
        };
        const go = () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        };
        signal?.addEventListener("abort", leave, { once: true });
        this.#line.push(go);
      });
    this.#taken = true;
    let done = false;
    return () => {
      if (done) return;
      done = true;
      const next = this.#line.shift();
      // Between two turns nobody comes in between: it stays taken.
      if (next) next();
      else this.#taken = false;
    };
  }
}
