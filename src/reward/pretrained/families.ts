/** Every family of pretrained rewards. */

import type { PretrainedFamily } from "./family.js";
import { metricx } from "./metricx/metricx.js";

/** In the order in which they are asked whether a folder is theirs. */
export const families: readonly PretrainedFamily[] = [metricx];
