/** Every family of pretrained rewards. */

import { bleurt } from "./bleurt/bleurt.js";
import { comet } from "./comet/comet.js";
import type { PretrainedFamily } from "./family.js";
import { metricx } from "./metricx/metricx.js";

/** In the order in which they are asked whether a folder is theirs. */
export const families: readonly PretrainedFamily[] = [metricx, comet, bleurt];
