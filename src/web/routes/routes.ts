/** Every page's part of the API. */

import { ratedTranslations } from "../rated-translations.js";
import { openRunTranslator } from "../run-translator.js";
import type { Route } from "../site.js";
import { candidateRoutes } from "./candidates.js";
import { compareRoute } from "./compare.js";
import { policiesRoute } from "./policies.js";
import { ratings } from "./ratings.js";
import { rewardRoute } from "./reward.js";
import { runRoutes } from "./run.js";

export const routes: readonly Route[] = [
  runRoutes,
  candidateRoutes,
  policiesRoute(openRunTranslator),
  compareRoute,
  rewardRoute(ratedTranslations),
  ratings,
];
