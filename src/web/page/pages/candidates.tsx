/** What the policies really write, and what a threshold keeps of it. */

import { Empty } from "../components/states.js";
import type { PageProps } from "../pages.js";

export default function CandidatesPage({ run }: PageProps) {
  return <Empty title={run ?? "There is no run here yet."} />;
}
