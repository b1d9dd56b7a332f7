/** What people said of a run's policies. */

import { Empty } from "../components/states.js";
import type { PageProps } from "../pages.js";
import { RatingResultsPage } from "../rating-results.js";

export default function Ratings({ run }: PageProps) {
  if (run === undefined) return <Empty title="There is no run here yet." />;
  return <RatingResultsPage key={run} run={run} />;
}
