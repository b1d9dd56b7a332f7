/** Every page's part of the API. */

import type { Route } from "../site.js";

export const routes: readonly Route[] = [];
