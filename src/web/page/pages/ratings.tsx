/** What people said of a run's policies. */

import type { PageProps } from "../pages.js";
import { RatingResultsPage } from "../rating-results.js";

export default function Ratings({ run }: PageProps) {
  return <RatingResultsPage key={run} run={run} />;
}
