/** What the rating routes and their page say to each other; types only, since both sides read this. */

import type { Progress } from "../rating/desk.js";
import type { RatingResults } from "../rating/results.js";

/** `GET /api/ratings/progress` */
export interface RatingsOverview {
  round: string;
  /** Items of the round, with repeats and checks. */
  total: number;
  raters: { name: string; progress: Progress }[];
}

/** `GET /api/ratings/results` */
export interface RatedRun {
  scales: RatingResults[];
  /** Lines of the stored ratings that could not be read and do not count. */
  unreadable: number;
}
