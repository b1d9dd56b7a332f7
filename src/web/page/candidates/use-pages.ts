/** Rows that come by the page. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Cursor, ListedCandidate, Page, SearchPage } from "../../../store/browse.js";
import { AskFailed, ask, PATIENCE } from "../api.js";

/** Rows after which a search waits for the reader. */
const ENOUGH = 25;

interface Pages {
  rows: ListedCandidate[];
  /** `more`: there may be further rows; `end`: these are all. */
  state: "loading" | "more" | "end" | "failed";
  /** Of a search: share of the sources it has been through, in [0, 1]. */
  searched: number;
  error: string | undefined;
  more(): void;
  /** Asks once more for what failed. */
  again(): void;
}

interface Held extends Pick<Pages, "rows" | "state" | "searched" | "error"> {
  next: Cursor | null;
}

const NOTHING: Held = { rows: [], state: "loading", searched: 0, error: undefined, next: null };

/** The pages of `path`, from the first again whenever it changes; answers to an older path are dropped. */
export function usePages(path: string): Pages {
  const [held, setHeld] = useState<Held>(NOTHING);
  const stop = useRef<AbortController | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const load = async (before: Held) => {
    stop.current?.abort();
    clearTimeout(timer.current);
    const control = new AbortController();
    stop.current = control;
    const { signal } = control;
    let { rows, next } = before;
    // Another list stays in sight until the first rows of the new one are there: whoever sorts by keyboard is in it.
    setHeld((last) => ({
      ...before,
      rows: before === NOTHING ? last.rows : rows,
      state: "loading",
      error: undefined,
    }));
    try {
      const wanted = rows.length + ENOUGH;
      // A search gives what it finds in a tenth of a second: it goes on until a page is full.
      do {
        const after = next ? `&after=${encodeURIComponent(JSON.stringify(next))}` : "";
        const page: Page & Partial<SearchPage> = await ask(`${path}${after}`, { signal });
        if (signal.aborted) return;
        rows = [...rows, ...page.rows];
        next = page.next;
        const done = !next || rows.length >= wanted;
        const state = !done ? "loading" : next ? "more" : "end";
        setHeld({ rows, next, state, searched: page.searched ?? 0, error: undefined });
      } while (next && rows.length < wanted);
    } catch (error) {
      if (signal.aborted) return;
      const reached: Held = { ...before, rows, next, state: "failed", error: (error as Error).message };
      setHeld(reached);
      if (error instanceof AskFailed && error.status === 0)
        timer.current = setTimeout(() => load(reached), PATIENCE);
    }
  };

  // Another path is another list; `load` is made anew at each drawing.
  useEffect(() => {
    // Typing changes the path at each letter.
    timer.current = setTimeout(() => load(NOTHING), 150);
    return () => {
      clearTimeout(timer.current);
      stop.current?.abort();
    };
  }, [path]);

  return { ...held, more: () => load(held), again: () => load(held) };
}
