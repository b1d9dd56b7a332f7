/** Every page's part of the API. */

import type { Route } from "../site.js";
import { candidateRoutes } from "./candidates.js";
import { ratings } from "./ratings.js";
import { runRoutes } from "./run.js";

export const routes: readonly Route[] = [runRoutes, candidateRoutes, ratings];
