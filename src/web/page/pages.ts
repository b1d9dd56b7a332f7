/** The pages, each a chunk of its own that is loaded when it is first opened. */

import type { ComponentType } from "preact";

/** What a page is given; where there is no run, none is shown. */
export interface PageProps {
  /** The run that is chosen. */
  run: string;
  query: URLSearchParams;
}

export interface Page {
  /** In the address: `#/candidates`. */
  path: string;
  title: string;
  load(): Promise<{ default: ComponentType<PageProps> }>;
}

/** In the order of the navigation; the first is where the reader starts. */
export const pages: readonly Page[] = [
  { path: "run", title: "Run", load: () => import("./pages/run.js") },
  { path: "candidates", title: "Candidates", load: () => import("./pages/candidates.js") },
  { path: "policies", title: "Policies", load: () => import("./pages/policies.js") },
  { path: "compare", title: "Compare", load: () => import("./pages/compare.js") },
  { path: "reward", title: "Reward", load: () => import("./pages/reward.js") },
  { path: "rate", title: "Rate", load: () => import("./pages/rate.js") },
  { path: "ratings", title: "Ratings", load: () => import("./pages/ratings.js") },
];
