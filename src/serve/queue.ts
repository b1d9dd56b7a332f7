/** Gathers requests: what arrives while a batch is decoded is decoded together in the next one. */

import { setTimeout as wait } from "node:timers/promises";
import { Interrupted } from "../errors.js";
import type { Source } from "../policy/policy.js";
import type { Answer } from "./policies.js";

/** How sources are decoded. Those of one batch have equal settings. */
export interface Settings {
  readonly policy: string;
  /** Candidates a source, 1 or more; with more beams than 1 there is one. */
  readonly n: number;
  /** 0: greedy. */
  readonly temperature: number;
  /** In (0, 1]; absent: the run's. */
  readonly topP?: number | undefined;
  /** Width of a beam search; 1: none. */
  readonly beams: number;
  /** Tokens that a candidate may have; absent: the run's. */
  readonly maxTokens?: number | undefined;
  /** Whether candidates are scored by the run's reward. */
  readonly score: boolean;
  /** With `score`: whether they are put in order by the tuned sum; absent: by the reward. */
  readonly rerank?: boolean | undefined;
}

/** Sources of one request. */
export interface Wish {
  readonly settings: Settings;
  readonly texts: readonly string[];
  /** Of its draws: source k of the request draws by (seed, k), whatever it is decoded with. */
  readonly seed: number;
  /** Aborted where nobody waits for the answer any longer. */
  readonly signal: AbortSignal;
}

export interface QueueOptions {
  decode(sources: readonly Source[], settings: Settings): Promise<Answer[]>;
  /** Sources that may wait. */
  most: number;
  /** Candidates decoded at once; one source always fits. */
  rows?: number;
  /** Called when a batch begins. */
  onBatch?(batch: { sources: number; rows: number; requests: number }): void;
}

/** More sources wait than may. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
}

/** A request with sources that wait or are decoded. */
interface Pending {
  readonly wish: Wish;
  readonly key: string;
  /** The first source that waits. */
  next: number;
  /** Filled as batches end. */
  readonly answers: Answer[];
  missing: number;
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

const ROWS = 256;
/** Milliseconds without a new request after which a batch begins, and how long it waits for that at most. */
const PAUSE = 3;
const PATIENCE = 50;

export class DecodingQueue {
  readonly #options: QueueOptions;
  /** Those with sources that wait; whose turn it is stands first. */
  #waiting: Pending[] = [];
  #rows = 0;
  #decoding = false;
  /** Requests so far. */
  #asked = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Sources that wait. */
  get length(): number {
    return this.#waiting.reduce((sum, { wish, next }) => sum + wish.texts.length - next, 0);
  }

  /** Sources that may wait. */
  get most(): number {
    return this.#options.most;
  }

  /** Candidates being decoded. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * The answers to a request, in the order of its texts. The promise rejects with `Interrupted` when the signal is
   * aborted, and as `decode` does. Throws QueueFull at once where there is no room.
   */
  ask(wish: Wish): Promise<Answer[]> {
    if (this.length + wish.texts.length > this.#options.most) throw new QueueFull();
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        wish,
        key: JSON.stringify(wish.settings),
        next: 0,
        answers: [],
        missing: wish.texts.length,
        resolve,
        reject,
      };
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== pending);
        reject(new Interrupted("The connection was closed."));
      };
      if (wish.signal.aborted) return leave();
      wish.signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(pending);
      this.#asked++;
      if (!this.#decoding) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#decoding = true;
    // Requests of one moment arrive one after another.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const parts = this.#gather();
      await this.#decode(parts);
      if (parts.some(({ pending }) => pending !== parts[0]!.pending)) await this.#settle();
    }
    this.#decoding = false;
  }

  /** Those that were answered together ask again at about the same time: the first of them waits for the others. */
  async #settle(): Promise<void> {
    const end = performance.now() + PATIENCE;
    let known: number;
    do {
      known = this.#asked;
      await wait(PAUSE);
    } while (this.#asked > known && performance.now() < end);
  }

  /**
   * The sources of the next batch: of the request whose turn it is, and of those with the same settings, by turns, so that
   * a long request does not hold up a short one.
   */
  #gather(): Part[] {
    const [{ key, wish: first }] = this.#waiting as [Pending, ...Pending[]];
    const each = Math.max(first.settings.n, first.settings.beams);
    const room = Math.max(1, Math.floor((this.#options.rows ?? ROWS) / each));
    const parts: Part[] = [];
    for (let full = false; !full; ) {
      const before = parts.length;
      for (const pending of this.#waiting) {
        if (parts.length >= room) break;
        if (pending.key === key && pending.next < pending.wish.texts.length)
          parts.push({ pending, source: pending.next++ });
      }
      full = parts.length === before || parts.length >= room;
    }
    this.#waiting = this.#waiting.filter(({ wish, next }) => next < wish.texts.length);
    return parts;
  }

  async #decode(parts: readonly Part[]): Promise<void> {
    const { settings } = parts[0]!.pending.wish;
    const requests = new Set(parts.map(({ pending }) => pending));
    this.#rows = parts.length * Math.max(settings.n, settings.beams);
    this.#options.onBatch?.({ sources: parts.length, rows: this.#rows, requests: requests.size });
    try {
      const answers = await this.#options.decode(
        parts.map(({ pending: { wish }, source }, sourceId) => ({
          sourceId,
          text: wish.texts[source]!,
          draws: { seed: wish.seed, sourceId: source },
          signal: wish.signal,
        })),
        settings,
      );
      parts.forEach(({ pending, source }, i) => {
        pending.answers[source] = answers[i]!;
        if (--pending.missing === 0) pending.resolve(pending.answers);
      });
    } catch (error) {
      this.#waiting = this.#waiting.filter((pending) => !requests.has(pending));
      for (const { reject } of requests) reject(error);
    } finally {
      this.#rows = 0;
      // It is the others' turn, of those too that came meanwhile.
      this.#waiting.sort((a, b) => Number(requests.has(a)) - Number(requests.has(b)));
    }
  }
}

interface Part {
  readonly pending: Pending;
  /** Index in its request. */
  readonly source: number;
}
