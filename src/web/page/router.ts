/** Where the reader is: `#/candidates?run=mine&source=3`. Behind the `#`, so that the server has one page to serve. */

import { useEffect, useState } from "preact/hooks";

export interface Place {
  /** `candidates`; empty at the start. */
  page: string;
  query: URLSearchParams;
}

function here(): Place {
  const [page = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { page, query: new URLSearchParams(query) };
}

/** Follows the address. */
export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const follow = () => setPlace(here());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `?a=1&b=2` of what is set; the empty string where nothing is. */
export function queryText(query: Query): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return set.length === 0
    ? ""
    : `?${new URLSearchParams(set.map(([key, value]) => [key, String(value)])).toString()}`;
}

/** The address of a page, for `href`. */
export function linkTo(page: string, query: Query = {}): string {
  return `#/${page}${queryText(query)}`;
}

/** Changes the query of the page that is shown; the reader's way back leads past it unless `push` is set. */
export function setQuery(changes: Query, push = false): void {
  const { page, query } = here();
  const link = linkTo(page, { ...Object.fromEntries(query), ...changes });
  if (push) {
    location.hash = link;
    return;
  }
  history.replaceState(null, "", link);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
