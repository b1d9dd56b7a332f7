/** Rating within the dashboard. */

import { Empty } from "../components/states.js";
import type { PageProps } from "../pages.js";
import { RatePage } from "../rate.js";
import { linkTo } from "../router.js";

export default function Rate({ run }: PageProps) {
  if (run === undefined) return <Empty title="There is no run here yet." />;
  return <RatePage key={run} run={run} results={linkTo("ratings", { run })} />;
}
