/** Tells when the files of a run have changed, once for all who watch the same folder. */

import { type FSWatcher, watch } from "node:fs";

/** Milliseconds that changes are gathered for, and after which one looks again without having been told. */
const GATHER = 150;
const POLL = 2000;

export type Unsubscribe = () => void;

interface Watched {
  listeners: Set<() => void>;
  stop(): void;
}

/** Watches folders for as long as somebody listens. A process that dies changes no file, so they are polled as well. */
export class Watchers {
  readonly #watched = new Map<string, Watched>();

  subscribe(folder: string, listener: () => void): Unsubscribe {
    const watched = this.#watched.get(folder) ?? this.#start(folder);
    watched.listeners.add(listener);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size > 0 || this.#watched.get(folder) !== watched) return;
      watched.stop();
      this.#watched.delete(folder);
    };
  }

  close(): void {
    for (const { stop } of this.#watched.values()) stop();
    this.#watched.clear();
  }

  #start(folder: string): Watched {
    const listeners = new Set<() => void>();
    const tell = () => {
      for (const listener of listeners) listener();
    };
    let gathering: NodeJS.Timeout | undefined;
    let told: FSWatcher | undefined;
    try {
      told = watch(folder, () => {
        gathering ??= setTimeout(() => {
          gathering = undefined;
          tell();
        }, GATHER);
      });
      // A folder that is removed, or a system out of watches: polling stays.
      told.on("error", () => told?.close());
    } catch {
      told = undefined;
    }
    const poll = setInterval(tell, POLL);
    const watched: Watched = {
      listeners,
      stop: () => {
        clearInterval(poll);
        clearTimeout(gathering);
        told?.close();
      },
    };
    this.#watched.set(folder, watched);
    return watched;
  }
}
