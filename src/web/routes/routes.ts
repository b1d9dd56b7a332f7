/** Every page's part of the API. */

import type { Route } from "../site.js";
import { ratings } from "./ratings.js";

export const routes: readonly Route[] = [ratings];
