/** What a run does now and what has come of it. */

import { Empty } from "../components/states.js";
import type { PageProps } from "../pages.js";

export default function RunPage({ run }: PageProps) {
  return <Empty title={run ?? "There is no run here yet."} />;
}
