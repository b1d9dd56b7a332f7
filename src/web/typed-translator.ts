/** What translates a typed sentence: the policies of one run, by name. */

import { Interrupted } from "../errors.js";
import type { TypedTranslation } from "./views.js";

export interface TypedRequest {
  text: string;
  policy: string;
  /** Samples to choose from by reward; 0 for the greedy translation alone. */
  bestOf: number;
  /** Of the samples, above 0. */
  temperature: number;
  signal: AbortSignal;
}

export interface TypedTranslator {
  /** One request at a time. Throws `Interrupted` when `signal` is aborted. */
  translate(request: TypedRequest): Promise<TypedTranslation>;
  close(): Promise<void>;
}

/** Opens the run in a folder for reading. Throws a UserError where nothing of it is finished. */
export type OpenTranslator = (dir: string) => Promise<TypedTranslator>;

/** Milliseconds after which models that nobody uses leave memory. */
const IDLE = 5 * 60_000;

/** At most one run's models in memory: those asked for last. Not for two requests at a time. */
export class HeldTranslator {
  #held: { dir: string; translator: TypedTranslator } | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly open: OpenTranslator,
    private readonly idle = IDLE,
  ) {}

  /** Works with the run's translator, opening it where it is not held; opens the run anew after a failure. */
  async use<T>(dir: string, work: (translator: TypedTranslator) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    if (this.#held?.dir !== dir) {
      await this.close();
      this.#held = { dir, translator: await this.open(dir) };
    }
    try {
      return await work(this.#held.translator);
    } catch (error) {
      if (!(error instanceof Interrupted)) await this.close();
      throw error;
    } finally {
      this.#idle = setTimeout(() => void this.close(), this.idle);
      this.#idle.unref();
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const held = this.#held;
    this.#held = undefined;
    await held?.translator.close();
  }
}
