/** Rating within the dashboard. */

import type { PageProps } from "../pages.js";
import { RatePage } from "../rate.js";
import { linkTo } from "../router.js";

export default function Rate({ run }: PageProps) {
  return <RatePage key={run} run={run} results={linkTo("ratings", { run })} />;
}
